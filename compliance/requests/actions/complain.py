"""The person says that a model still knows them. What is closed stays closed: it becomes a new request, linked to the old.

What the model said, and to which question, is sealed with the new request for those who look into it. Opinion 28/2024
of the EDPB, paragraph 107, names such reports among what a controller should offer.
"""

import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.ledger.actors import subject_of
from compliance.requests import identities, transitions
from compliance.requests.actions.ask_question import seal, written
from compliance.requests.actions.submit import Submitted, submit
from compliance.requests.errors import StateError
from compliance.requests.links import link
from compliance.requests.models import LinkReason, SealedNote


@transaction.atomic
def complain(request_id: uuid.UUID, *, text: str, channel: str) -> Submitted:
    """A new request of the same person, with a token of its own; identity is proven anew.

    Raises InvalidInputError, NotFoundError, and StateError while the request is open or once it was shredded.
    """
    said = written(text, "text")
    earlier = transitions.locked(request_id)
    if earlier.closed_at is None:
        raise StateError("The request is still open. What you write about it belongs into it: answer there, or wait.")
    if earlier.vault.shredded_at is not None:
        raise StateError("Whose request this was is not known any more. Please make a new request.")
    submitted = submit(
        identifier_kind=earlier.vault.identifier_kind,
        identifier_value=identities.identifier(earlier.vault),
        ground=earlier.ground,
        regulation=earlier.regulation,
        channel=channel,
        locale=earlier.locale,
    )
    request = submitted.request
    seal(request, SealedNote.Kind.COMPLAINT, said, datetime.now(tz=UTC))
    link(request, earlier, LinkReason.COMPLAINT, actor=subject_of(request.pk))
    return submitted
