"""Staff let a notice be sent again, after its delivery was given up."""

import logging
import uuid

from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.outbound import steps
from compliance.outbound.models import Delivery, DeliveryStatus
from compliance.recipients import locking, notices, permissions, progress
from compliance.recipients.models import Notice, NoticeStatus
from compliance.requests.errors import StateError

logger = logging.getLogger(__name__)


@transaction.atomic
def send_again(notice_id: uuid.UUID, *, actor: Actor) -> Notice:
    """The notice, on its way to the address that its recipient has now.

    Raises NotFoundError, ForbiddenActorError, and StateError while it is on its way, once it is not owed any more, and
    without an address.
    """
    permissions.refuse_but(permissions.STAFF, actor)
    # The delivery is locked before the request, in the order of the engine's own record.
    rows = Delivery.objects.select_for_update(no_key=True).filter(kind=notices.KIND, subject_id=notice_id)
    deliveries = {delivery.url: delivery for delivery in rows.order_by("created_at")}
    notice = locking.locked(notice_id)
    locking.refuse_shredded(notice)
    if notice.status != NoticeStatus.OWED or not notice.recipient.url:
        raise StateError("Only a notice that is owed, to a recipient with an address, can be sent again.")
    last = deliveries.get(notice.recipient.url)
    if last is not None and last.status == DeliveryStatus.PENDING:
        raise StateError("The notice is on its way: it is tried again by itself.")
    if last is None:
        notices.deliver(notice)
    else:
        steps.reopen(last.pk)
    progress.begun_anew(notice)
    logger.info("notice %s: sent again by %s %s", notice.pk, actor.role.value, actor.id)
    return notice
