"""The public half of a key becomes known: from now on signatures of this key can be relied on."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import transaction

from compliance.evidence import checkpoint, dsse
from compliance.ledger.actors import SYSTEM, Actor
from compliance.ledger.models import PublicKey
from compliance.ledger.record import record_event

# The clock of a time stamp authority may be behind ours.
CLOCK_TOLERANCE = timedelta(minutes=5)


@transaction.atomic
def publish_key(purpose: PublicKey.Purpose, text: str, *, actor: Actor = SYSTEM) -> PublicKey:
    """Publish the vkey of a log, or the PEM of a key that signs evidence. Repeating it changes nothing.

    What was said about the key under another vkey, that it is retired or distrusted, holds for this one as well. Raises CheckpointKeyError or MalformedFileError for another text.
    """
    now = datetime.now(tz=UTC).replace(microsecond=0)
    key_sha256 = _fingerprint(purpose, text)
    same = list(PublicKey.objects.select_for_update().filter(key_sha256=key_sha256))
    row, is_new = PublicKey.objects.get_or_create(
        text_sha256=sha256(text.encode()).hexdigest(),
        defaults={
            "key_sha256": key_sha256,
            "purpose": purpose,
            "text": text,
            "published_at": now,
            "valid_from": now - CLOCK_TOLERANCE,
            "valid_until": min((each.valid_until for each in same if each.valid_until), default=None),
            "distrusted_from": min((each.distrusted_from for each in same if each.distrusted_from), default=None),
        },
    )
    if is_new:
        record_event("key.published", actor=actor, facts={"purpose": purpose.value, "key_sha256": row.key_sha256})
    return row


def _fingerprint(purpose: PublicKey.Purpose, text: str) -> str:
    if purpose is PublicKey.Purpose.EVIDENCE:
        return dsse.public_key_sha256(dsse.load_public_key(text.encode()))
    return dsse.public_key_sha256(Ed25519PublicKey.from_public_bytes(checkpoint.parse_vkey(text).public_key_bytes))
