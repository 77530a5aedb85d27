"""The person answers, or staff go on without an answer: the request is under review again, and the pause is over."""

import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.requests import clocks, transitions
from compliance.requests.actions.ask_question import seal, written
from compliance.requests.models import DeletionRequest, SealedNote
from compliance.requests.states import RequestState


@transaction.atomic
def answer_question(request_id: uuid.UUID, *, actor: Actor, answer: str) -> DeletionRequest:
    """Back to review; raises InvalidInputError, NotFoundError, StateError or ForbiddenActorError."""
    text = written(answer, "answer")
    request = transitions.locked(request_id)
    now = datetime.now(tz=UTC)
    transitions.move(request, RequestState.UNDER_REVIEW, "request.question_answered", actor=actor, facts={})
    seal(request, SealedNote.Kind.ANSWER, text, now)
    clocks.resume(request, now)
    return request
