"""Whether every recipient was told, before a request may be completed (Art. 19 GDPR)."""

from django.conf import settings
from django.db.models import QuerySet

from compliance.recipients import notices
from compliance.recipients.models import Notice, NoticeStatus
from compliance.requests.errors import NotReadyError
from compliance.requests.models import DeletionRequest
from compliance.requests.states import RequestState


def unfinished(request: DeletionRequest) -> QuerySet[Notice]:
    """Notices that keep a request open: those owed, and where EXPUNGE_RECIPIENT_ACK_REQUIRED says so those unanswered."""
    open_ones = [NoticeStatus.OWED]
    if settings.RECIPIENT_ACK_REQUIRED:
        open_ones.append(NoticeStatus.SENT)
    return Notice.objects.filter(request=request, status__in=open_ones).select_related("recipient")


def undecided() -> QuerySet[Notice]:
    """Notices that only staff can bring further: delivery was given up, or there is no address. Oldest first.

    Once a request is shredded nothing can be said about it any more.
    """
    owed = Notice.objects.filter(status=NoticeStatus.OWED, request__vault__shredded_at=None)
    owed = owed.select_related("recipient", "request")
    return (owed.exclude(gave_up_at=None) | owed.filter(recipient__url="")).order_by("created_at", "id")


def refuse_unfinished(request: DeletionRequest) -> None:
    """Raises NotReadyError while a recipient of a request in SIGNOFF was not told, and no reason was given why not."""
    if request.state != RequestState.SIGNOFF:
        return
    names = [notice.recipient.name for notice in unfinished(request)]
    if names:
        raise NotReadyError(
            f"Recipients still to be told, or to answer: {', '.join(names)}. Wait for the delivery, record that they were "
            "told by other means, or declare it impossible with the reason (Art. 19 GDPR)."
        )
    missing = [recipient.name for recipient in notices.not_owed(request)]
    if missing:
        raise NotReadyError(
            f"No notice is owed yet to: {', '.join(missing)}. Run `manage.py recipients owe`, and wait for the delivery."
        )
