"""The trust file of this installation: its published keys, and whom else an auditor is asked to rely on."""

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from django.conf import settings

from compliance.evidence import dsse, witness_policy
from compliance.evidence.errors import TrustFileError
from compliance.evidence.trust import EvidenceKey, Trust
from compliance.ledger.models import PublicKey


def current_trust() -> Trust:
    """What an auditor should pin from now on.

    The vkey of a distrusted log key is named only beside a witness policy: alone, whoever has the key could show
    another log under it. Raises TrustFileError when no key is published yet, or a configured file cannot be read.
    """
    policy = witness_policy_text()
    logs = PublicKey.objects.filter(purpose=PublicKey.Purpose.CHECKPOINT).order_by("published_at", "text_sha256")
    keys = PublicKey.objects.filter(purpose=PublicKey.Purpose.EVIDENCE).order_by("published_at", "text_sha256")
    vkeys = tuple(row.text for row in logs if row.distrusted_from is None or policy is not None)
    if not vkeys or not keys:
        raise TrustFileError(
            "A key is not published yet. The log's is with its first checkpoint (`manage.py checkpointer`), the "
            "evidence key with `manage.py keys create evidence`."
        )
    return Trust(
        # The last key that came: the same installation gives the same file, and the same fingerprint, every time.
        issued_at=max(row.published_at for row in (*logs, *keys)).astimezone(UTC).replace(microsecond=0),
        log_vkeys=vkeys,
        evidence_keys=tuple(_evidence_key(row) for row in keys),
        timestamp_authorities=timestamp_authorities(),
        witness_policy_text=policy,
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


def _evidence_key(row: PublicKey) -> EvidenceKey:
    return EvidenceKey.of(
        dsse.load_public_key(row.text.encode()),
        row.valid_from.replace(microsecond=0),
        _whole_second(row.valid_until),
        _whole_second(row.distrusted_from),
    )


def _whole_second(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(microsecond=0)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TrustFileError(f"{path} cannot be read: {error.strerror}.") from error
