"""Tells controllers: one notice for each new status, one delivery of it for each address, in one transaction.

Next: compliance/outbound/kinds/opendsr_callback.py
"""

from datetime import UTC, datetime

from compliance.controllers import reporting
from compliance.controllers.models import ControllerRequest, StatusNotice
from compliance.controllers.queries import KIND
from compliance.outbound import steps
from compliance.outbound.models import Delivery
from compliance.requests.models import Channel, DeletionRequest


def state_changed(request: DeletionRequest) -> list[Delivery]:
    """Owe the controller of a locked request its callbacks, if the status that it was told last is not true any more.

    Nothing and no query for other channels. A step that the protocol has no word for (from review to a question, from
    one phase of the work to the next) is no change of its status.
    """
    if request.channel != Channel.OPENDSR:
        return []
    row = ControllerRequest.objects.select_related("controller").filter(request=request).first()
    if row is None:
        # It is being taken in: the answer to its creation tells its first status.
        return []
    standing = reporting.standing_of(request)
    if standing.status == row.status_told:
        return []
    ControllerRequest.objects.filter(pk=row.pk).update(status_told=standing.status)
    notice = _notice(row, standing)
    if not row.controller.is_active:
        return []
    return [steps.create(KIND, notice.pk, url) for url in row.callback_urls]


def _notice(row: ControllerRequest, standing: reporting.Standing) -> StatusNotice:
    return StatusNotice.objects.create(
        controller_request=row,
        number=row.notices.count() + 1,
        occurred_at=datetime.now(tz=UTC),
        status=standing.status,
        request_state=standing.state,
        refusal_code=standing.refusal_code,
        exceptions=list(standing.exceptions),
        due_at=standing.due_at,
        evidence_leaves=list(standing.evidence_leaves),
        results_until=standing.results_until,
    )
