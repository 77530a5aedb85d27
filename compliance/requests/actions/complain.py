"""The person says that a model still knows them. What is closed stays closed: it becomes a new request, linked to the old.

What the model said, and to which question, is sealed with the new request (submit.py).
"""

import uuid

from django.db import transaction

from compliance.ledger.actors import subject_of
from compliance.requests import identities, retention, transitions
from compliance.requests.actions.ask_question import written
from compliance.requests.actions.submit import Submitted, submit
from compliance.requests.errors import StateError
from compliance.requests.links import link
from compliance.requests.models import DeletionRequest, LinkReason


@transaction.atomic
def complain(request_id: uuid.UUID, *, text: str, channel: str) -> Submitted:
    """A new request of the same person, with a token of its own; identity is proven anew.

    Raises InvalidInputError, NotFoundError, and StateError for what `refusal` says.
    """
    said = written(text, "text")
    earlier = transitions.locked(request_id)
    refused = refusal(earlier)
    if refused is not None:
        raise StateError(refused)
    submitted = submit(
        identifier_kind=earlier.vault.identifier_kind,
        identifier_value=identities.identifier(earlier.vault),
        ground=earlier.ground,
        regulation=earlier.regulation,
        channel=channel,
        locale=earlier.locale,
        said=said,
    )
    request = submitted.request
    link(request, earlier, LinkReason.COMPLAINT, actor=subject_of(request.pk))
    return submitted


def refusal(request: DeletionRequest) -> str | None:
    """Why no complaint about this request can be made, in words; None where one can. For pages that offer it, too."""
    if request.closed_at is None:
        return "The request is still open. What you write about it belongs into it: answer there, or wait."
    if retention.is_unproven(request):
        # It is shredded at once (retention.py), and a complaint that is linked to it would put that off.
        return "Nobody proved that this request was theirs, so no model was changed for it. Please make a new request."
    if request.vault.shredded_at is not None:
        return "Whose request this was is not known any more. Please make a new request."
    return None
