"""A proof is tried, recorded, and judged against the level that this controller needs.

A proof below it is an entry, too, and the request goes on waiting for a better one. Nothing of what was shown is kept.
"""

import uuid
from datetime import UTC, datetime

from django.conf import settings
from django.db import transaction

from compliance.evidence.leaf import FactValue
from compliance.identity import catalogue
from compliance.identity.method import Method, Shown
from compliance.ledger.actors import Actor, Role
from compliance.requests import clocks, links, transitions
from compliance.requests.dispatch import after_commit
from compliance.requests.errors import ForbiddenActorError, IdentityError, StateError
from compliance.requests.letters import owe
from compliance.requests.models import DeletionRequest, IdentityChallenge, Letter
from compliance.requests.states import RequestState

WAITING = frozenset({RequestState.RECEIVED, RequestState.IDENTITY_PENDING})


def confirm(request_id: uuid.UUID, *, method: str, actor: Actor, shown: Shown) -> DeletionRequest:
    """Move to review, or record a proof that is not enough yet: the state tells, and `still_needed` says what is.

    Raises NotFoundError, StateError (not waiting for a proof, or one of this level is held already),
    ForbiddenActorError, InvalidInputError, NotOfferedError, and IdentityError for a proof that fails. That one is
    raised after the commit: raising must not give a spent try back.
    """
    used = catalogue.named(method)
    request = _try(request_id, used, actor, shown)
    if request is None:
        raise IdentityError(used.refusal)
    return request


def still_needed(request: DeletionRequest) -> str:
    """What the person is told while a proof is missing; empty once the identity is proven."""
    if request.state not in WAITING:
        return ""
    ways = [method.invitation for method in catalogue.open_to(Role.SUBJECT, settings.IDENTITY_LEVEL)]
    ways.append("ask the controller to check your identity another way")
    proven = f"Proven so far: level {request.identity_level}. " if request.identity_level else ""
    return f"{proven}Level {settings.IDENTITY_LEVEL} is needed. You can {', or '.join(ways)}."


@transaction.atomic
def _try(request_id: uuid.UUID, method: Method, actor: Actor, shown: Shown) -> DeletionRequest | None:
    request = transitions.locked(request_id)
    _refuse_unless_possible(request, method, actor)
    level = method.prove(request, shown)
    if level == 0:
        return None
    _accept(request, method, level, actor)
    return request


def _refuse_unless_possible(request: DeletionRequest, method: Method, actor: Actor) -> None:
    if actor.role not in method.roles:
        names = ", ".join(sorted(role.value for role in method.roles))
        raise ForbiddenActorError(
            f"The identity method {method.name!r} takes the role {names}; you act as {actor.role}."
        )
    if request.state not in WAITING:
        raise StateError(f"The request is {request.get_state_display()!r}: no proof of identity is expected.")
    _refuse_no_gain(request, method.level)


def _refuse_no_gain(request: DeletionRequest, level: int) -> None:
    # Where the needed level was lowered meanwhile, any proof moves the request on.
    if level <= request.identity_level < settings.IDENTITY_LEVEL:
        raise StateError(f"That level is proven already. {still_needed(request)}")


def _accept(request: DeletionRequest, method: Method, level: int, actor: Actor) -> None:
    _refuse_no_gain(request, level)
    facts: dict[str, FactValue] = {"method": method.name, "level": level}
    proven = max(level, request.identity_level)
    if proven >= settings.IDENTITY_LEVEL:
        transitions.move(
            request,
            RequestState.UNDER_REVIEW,
            "request.identity_confirmed",
            actor=actor,
            facts=facts,
            changes={"identity_level": proven},
        )
        clocks.resume(request, datetime.now(tz=UTC))
        links.link_duplicate(request, actor=actor)
        after_commit("search_sources", request.pk)
        if not IdentityChallenge.objects.filter(request=request).exists():
            # Whoever was mailed a code was told of the receipt in that mail.
            owe(request, Letter.Kind.RECEIPT)
    else:
        transitions.note(request, "request.identity_confirmed", actor=actor, facts=facts)
        DeletionRequest.objects.filter(pk=request.pk).update(identity_level=proven)
        request.identity_level = proven
    IdentityChallenge.objects.filter(request=request).delete()
