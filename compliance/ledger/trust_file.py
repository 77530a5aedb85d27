"""The trust file of this installation: its published keys, and whom else an auditor is asked to rely on."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from django.conf import settings

from compliance.evidence import dsse, witness_policy
from compliance.evidence.checkpoint import parse_vkey
from compliance.evidence.errors import TrustFileError
from compliance.evidence.trust import EvidenceKey, Trust
from compliance.ledger.models import LedgerEntry, PendingEntry, PublicKey

WITNESSES_HELP = (
    "Begin the next log under a new key (`manage.py keys rotate checkpoint`). What the distrusted key signed can only be "
    'shown beside witnesses: set EXPUNGE_WITNESS_POLICY_FILE, and let them cosign (docs/operate.md, "Keys").'
)
_KEY_EVENTS = ("key.published", "key.retired", "key.distrusted")


def current_trust() -> Trust:
    """What an auditor should pin from now on.

    The vkey of a distrusted log key is named only beside a witness policy with a quorum: alone, whoever has the key
    could show another log under it. `left_out` tells which are not. Raises TrustFileError while no log or no evidence key is
    published, or when a configured file cannot be read.
    """
    logs, keys = _published(PublicKey.Purpose.CHECKPOINT), _published(PublicKey.Purpose.EVIDENCE)
    if not logs or not keys:
        raise TrustFileError(
            "A key is not published yet. The log's is with its first checkpoint (`manage.py checkpointer`), the "
            "evidence key with `manage.py keys create evidence`."
        )
    unnamed = left_out()
    return Trust(
        issued_at=_issued_at([*logs, *keys]),
        log_vkeys=tuple(row.text for row in logs if row.text not in unnamed),
        evidence_keys=tuple(_evidence_key(row) for row in keys),
        timestamp_authorities=timestamp_authorities(),
        witness_policy_text=witness_policy_text(),
    )


def left_out() -> tuple[str, ...]:
    """The vkeys of logs that the trust file does not name, since their key is distrusted and no witness is asked.

    Raises TrustFileError for a witness policy that cannot be read.
    """
    policy = witness_policy_text()
    if policy is not None and witness_policy.parse(policy).quorum is not None:
        return ()
    return tuple(row.text for row in _distrusted(_published(PublicKey.Purpose.CHECKPOINT)))


def refuse_left_out(vkeys: Iterable[str]) -> None:
    """Raises TrustFileError where one of these signed a log that no auditor would rely on: see `left_out`."""
    named = sorted(set(vkeys) & set(left_out()))
    if named:
        raise TrustFileError(
            f"The log {parse_vkey(named[0]).name} is signed with a key that is distrusted, so the trust file does not "
            f"name it: nobody could tell it from another log under that key. {WITNESSES_HELP}"
        )


def witness_policy_text() -> str | None:
    """The policy that is configured, None without one; raises TrustFileError."""
    if settings.WITNESS_POLICY_PATH is None:
        return None
    text = _read(settings.WITNESS_POLICY_PATH).decode(errors="replace")
    witness_policy.parse(text)
    return text


def timestamp_authorities() -> tuple[tuple[str, ...], ...]:
    """The certificates that are configured, in PEM: each authority begins with its root; raises TrustFileError."""
    path: Path | None = settings.TSA_CERTIFICATES_PATH
    if path is None:
        return ()
    try:
        certificates = x509.load_pem_x509_certificates(_read(path))
    except ValueError as error:
        raise TrustFileError(f"{path} should hold certificates in PEM, and does not: {error}.") from error
    authorities: list[list[str]] = []
    for certificate in certificates:
        if certificate.issuer == certificate.subject:
            authorities.append([])
        if not authorities:
            raise TrustFileError(f"{path} should begin with a root certificate, one that is issued by itself.")
        authorities[-1].append(certificate.public_bytes(serialization.Encoding.PEM).decode("ascii"))
    return tuple(tuple(chain) for chain in authorities)


def _published(purpose: PublicKey.Purpose) -> list[PublicKey]:
    return list(PublicKey.objects.filter(purpose=purpose).order_by("published_at", "text_sha256"))


def _distrusted(rows: Sequence[PublicKey]) -> list[PublicKey]:
    """Those whose key is distrusted, under whichever vkey that was said."""
    distrusted = {row.key_sha256 for row in rows if row.distrusted_from is not None}
    return [row for row in rows if row.key_sha256 in distrusted]


def _issued_at(rows: Sequence[PublicKey]) -> datetime:
    """The time of the last entry about a key, moved on where entries follow one another within a second.

    So the same keys give the same file every time, and each change of a key a later time than any before.
    """
    # What waits is read first: an entry that gets its position meanwhile is then read twice, and never missed.
    waiting = PendingEntry.objects.filter(event_type__in=_KEY_EVENTS).order_by("pk")
    waiting_times = dict(waiting.values_list("entry_id", "recorded_at"))
    placed = LedgerEntry.objects.filter(event_type__in=_KEY_EVENTS, request_id=None).order_by("position")
    times = dict(placed.values_list("entry_id", "recorded_at"))
    issued_at = datetime.min.replace(tzinfo=UTC)
    for at in (times | waiting_times).values():
        issued_at = max(_to_second(at), issued_at + timedelta(seconds=1))
    return max(issued_at, *(_to_second(row.published_at) for row in rows))


def _to_second(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)


def _evidence_key(row: PublicKey) -> EvidenceKey:
    return EvidenceKey.of(
        dsse.load_public_key(row.text.encode()),
        _to_second(row.valid_from),
        None if row.valid_until is None else _to_second(row.valid_until),
        None if row.distrusted_from is None else _to_second(row.distrusted_from),
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TrustFileError(f"{path} cannot be read: {error.strerror}.") from error
