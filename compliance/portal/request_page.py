"""Everything the page of one request shows, and which forms stand on it: made from the transition table, never by hand."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from compliance.ledger.actors import STAFF_ROLES, Role
from compliance.portal import narrative, scope_preview, target_cards
from compliance.portal.access import Viewer
from compliance.portal.forms import ApprovalForm, RefusalForm, SignOffForm, WithdrawalForm, form_of
from compliance.portal.narrative import REASONS, STANDINGS, WORKING, Standing, Step
from compliance.portal.scope_preview import ScopePreview
from compliance.portal.target_cards import TargetCard
from compliance.requests import queries, scope, transitions
from compliance.requests.identities import VaultError
from compliance.requests.models import DeletionRequest
from compliance.requests.queries import TimelineEntry
from compliance.requests.states import TRANSITIONS, UNSETTLED, RequestState, TargetState

BUNDLE_ROLES = (Role.AUDITOR, Role.DPO)
_PREFIX = 12


@dataclass(frozen=True, kw_only=True)
class Actions:
    """Which of the things that can be done now this viewer may do. `own_decision` is why a signature is refused."""

    approve: bool
    refuse: bool
    withdraw: bool
    retry: bool
    sign_off: bool
    own_decision: bool


@dataclass(frozen=True, kw_only=True)
class RequestPage:
    """The page. `forms` are by the name of their action; a form that was refused comes back with its errors."""

    deletion: DeletionRequest
    standing: Standing
    steps: list[Step]
    pseudonym: str
    attention: str
    actions: Actions
    forms: dict[str, Any]
    scope: ScopePreview | None
    concerned: list[TargetCard]
    unconcerned: list[str]
    timeline: list[TimelineEntry]
    may_export: bool
    is_working: bool


def roles_into(state: RequestState) -> tuple[Role, ...]:
    """The staff roles that can ever bring a request into this state."""
    roles = {role for (_, to), allowed in TRANSITIONS.items() if to is state for role in allowed}
    return tuple(role for role in STAFF_ROLES if role in roles)


def build(deletion: DeletionRequest, viewer: Viewer, forms: dict[str, Any] | None = None) -> RequestPage:
    """The page for this viewer; `forms` replaces blank forms by filled-in ones. Writes nothing."""
    state = RequestState(deletion.state)
    cards = target_cards.cards(deletion)
    actions = _actions(deletion, viewer, _repeatable(deletion, cards))
    timeline = queries.timeline(deletion.pk)
    attention = _attention(timeline) if state is RequestState.ATTENTION else ""
    return RequestPage(
        deletion=deletion,
        standing=STANDINGS[state],
        steps=narrative.steps(state, attention),
        pseudonym=_pseudonym(deletion),
        attention=REASONS.get(attention, f"The reason recorded is “{attention}”.") if attention else "",
        actions=actions,
        forms={**_blank_forms(), **(forms or {})},
        scope=scope_preview.preview(deletion) if actions.approve else None,
        concerned=[card for card in cards if card.target.state != TargetState.NOT_PRESENT],
        unconcerned=[card.target.model.name for card in cards if card.target.state == TargetState.NOT_PRESENT],
        timeline=timeline,
        may_export=viewer.has_any(BUNDLE_ROLES),
        is_working=state in WORKING,
    )


def _blank_forms() -> dict[str, Any]:
    return {
        "approve": form_of(ApprovalForm),
        "refuse": form_of(RefusalForm),
        "withdraw": form_of(WithdrawalForm),
        "sign_off": form_of(SignOffForm),
    }


def _actions(deletion: DeletionRequest, viewer: Viewer, is_repeatable: bool) -> Actions:
    open_to_viewer = {to for to in transitions.allowed(deletion) if viewer.has_any(_roles(deletion, to))}
    own_decision = deletion.decided_by is not None and deletion.decided_by == viewer.ledger_id()
    may_sign_off = RequestState.COMPLETED in open_to_viewer
    return Actions(
        # Work that failed under an unchanged scope is tried again; approving it anew would change nothing.
        approve=RequestState.APPROVED in open_to_viewer and not is_repeatable,
        refuse=RequestState.REFUSED in open_to_viewer,
        withdraw=RequestState.WITHDRAWN in open_to_viewer,
        retry=RequestState.EXECUTING in open_to_viewer and is_repeatable,
        sign_off=may_sign_off and not own_decision,
        own_decision=may_sign_off and own_decision,
    )


def _roles(deletion: DeletionRequest, to: RequestState) -> Collection[Role]:
    return TRANSITIONS[RequestState(deletion.state), to]


def _repeatable(deletion: DeletionRequest, cards: list[TargetCard]) -> bool:
    """Whether work failed that may succeed as it was approved: the scope is the same, and there is a plan."""
    is_planned = deletion.state == RequestState.ATTENTION and deletion.policy_id is not None
    has_failed = any(card.target.state in UNSETTLED for card in cards)
    try:
        return is_planned and has_failed and not scope.has_drifted(deletion)
    except VaultError:
        # The page is shown all the same; the scope preview says what is wrong.
        return False


def _pseudonym(deletion: DeletionRequest) -> str:
    """The start of the person's pseudonym; "" where no identity is kept. The identity itself is never read."""
    vault = getattr(deletion, "vault", None)
    return "" if vault is None else str(vault.pseudonym)[:_PREFIX]


def _attention(timeline: list[TimelineEntry]) -> str:
    """The code of the newest reason; "" when there is none."""
    reasons = [str(entry.facts["reason"]) for entry in timeline if entry.event_type == "request.attention"]
    return reasons[-1] if reasons else ""
