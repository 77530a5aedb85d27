"""A person who was erased is remembered by a token, so that old copies of the data cannot bring the person back.

The entry in the ledger is that of the sign-off which calls this: one of its own would tie the token to the request.
"""

from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db import transaction

from compliance.registry.pseudonyms import pseudonym_of
from compliance.suppression.models import SuppressionToken
from compliance.suppression.registering import hold_registrations
from compliance.suppression.tokens import token_of


@transaction.atomic
def suppress(kind: str, canonical_value: str) -> None:
    """Remember the person; again, for as long as if it were the first time. Tokens that have expired are dropped.

    Raises ValueError for an identifier that has no canonical spelling.
    """
    hold_registrations()
    today = datetime.now(tz=UTC).date()
    token = token_of(pseudonym_of(kind, canonical_value))
    SuppressionToken.objects.filter(expires_on__lt=today).delete()
    remember(token, created_on=today, expires_on=_last_day(today))


def remember(token: str, *, created_on: date, expires_on: date | None) -> bool:
    """Store a token, or keep the later end of one that is there. Whether it is new."""
    row, is_new = SuppressionToken.objects.get_or_create(
        token=token, defaults={"created_on": created_on, "expires_on": expires_on}
    )
    if not is_new and row.expires_on is not None and (expires_on is None or expires_on > row.expires_on):
        row.expires_on = expires_on
        row.save(update_fields=["expires_on"])
    return is_new


def _last_day(today: date) -> date | None:
    return today + timedelta(days=settings.SUPPRESSION_DAYS) if settings.SUPPRESSION_DAYS else None
