"""Access tokens that have ended are deleted: a row of one opens nothing, and only grows the table."""

from datetime import datetime

from oauth2_provider.models import AccessToken


def forget_expired(now: datetime) -> None:
    """Delete those whose time is over. Client credentials make no tokens that could renew them."""
    AccessToken.objects.filter(expires__lte=now).delete()
