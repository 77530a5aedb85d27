"""A key goes out of use: what it signs from a moment on is not relied upon."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from compliance.evidence import canonical
from compliance.ledger.actors import SYSTEM, Actor
from compliance.ledger.errors import KeyStateError
from compliance.ledger.models import PublicKey
from compliance.ledger.record import record_event


@transaction.atomic
def retire_key(key_sha256: str, *, valid_until: datetime, actor: Actor = SYSTEM) -> None:
    """End the validity of a key, to the second; for a key that signed several logs, of all its vkeys.

    Only an earlier end can replace one given before. Raises KeyStateError for a key that is not published, and for an
    end that is not earlier.
    """
    rows = list(PublicKey.objects.select_for_update().filter(key_sha256=key_sha256))
    if not rows:
        raise KeyStateError(f"No key {key_sha256} was published. `manage.py keys list` shows those that were.")
    ends = [row.valid_until for row in rows if row.valid_until is not None]
    until = min([valid_until.replace(microsecond=0), *ends])
    if len(ends) == len(rows) and max(ends) <= until:
        raise KeyStateError(
            f"The key {key_sha256} is retired from {canonical.format_time(until)} on already. Only an earlier end can "
            "be given."
        )
    later = Q(valid_until=None) | Q(valid_until__gt=until)
    PublicKey.objects.filter(later, key_sha256=key_sha256).update(valid_until=until)
    facts = {"purpose": rows[0].purpose, "key_sha256": key_sha256, "valid_until": canonical.format_time(until)}
    record_event("key.retired", actor=actor, facts=facts)
