"""Notices, found and locked for a change: the request first, as every other action does."""

import uuid

from django.db.models import Q

from compliance.recipients.models import Notice, NoticeStatus, Recipient
from compliance.requests import transitions
from compliance.requests.errors import NotFoundError, StateError
from compliance.requests.models import DeletionRequest, SubjectVault
from compliance.requests.states import RequestState


def locked(notice_id: uuid.UUID) -> Notice:
    """The notice with its request, both locked until the transaction ends; raises NotFoundError."""
    request_id = Notice.objects.filter(pk=notice_id).values_list("request_id", flat=True).first()
    if request_id is None:
        raise NotFoundError(f"There is no notice {notice_id}.")
    request = transitions.locked(request_id)
    notice = Notice.objects.select_for_update(of=("self",), no_key=True).select_related("recipient").get(pk=notice_id)
    notice.request = request
    return notice


def locked_recipient(recipient_id: uuid.UUID) -> Recipient:
    """The recipient, its row locked; raises NotFoundError, and StateError for one that is retired."""
    # Without the key: whoever owes it a notice has locked a request, and must not wait for this.
    recipient = Recipient.objects.select_for_update(no_key=True).filter(pk=recipient_id).first()
    if recipient is None:
        raise NotFoundError(f"There is no recipient {recipient_id}.")
    if not recipient.is_active:
        raise StateError(f"The recipient {recipient.name} is retired. Register a new one.")
    return recipient


def locked_owed(recipient: Recipient) -> list[Notice]:
    """The notices that are owed to this recipient, their requests locked; and with them the other requests in `signoff`,
    whose recipients are gone through next: all at once, in the order of everybody who locks several."""
    owed = Notice.objects.filter(recipient=recipient, status=NoticeStatus.OWED)
    rows = DeletionRequest.objects.select_for_update(no_key=True).filter(
        Q(state=RequestState.SIGNOFF) | Q(pk__in=owed.values("request"))
    )
    locked_ids = list(rows.order_by("pk").values_list("pk", flat=True))
    return list(owed.filter(request__in=locked_ids).select_related("recipient"))


def is_shredded(notice: Notice) -> bool:
    """Whether nobody knows any more whom the notice is about."""
    return SubjectVault.objects.filter(request=notice.request_id).exclude(shredded_at=None).exists()


def refuse_shredded(notice: Notice) -> None:
    """Raises StateError: without the request's key nothing can be committed to or sealed."""
    if is_shredded(notice):
        raise StateError("The request was shredded: of its recipients, only acknowledgements can still be received.")
