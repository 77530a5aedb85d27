"""The keys of this installation: where they are, which one signs what, and how a new one takes over.

A private key is never replaced and never deleted: its file is kept beside the new one under its fingerprint. The log
key changes only where a log begins, the evidence key whenever it is told to.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from django.db import transaction
from django.db.models import Q

from compliance.evidence import checkpoint, dsse, signing
from compliance.evidence.checkpoint import LogSigner
from compliance.evidence.signing import EvidenceSigner, SignerError
from compliance.ledger import held_keys, leadership, logs, waiting_keys
from compliance.ledger.actions.publish_key import publish_key
from compliance.ledger.actions.retire_key import retire_key
from compliance.ledger.errors import KeyOutOfUseError, KeyStateError
from compliance.ledger.leadership import AnotherLeadsError
from compliance.ledger.models import Log, PublicKey

Purpose = PublicKey.Purpose
PURPOSES = (Purpose.EVIDENCE, Purpose.CHECKPOINT)
OVERLAP = timedelta(hours=24)
MAX_OVERLAP = timedelta(hours=8760)
# A checkpoint takes milliseconds with a key file; a key service may be slow.
_LEAD_SECONDS = 60.0
_LEAD_PAUSE_SECONDS = 0.05
_NEXT_KEY = (
    "Run `manage.py keys rotate checkpoint`; for a key behind a URI, set EXPUNGE_LEDGER_KEY_URI and its public key to "
    "the new key, and start the checkpointer again."
)
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
    if _is_out_of_use(row):
        raise KeyOutOfUseError(
            f"The evidence key {row.key_sha256} is retired or distrusted: nobody would rely on what it signs. "
            "Run `manage.py keys rotate evidence`, or give this worker the new key."
        )
    return signer


def log_signer(log: Log) -> LogSigner:
    """The key that signs this log. After a rotation the next log begins under the key that waits.

    Only the checkpointer calls it, which asks `refuse_key_for` before it begins a log. Raises KeyFileError,
    SignerError, SignerUnreachableError.
    """
    if settings.LEDGER_KEY_URI:
        return held_keys.log_key()
    before = _before(log)
    if (before is None or before.needs_other_key) and not log.checkpoints.exists():
        waiting_keys.promote(Purpose.CHECKPOINT, settings.LEDGER_KEY_PATH)
    return signing.load_log_key(settings.LEDGER_KEY_PATH)


def refuse_key_for(log: Log, key_sha256: str) -> None:
    """Raises KeyOutOfUseError where a log must not begin under the key with this fingerprint.

    That is a key which is distrusted or retired, and, after a rotation, the key of the log before. A log that has
    begun is signed to its end by the key that began it.
    """
    if log.checkpoints.exists():
        return
    rows = PublicKey.objects.filter(purpose=Purpose.CHECKPOINT, key_sha256=key_sha256)
    for word, ends in (("distrusted", "distrusted_from"), ("retired", "valid_until")):
        if rows.exclude(**{ends: None}).exists():
            raise KeyOutOfUseError(
                f"The log {log.origin} must not begin under the key {key_sha256}, which is {word}; expected a new one. "
                f"{_NEXT_KEY}"
            )
    before = _before(log)
    if before is not None and before.needs_other_key and rows.filter(text__startswith=f"{before.origin}+").exists():
        raise KeyOutOfUseError(
            f"A rotation has ended the log {before.origin}: expected another key to begin the log {log.origin}, found "
            f"the same one again ({key_sha256}). {_NEXT_KEY}"
        )


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

    A key behind a URI is made where it is held. Nothing is made when one is refused. Raises KeyFileError for a file
    that holds no such key, and KeyStateError where a published key has lost its file: it must be restored, and never be
    replaced unnoticed.
    """
    missing = [purpose for purpose in purposes if _is_missing(purpose)]
    for purpose in missing:
        waiting_keys.generate(purpose, key_path(purpose))
    return [key_path(purpose) for purpose in missing]


def publish_evidence_key() -> PublicKey:
    """Publish the PEM of the key that signs evidence. Raises what `evidence_signer` raises."""
    return PublicKey.objects.get(purpose=Purpose.EVIDENCE, key_sha256=evidence_signer().keyid)


def rotate_evidence_key(overlap: timedelta = OVERLAP) -> PublicKey:
    """Let a new key sign evidence; no key before it stays valid for longer than the overlap, for jobs that run now.

    With a key file a new file is made and the old one kept beside it. Behind a URI the new key is the one that is
    configured now. Cut off half-way it is completed by calling it again. Raises KeyFileError, SignerError,
    KeyStateError where the configured URI holds no new key, and ValueError for an overlap that is none.
    """
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        raise ValueError(f"Expected an overlap from 0 to {MAX_OVERLAP}, found {overlap}.")
    until = datetime.now(tz=UTC) + overlap
    if settings.EVIDENCE_KEY_URI:
        return _take_over(_evidence_signer(), until)
    waiting_keys.lay_ready(Purpose.EVIDENCE, settings.EVIDENCE_KEY_PATH)
    row = _take_over(EvidenceSigner.from_file(waiting_keys.next_path(settings.EVIDENCE_KEY_PATH)), until)
    waiting_keys.promote(Purpose.EVIDENCE, settings.EVIDENCE_KEY_PATH)
    return row


