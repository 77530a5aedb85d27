"""The keys of this installation: where they are, which one signs what, and how a new one takes over.

A private key is never replaced and never deleted: its file is kept beside the new one under its fingerprint. The log
key changes only where a log begins, the evidence key whenever it is told to.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings

from compliance.evidence import checkpoint, dsse, key_files, signing
from compliance.evidence.checkpoint import LogSigner
from compliance.evidence.key_files import KeyFileError
from compliance.evidence.signing import EvidenceSigner, SignerError, UriLogKey
from compliance.ledger import logs
from compliance.ledger.actions.publish_key import publish_key
from compliance.ledger.actions.retire_key import retire_key
from compliance.ledger.errors import KeyOutOfUseError, KeyStateError
from compliance.ledger.models import Log, PublicKey

Purpose = PublicKey.Purpose
PURPOSES = (Purpose.EVIDENCE, Purpose.CHECKPOINT)
OVERLAP = timedelta(hours=24)
_N_FINGERPRINT_CHARACTERS = 12
_WITHOUT_A_COPY = {
    Purpose.EVIDENCE: " If there is none: `manage.py keys rotate evidence`.",
    Purpose.CHECKPOINT: " Without it nobody can sign this log any further.",
}


def evidence_signer() -> EvidenceSigner:
    """The key that signs evidence, as it is now, published before its first use. Only workers need to reach it.

    Raises KeyFileError, SignerError, SignerUnreachableError, and KeyOutOfUseError for a key that is retired or
    distrusted.
    """
    signer = _evidence_signer()
    row = publish_key(Purpose.EVIDENCE, signer.public_key_pem.decode())
    if row.distrusted_from is not None or (row.valid_until is not None and row.valid_until <= datetime.now(tz=UTC)):
        raise KeyOutOfUseError(
            f"The evidence key {row.key_sha256} is retired or distrusted: nobody would rely on what it signs. "
            "Run `manage.py keys rotate evidence`, or give this worker the new key."
        )
    return signer


def log_signer(log: Log) -> LogSigner:
    """The key that signs this log. A log without a checkpoint begins under the next key, where one waits.

    Only the checkpointer calls it. Raises KeyFileError, SignerError, SignerUnreachableError.
    """
    if settings.LEDGER_KEY_URI:
        return _log_key_behind(settings.LEDGER_KEY_URI, _public_pem(settings.LEDGER_PUBLIC_KEY_PATH))
    if not log.checkpoints.exists():
        _promote(Purpose.CHECKPOINT)
    return signing.load_log_key(settings.LEDGER_KEY_PATH)


def publish_log_key(log: Log, public_key: Ed25519PublicKey) -> PublicKey:
    """Publish the vkey that signs this log, and retire the keys that signed the logs before it.

    Called in the transaction that stores the log's first checkpoint.
    """
    row = publish_key(Purpose.CHECKPOINT, checkpoint.vkey(log.origin, public_key))
    earlier = PublicKey.objects.filter(purpose=Purpose.CHECKPOINT, valid_until=None).exclude(key_sha256=row.key_sha256)
    for key_sha256 in set(earlier.values_list("key_sha256", flat=True)):
        retire_key(key_sha256, valid_until=datetime.now(tz=UTC))
    return row


def create_missing(purposes: Sequence[Purpose] = PURPOSES) -> list[Path]:
    """Make the key files that are not there yet (owner-readable only); returns those made.

    A key behind a URI is made where it is held. Raises KeyStateError where a published key has lost its file: it must
    be restored, and never be replaced unnoticed.
    """
    made = []
    for purpose in purposes:
        path = key_path(purpose)
        if key_uri(purpose) or path.exists():
            continue
        published = PublicKey.objects.filter(purpose=purpose, valid_until=None).first()
        if published is not None:
            raise KeyStateError(
                f"The {purpose.value} key {published.key_sha256} was published, but its file {path} is not there. "
                f"Restore it from your copy.{_WITHOUT_A_COPY[purpose]}"
            )
        _generate(purpose, path)
        made.append(path)
    return made


def publish_evidence_key() -> PublicKey:
    """Publish the PEM of the key that signs evidence. Raises what `evidence_signer` raises."""
    return PublicKey.objects.get(purpose=Purpose.EVIDENCE, key_sha256=evidence_signer().keyid)


def rotate_evidence_key(overlap: timedelta = OVERLAP) -> PublicKey:
    """Let a new key sign evidence; the keys before it stay valid for the overlap, since running jobs may hold them.

    With a key file a new file is made and the old one kept beside it. Behind a URI the new key is the one that is
    configured now. Cut off half-way it is completed by calling it again. Raises KeyFileError, SignerError, and
    KeyStateError where the configured URI holds no new key.
    """
    if settings.EVIDENCE_KEY_URI:
        return _take_over(_evidence_signer(), overlap)
    new = next_path(settings.EVIDENCE_KEY_PATH)
    if not new.exists():
        _generate(Purpose.EVIDENCE, new)
    row = _take_over(EvidenceSigner.from_file(new), overlap)
    _promote(Purpose.EVIDENCE)
    return row


def begin_rotation_of_log_key() -> Log | None:
    """Lay the next log key ready and end the newest log; returns that log, None before the first.

    The checkpointer signs the log to its end with the old key, and begins the next one with the new key.
    Repeating it while the next key waits changes nothing. Raises KeyFileError.
    """
    if not settings.LEDGER_KEY_URI:
        waiting = next_path(settings.LEDGER_KEY_PATH)
        if not waiting.exists():
            _generate(Purpose.CHECKPOINT, waiting)
    return logs.freeze()


def public_key_sha256(purpose: Purpose) -> str | None:
    """The fingerprint of the key that is configured, None where this process cannot read it."""
    try:
        if key_uri(purpose):
            pem = _public_pem(public_key_path(purpose))
            if purpose is Purpose.EVIDENCE:
                return dsse.public_key_sha256(dsse.load_public_key(pem))
            return dsse.public_key_sha256(signing.load_public_log_key(pem, key_uri(purpose)))
        return _fingerprint(purpose, key_path(purpose))
    except (OSError, SignerError, ValueError):
        return None


def key_path(purpose: Purpose) -> Path:
    """The key file of a purpose."""
    path: Path = settings.EVIDENCE_KEY_PATH if purpose is Purpose.EVIDENCE else settings.LEDGER_KEY_PATH
    return path


def key_uri(purpose: Purpose) -> str:
    """The URI of a purpose, empty where a key file is used."""
    uri: str = settings.EVIDENCE_KEY_URI if purpose is Purpose.EVIDENCE else settings.LEDGER_KEY_URI
    return uri


def public_key_path(purpose: Purpose) -> Path:
    """The file with the public half of a key behind a URI."""
    path: Path = settings.EVIDENCE_PUBLIC_KEY_PATH if purpose is Purpose.EVIDENCE else settings.LEDGER_PUBLIC_KEY_PATH
    return path


def next_path(path: Path) -> Path:
    """Where the key waits that takes the place of this one: `ledger.next.pem`."""
    return path.with_name(f"{path.stem}.next{path.suffix}")


def _generate(purpose: Purpose, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if purpose is Purpose.EVIDENCE:
        signing.generate_evidence_key(path)
    else:
        signing.generate_log_key(path)


def _evidence_signer() -> EvidenceSigner:
    if settings.EVIDENCE_KEY_URI:
        return _evidence_key_behind(settings.EVIDENCE_KEY_URI, _public_pem(settings.EVIDENCE_PUBLIC_KEY_PATH))
    return EvidenceSigner.from_file(settings.EVIDENCE_KEY_PATH)


@lru_cache(maxsize=2)
def _evidence_key_behind(uri: str, public_key_pem: bytes) -> EvidenceSigner:
    """Kept, so that the connection is, and the probe is signed once."""
    return EvidenceSigner.from_uri(uri, public_key_pem, _read_secret)


@lru_cache(maxsize=2)
def _log_key_behind(uri: str, public_key_pem: bytes) -> UriLogKey:
    return UriLogKey.from_uri(uri, public_key_pem, _read_secret)


def _read_secret(name: str) -> str:
    """What an HSM asks for: its PIN."""
    if not settings.HSM_PIN:
        raise SignerError(f"The HSM asks for its {name}. Set EXPUNGE_HSM_PIN_FILE.")
    pin: str = settings.HSM_PIN
    return pin


def _public_pem(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyFileError(
            f"The public half {path} of the key behind the URI cannot be read: {error.strerror}. Export it from the "
            "key service as PEM."
        ) from error


def _take_over(signer: EvidenceSigner, overlap: timedelta) -> PublicKey:
    valid = PublicKey.objects.filter(purpose=Purpose.EVIDENCE, valid_until=None)
    earlier = set(valid.exclude(key_sha256=signer.keyid).values_list("key_sha256", flat=True))
    if not earlier and valid.filter(key_sha256=signer.keyid).exists() and settings.EVIDENCE_KEY_URI:
        raise KeyStateError(
            f"{settings.EVIDENCE_KEY_URI} is the key in use already ({signer.keyid}). Make a new key or version in the "
            "key service, and set EXPUNGE_EVIDENCE_KEY_URI and its public key to that one first."
        )
    row = publish_key(Purpose.EVIDENCE, signer.public_key_pem.decode())
    for key_sha256 in earlier:
        retire_key(key_sha256, valid_until=datetime.now(tz=UTC) + overlap)
    return row


def _promote(purpose: Purpose) -> None:
    """Put a waiting key into the place of the one in use, which is kept under its fingerprint."""
    path = key_path(purpose)
    new = next_path(path)
    if not new.exists():
        return
    _fingerprint(purpose, new)
    if path.exists():
        short = _fingerprint(purpose, path)[:_N_FINGERPRINT_CHARACTERS]
        key_files.keep_as(path, path.with_name(f"{path.stem}-{short}{path.suffix}"))
    key_files.take_place(new, path)


def _fingerprint(purpose: Purpose, path: Path) -> str:
    """Of the key in this file; raises KeyFileError when it holds none of this purpose."""
    if purpose is Purpose.EVIDENCE:
        return dsse.public_key_sha256(key_files.load_evidence_key(path).public_key())
    return dsse.public_key_sha256(key_files.load_log_key(path).public_key())
