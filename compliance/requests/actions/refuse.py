"""The DPO refuses, on a ground the law gives (Art. 17(3), 12(5), 12(6), 11 GDPR); the person is told why and where to complain."""

import uuid
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Q

from compliance.evidence.verdict import Result
from compliance.ledger.actors import Actor
from compliance.registry.models import DataSource
from compliance.requests import transitions
from compliance.requests.actions.ask_question import seal, written
from compliance.requests.choices import chosen
from compliance.requests.errors import NotReadyError, StateError
from compliance.requests.letters import owe
from compliance.requests.models import DeletionRequest, Letter, RefusalReason, SealedNote
from compliance.requests.scope import SETTLED
from compliance.requests.states import RequestState

_PASSED = (Result.PASSED.value, Result.WARNED.value)


@transaction.atomic
def refuse(request_id: uuid.UUID, *, actor: Actor, reason: str, words: str = "") -> DeletionRequest:
    """Refuse the whole request; `words` are the facts behind the reason, and go into the letter.

    Raises InvalidInputError, NotFoundError, ForbiddenActorError, StateError once a model forgot the person, and
    NotReadyError for a person who is said to be unidentifiable before the sources were searched."""
    given = chosen(RefusalReason, "reason", reason)
    request = transitions.locked(request_id)
    if has_forgotten(request):
        raise StateError("A model has forgotten the person for this request already; it cannot be refused any more.")
    if given == RefusalReason.NOT_IDENTIFIABLE:
        _refuse_without_search(request)
    now = datetime.now(tz=UTC)
    if words:
        seal(request, SealedNote.Kind.REASONS, written(words, "words"), now)
    transitions.move(
        request,
        RequestState.REFUSED,
        "request.refused",
        actor=actor,
        facts={"reason": given.value},
        changes={"refusal_reason": given, "decided_by": actor.id, "decided_at": now, "closed_at": now},
    )
    owe(request, Letter.Kind.REFUSED)
    return request


def has_forgotten(request: DeletionRequest) -> bool:
    """Whether a model was verified without the person for this request, also one that learned them again since."""
    return request.targets.filter(Q(state__in=SETTLED) | Q(evidence__result__in=_PASSED)).exists()


def _refuse_without_search(request: DeletionRequest) -> None:
    """Whoever says that a person cannot be found has to show that they looked (Art. 11(2), 12(2) GDPR)."""
    searched = request.searches.filter(failure="").values("data_source")
    unsearched = DataSource.objects.exclude(declaration=None).exclude(pk__in=searched).order_by("name").first()
    if unsearched is not None:
        raise NotReadyError(
            f"The data source {unsearched.name} was not searched for this person, or could not be read. A worker looks "
            "by itself; see its log if this stays. Without a search nobody can say that the person is not identifiable."
        )