def begin_rotation_of_log_key() -> Log | None:
    """Lay the next log key ready and end the newest log; returns that log, None where no log has to end.

    The checkpointer signs the log to its end with the old key, and begins the next one with the new key. A log that
    has no checkpoint yet begins with the new key. Repeating it while the next key waits changes nothing. Raises
    KeyFileError and KeyStateError, also for a waiting file that holds no new key: then no log ends.
    """
    deadline = time.monotonic() + _LEAD_SECONDS
    while True:
        try:
            return _begin_rotation()
        except AnotherLeadsError as error:
            if time.monotonic() > deadline:
                raise KeyStateError(f"{error} Nothing was rotated. Try again.") from error
            time.sleep(_LEAD_PAUSE_SECONDS)


def public_key_sha256(purpose: Purpose) -> str | None:
    """The fingerprint of the key that is configured, None where this process cannot read it."""
    try:
        if key_uri(purpose):
            pem = held_keys.public_pem(public_key_path(purpose))
            if purpose is Purpose.EVIDENCE:
                return dsse.public_key_sha256(dsse.load_public_key(pem))
            return dsse.public_key_sha256(signing.load_public_log_key(pem, key_uri(purpose)))
        return waiting_keys.fingerprint(purpose, key_path(purpose))
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


def _is_out_of_use(row: PublicKey) -> bool:
    return row.distrusted_from is not None or (row.valid_until is not None and row.valid_until <= datetime.now(tz=UTC))


def _before(log: Log) -> Log | None:
    return Log.objects.filter(number=log.number - 1).first()


@transaction.atomic
def _begin_rotation() -> Log | None:
    # Otherwise the checkpointer could begin a log under the old key at this very moment.
    leadership.take_lead(leadership.Part.CHECKPOINTER)
    if not settings.LEDGER_KEY_URI:
        key_sha256 = waiting_keys.lay_ready(Purpose.CHECKPOINT, settings.LEDGER_KEY_PATH)
        if PublicKey.objects.filter(key_sha256=key_sha256).exists():
            waiting = waiting_keys.next_path(settings.LEDGER_KEY_PATH)
            raise KeyStateError(
                f"Expected a new key in {waiting}, found {key_sha256}, which signed a log already. "
                f"{waiting_keys.MOVE_AWAY}"
            )
    return logs.end_for_other_key()


def _is_missing(purpose: Purpose) -> bool:
    path = key_path(purpose)
    if key_uri(purpose):
        return False
    if path.exists():
        waiting_keys.fingerprint(purpose, path)
        return False
    published = PublicKey.objects.filter(purpose=purpose, valid_until=None).first()
    if published is not None:
        raise KeyStateError(
            f"The {purpose.value} key {published.key_sha256} was published, but its file {path} is not there. "
            f"Restore it from your copy.{_WITHOUT_A_COPY[purpose]}"
        )
    return True


def _evidence_signer() -> EvidenceSigner:
    if settings.EVIDENCE_KEY_URI:
        return held_keys.evidence_key()
    return EvidenceSigner.from_file(settings.EVIDENCE_KEY_PATH)


def _take_over(signer: EvidenceSigner, until: datetime) -> PublicKey:
    valid = PublicKey.objects.filter(purpose=Purpose.EVIDENCE)
    earlier = valid.filter(Q(valid_until=None) | Q(valid_until__gt=until)).exclude(key_sha256=signer.keyid)
    known = valid.filter(key_sha256=signer.keyid, valid_until=None)
    if settings.EVIDENCE_KEY_URI and not earlier.exists() and known.exists():
        raise KeyStateError(
            f"{settings.EVIDENCE_KEY_URI} is the key in use already ({signer.keyid}). Make a new key or version in the "
            "key service, and set EXPUNGE_EVIDENCE_KEY_URI and its public key to that one first."
        )
    row = publish_key(Purpose.EVIDENCE, signer.public_key_pem.decode())
    if row.distrusted_from is not None or row.valid_until is not None:
        raise KeyStateError(
            f"Expected a new evidence key, found {signer.keyid}, which is retired or distrusted. Behind a URI, make a "
            f"new key there. {waiting_keys.MOVE_AWAY}"
        )
    for key_sha256 in set(earlier.values_list("key_sha256", flat=True)):
        retire_key(key_sha256, valid_until=until)
    return row
