"""Whom the person is told about: the recipients that were told, by name (Art. 19 GDPR, second sentence)."""

from compliance.recipients.models import Notice, NoticeStatus
from compliance.requests.models import DeletionRequest

_TOLD = (NoticeStatus.SENT, NoticeStatus.ACKNOWLEDGED)


def names(request: DeletionRequest) -> tuple[str, ...]:
    """In the order of the alphabet, each once."""
    rows = Notice.objects.filter(request=request, status__in=_TOLD).order_by("recipient__name")
    return tuple(rows.values_list("recipient__name", flat=True).distinct())
