"""The key files of this installation and their published public halves."""

from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import transaction

from compliance.evidence import checkpoint, signing
from compliance.ledger.actors import SYSTEM
from compliance.ledger.models import PublicKey
from compliance.ledger.record import record_event


def ledger_key() -> Ed25519PrivateKey:
    """The key that signs checkpoints. Only the sequencer process needs to be able to read it."""
    return signing.load_log_key(settings.LEDGER_KEY_PATH)


def evidence_signer() -> signing.EvidenceSigner:
    """The key that signs evidence. Only workers need to be able to read it."""
    return signing.EvidenceSigner.from_file(settings.EVIDENCE_KEY_PATH)


def create_missing() -> list[Path]:
    """Make the key files that are not there yet (owner-readable only); returns those made."""
    made = []
    for path, generate in (
        (settings.LEDGER_KEY_PATH, signing.generate_log_key),
        (settings.EVIDENCE_KEY_PATH, signing.generate_evidence_key),
    ):
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            generate(path)
            made.append(path)
    return made


def publish_checkpoint_key() -> PublicKey:
    """Publish the vkey of this log."""
    public = ledger_key().public_key()
    digest = signing.public_key_sha256(public)
    return _publish(PublicKey.Purpose.CHECKPOINT, digest, checkpoint.vkey(settings.LEDGER_ORIGIN, public))


def publish_evidence_key() -> PublicKey:
    """Publish the PEM of the key that signs evidence."""
    signer = evidence_signer()
    return _publish(PublicKey.Purpose.EVIDENCE, signer.keyid, signer.public_key_pem.decode())


@transaction.atomic
def _publish(purpose: PublicKey.Purpose, key_sha256: str, text: str) -> PublicKey:
    row, created = PublicKey.objects.get_or_create(
        key_sha256=key_sha256, defaults={"purpose": purpose, "text": text, "published_at": datetime.now(tz=UTC)}
    )
    if created:
        record_event("key.published", actor=SYSTEM, facts={"purpose": purpose.value, "key_sha256": key_sha256})
    return row
