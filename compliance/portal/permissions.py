"""What a viewer may do with a request now: read off the transition tables, so that a button is there for whom it works.

What is no move of a request has its roles and states in its action. A test presses every button in every state to see
that none leads to a refusal.
"""

from dataclasses import dataclass

from compliance.identity import proving
from compliance.identity.methods import manual
from compliance.ledger.actors import STAFF_ROLES, Role
from compliance.portal.access import Viewer
from compliance.requests import scope
from compliance.requests.actions import hold_model, search_again
from compliance.requests.actions.except_model import DECIDABLE
from compliance.requests.actions.refuse import has_forgotten
from compliance.requests.actions.sign_off import deciders
from compliance.requests.identities import VaultError
from compliance.requests.models import DeletionRequest, Target
from compliance.requests.states import (
    MOVES,
    TARGET_TRANSITIONS,
    TO_BE_JUDGED,
    TO_BE_MADE,
    UNSETTLED,
    RequestState,
    TargetState,
)

BUNDLE_ROLES = (Role.AUDITOR, Role.DPO)
EXTENDERS = EXCEPTERS = UNVEILERS = (Role.DPO,)
HOLDERS = hold_model.STAFF
SEARCHERS = search_again.STAFF
PROVERS = tuple(role for role in STAFF_ROLES if role in manual.method.roles)
#: Who reads what was written about a request: it may name the person.
READERS = (Role.OPERATOR, Role.DPO)
_COMPLETIONS = frozenset({"request.completed", "request.partly_completed"})
_BUSY = TO_BE_MADE | TO_BE_JUDGED


@dataclass(frozen=True, kw_only=True)
class Actions:
    """Which of the things that can be done now this viewer may do. `own_decision` is why a signature is refused."""

    confirm_identity: bool
    unveil: bool
    approve: bool
    refuse: bool
    withdraw: bool
    ask_question: bool
    settle_question: bool
    extend: bool
    retry: bool
    sign_off: bool
    own_decision: bool


@dataclass(frozen=True, kw_only=True)
class ModelActions:
    """The same for one model of a request."""

    may_except: bool
    may_include: bool
    may_hold: bool
    may_release: bool

    @property
    def has_any(self) -> bool:
        """Whether there is something to press."""
        return self.may_except or self.may_include or self.may_hold or self.may_release


def roles_for(*events: str) -> tuple[Role, ...]:
    """The staff roles that can ever move a request by one of these events."""
    roles = {role for move in MOVES if move.event in events for role in move.roles}
    return tuple(role for role in STAFF_ROLES if role in roles)


def actions(deletion: DeletionRequest, viewer: Viewer, *, is_extendable: bool, is_identity_kept: bool) -> Actions:
    """What stands on the page.

    `is_extendable` tells whether the law and the dates allow an extension now, `is_identity_kept` whether there is an
    identity to be read.
    """
    state = RequestState(deletion.state)
    events = {move.event for move in MOVES if move.old is state and viewer.has_any(move.roles)}
    may_sign_off = bool(events & _COMPLETIONS)
    own_decision = may_sign_off and viewer.ledger_id() in deciders(deletion)
    is_repeatable = state is RequestState.ATTENTION and _is_repeatable(deletion)
    return Actions(
        confirm_identity=state in proving.WAITING and viewer.has_any(PROVERS),
        unveil=is_identity_kept and viewer.has_any(UNVEILERS),
        # Work that failed under an unchanged scope is tried again; approving it anew would change nothing.
        approve="request.approved" in events and not is_repeatable,
        refuse="request.refused" in events and not has_forgotten(deletion),
        withdraw="request.withdrawn" in events,
        ask_question="request.question_asked" in events,
        settle_question="request.question_answered" in events,
        extend=is_extendable and viewer.has_any(EXTENDERS),
        retry="request.retried" in events and is_repeatable,
        sign_off=may_sign_off and not own_decision,
        own_decision=own_decision,
    )


def may_touch_models(deletion: DeletionRequest, viewer: Viewer) -> bool:
    """Whether this viewer can do something with single models of this request now."""
    return deletion.state in hold_model.HOLDABLE and viewer.has_any(HOLDERS)


def model_actions(deletion: DeletionRequest, viewer: Viewer, target: Target | None, n_records: int) -> ModelActions:
    """What this viewer may do with one model, which holds so many records, where `may_touch_models` allows anything."""
    is_officer, is_staff = viewer.has_any(EXCEPTERS), viewer.has_any(HOLDERS)
    state = None if target is None else TargetState(target.state)
    return ModelActions(
        may_except=is_officer and n_records > 0 and _is_exceptable(deletion, state),
        may_include=is_officer and state is TargetState.EXCEPTED and deletion.state in DECIDABLE,
        may_hold=is_staff and n_records > 0 and _is_holdable(deletion, state),
        may_release=is_staff and state is TargetState.HELD,
    )


def is_on_hold(deletion: DeletionRequest) -> bool:
    """Whether the work has come to models on hold, and to nothing else that a worker could do."""
    states = {TargetState(target.state) for target in deletion.targets.all()}
    is_executing = deletion.state == RequestState.EXECUTING
    return is_executing and TargetState.HELD in states and not states & _BUSY


def _is_exceptable(deletion: DeletionRequest, state: TargetState | None) -> bool:
    if deletion.state == RequestState.EXECUTING:
        return state is TargetState.HELD and is_on_hold(deletion)
    return deletion.state in DECIDABLE and _can_become(TargetState.EXCEPTED, state)


def _is_holdable(deletion: DeletionRequest, state: TargetState | None) -> bool:
    if state is None and deletion.state == RequestState.EXECUTING:
        # Nobody approved that this model is changed: there is nothing to stop.
        return False
    return deletion.state in hold_model.HOLDABLE and _can_become(TargetState.HELD, state)


def _can_become(wanted: TargetState, state: TargetState | None) -> bool:
    return state is None or (state, wanted) in TARGET_TRANSITIONS


def _is_repeatable(deletion: DeletionRequest) -> bool:
    """Whether work failed that may succeed as it was approved: the scope is the same, and there is a plan."""
    has_failed = any(target.state in UNSETTLED for target in deletion.targets.all())
    try:
        return deletion.policy_id is not None and has_failed and not scope.has_drifted(deletion)
    except VaultError:
        # The page is shown all the same; the scope preview says what is wrong.
        return False
