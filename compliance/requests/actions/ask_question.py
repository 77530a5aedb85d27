"""Staff ask the person for what is needed to find their data (Art. 11(2), 12(6) GDPR); the clock shows the pause.

The question itself is sealed with the request, and mailed. The ledger holds a commitment to it.
"""

import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.evidence import commitment
from compliance.ledger.actors import Actor
from compliance.requests import clocks, identities, transitions
from compliance.requests.errors import InvalidInputError
from compliance.requests.letters import owe
from compliance.requests.models import DeletionRequest, Letter, PauseReason, SealedNote
from compliance.requests.states import RequestState

MAX_CHARACTERS = 4_000


@transaction.atomic
def ask_question(request_id: uuid.UUID, *, actor: Actor, question: str) -> DeletionRequest:
    """Wait for the person's answer; raises InvalidInputError, NotFoundError, StateError or ForbiddenActorError."""
    text = written(question, "question")
    request = transitions.locked(request_id)
    now = datetime.now(tz=UTC)
    committed = commitment.commit(identities.commitment_key(request.vault), "question", {"text": text})
    transitions.move(
        request,
        RequestState.INFO_REQUESTED,
        "request.question_asked",
        actor=actor,
        facts={"commitment": committed},
    )
    seal(request, SealedNote.Kind.QUESTION, text, now)
    clocks.pause(request, PauseReason.QUESTION, now)
    owe(request, Letter.Kind.QUESTION)
    return request


def written(text: str, what: str) -> str:
    """The text without space around it; raises InvalidInputError for none and for too much."""
    stripped = text.strip()
    if not stripped or len(stripped) > MAX_CHARACTERS or "\x00" in stripped:
        raise InvalidInputError(
            f"{what}: expected 1 to {MAX_CHARACTERS} characters of text, found {len(stripped)}."
            + (" It holds a null character." if "\x00" in stripped else "")
        )
    return stripped


def seal(
    request: DeletionRequest, kind: SealedNote.Kind, text: str, now: datetime, model_id: uuid.UUID | None = None
) -> None:
    """Keep words that may name the person under the request's own key."""
    sealed = identities.seal_note(request.vault, text)
    SealedNote.objects.create(request=request, kind=kind, model_id=model_id, sealed_text=sealed, created_at=now)
