"""A key may be in the wrong hands: what it signed from a moment on is relied upon no more, whatever it says."""

from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Q

from compliance.evidence import canonical
from compliance.ledger.actors import SYSTEM, Actor
from compliance.ledger.errors import KeyStateError
from compliance.ledger.models import PublicKey
from compliance.ledger.record import record_event

# The database takes no time of a key from before it.
FIRST_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)


@transaction.atomic
def distrust_key(key_sha256: str, *, distrusted_from: datetime, actor: Actor = SYSTEM) -> None:
    """Distrust a key from a past moment on, to the second. Only an earlier moment can replace one given before.

    Raises KeyStateError for a key that is not published, for a moment to come or before FIRST_MOMENT, and for a later
    one than before.
    """
    rows = list(PublicKey.objects.select_for_update().filter(key_sha256=key_sha256))
    if not rows:
        raise KeyStateError(f"No key {key_sha256} was published. `manage.py keys list` shows those that were.")
    if distrusted_from > datetime.now(tz=UTC):
        raise KeyStateError("A key is distrusted from a moment on that has passed. To plan its end, rotate it.")
    if distrusted_from < FIRST_MOMENT:
        raise KeyStateError(f"Expected a moment from {canonical.format_time(FIRST_MOMENT)} on: no key here is older.")
    known = [row.distrusted_from for row in rows if row.distrusted_from is not None]
    since = min([distrusted_from.replace(microsecond=0), *known])
    if len(known) == len(rows) and max(known) <= since:
        raise KeyStateError(
            f"The key {key_sha256} is distrusted from {canonical.format_time(since)} on already. Only an earlier "
            "moment can be given: distrust is never taken back."
        )
    later = Q(distrusted_from=None) | Q(distrusted_from__gt=since)
    PublicKey.objects.filter(later, key_sha256=key_sha256).update(distrusted_from=since)
    facts = {"purpose": rows[0].purpose, "key_sha256": key_sha256, "distrusted_from": canonical.format_time(since)}
    record_event("key.distrusted", actor=actor, facts=facts)
