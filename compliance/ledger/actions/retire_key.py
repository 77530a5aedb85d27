"""A key goes out of use: what it signs from a moment on is not relied upon."""

from datetime import datetime

from django.db import transaction

from compliance.evidence import canonical
from compliance.ledger.actors import SYSTEM, Actor
from compliance.ledger.errors import KeyStateError
from compliance.ledger.models import PublicKey
from compliance.ledger.record import record_event


@transaction.atomic
def retire_key(key_sha256: str, *, valid_until: datetime, actor: Actor = SYSTEM) -> None:
    """End the validity of a key, to the second; for a key that signed several logs, of all its vkeys.

    Raises KeyStateError for a key that is not published, or retired already.
    """
    rows = list(PublicKey.objects.select_for_update().filter(key_sha256=key_sha256))
    if not rows:
        raise KeyStateError(f"No key {key_sha256} was published. `manage.py keys list` shows those that were.")
    if all(row.valid_until is not None for row in rows):
        raise KeyStateError(f"The key {key_sha256} is retired already.")
    until = valid_until.replace(microsecond=0)
    PublicKey.objects.filter(key_sha256=key_sha256, valid_until=None).update(valid_until=until)
    facts = {"purpose": rows[0].purpose, "key_sha256": key_sha256, "valid_until": canonical.format_time(until)}
    record_event("key.retired", actor=actor, facts=facts)
