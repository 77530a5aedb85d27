"""Who may write which entry: the verifier's table refuses everybody else, and says what the service's own checks say."""

import uuid
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.controllers import permissions as controllers
from compliance.evidence import bundle, leaf, signing
from compliance.evidence.errors import ActorRoleError, ExitCode
from compliance.evidence.leaf import FACTS, ROLES, WITHOUT_REQUEST, Event
from compliance.evidence.position import Position
from compliance.evidence.roles import ROLES_OF, refuse_other_role
from compliance.identity import catalogue
from compliance.ledger.actors import Actor, Role
from compliance.outbound import permissions as webhooks
from compliance.recipients import permissions as recipients
from compliance.recipients.actions.declare_impossible import declare_impossible
from compliance.recipients.actions.record_acknowledged import record_acknowledged
from compliance.recipients.actions.record_told import record_told
from compliance.requests.actions.except_model import except_model
from compliance.requests.actions.extend import extend
from compliance.requests.actions.hold_model import hold_model
from compliance.requests.actions.include_model import include_model
from compliance.requests.actions.release_model import release_model
from compliance.requests.actions.unveil import unveil
from compliance.requests.errors import ForbiddenActorError, RequestError
from compliance.requests.states import MOVES, WORK, RequestState
from compliance.suppression.actions.lift import LIFTERS
from tests.compliance import cast

from .edits import code_of
from .export_edits import code_of_export, told
from .export_story import lay_out
from .ledgers import Ledger
from .registered import RegisteredLedger, own_event
from .story import MODEL_A, START, STEPS, SYSTEM, Story

# --- Refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event_type", ROLES_OF)
def test_an_entry_of_any_other_role_is_refused(event_type: str) -> None:
    for role in ROLES:
        event = Event(event_type, None, None, START, role, SYSTEM, {})
        if role in ROLES_OF[event_type]:
            refuse_other_role(Position(1, 7), event)
        else:
            with pytest.raises(ActorRoleError, match=rf"Entry 7 of log 1 \({event_type}\).* {role}; expected "):
                refuse_other_role(Position(1, 7), event)


def by_an_operator(entry: bytes) -> bytes:
    return leaf.build(leaf.parse(entry)._replace(actor_role="operator"))


OWN_ENTRIES: dict[str, dict[str, Any]] = {
    "key.published": {"purpose": "evidence", "key_sha256": "a" * 64},
    "key.retired": {"purpose": "evidence", "key_sha256": "a" * 64, "valid_until": "2027-01-01T00:00:00Z"},
    "key.distrusted": {"purpose": "evidence", "key_sha256": "a" * 64, "distrusted_from": "2026-01-01T00:00:00Z"},
    "model.registered": {"model": MODEL_A, "family": "analytic_classifier"},
    "version.registered": {
        "model": MODEL_A,
        "version_sha256": "b" * 64,
        "records_commitment": "a" * 64,
        "n_records": 500,
    },
    "version.destroyed": {"model": MODEL_A, "version_sha256": "b" * 64},
}


@pytest.mark.parametrize("event_type", OWN_ENTRIES)
def test_an_export_in_which_staff_speak_for_the_service_is_refused(
    event_type: str, log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, tmp_path: Path
) -> None:
    forged = by_an_operator(own_event(event_type, **OWN_ENTRIES[event_type]))
    export = told(RegisteredLedger(log_key, first=[forged]), signer=signer)
    assert code_of_export(lay_out(export.files(), tmp_path), export.trust) is ExitCode.ACTOR_ROLE


def test_a_log_that_staff_opened_is_refused(
    log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner, tmp_path: Path
) -> None:
    class OpenedLedger(Ledger):
        def opening(self) -> Event:
            return super().opening()._replace(actor_role="operator")

    ledger = OpenedLedger(log_key)
    story = Story(log_key=log_key, signer=signer, ledger=ledger, steps=(*STEPS[:4], "turn_year", *STEPS[4:]))
    export = told(ledger, signer=signer)
    assert code_of(bundle.write(story.contents())) is ExitCode.ACTOR_ROLE
    assert code_of_export(lay_out(export.files(), tmp_path), export.trust) is ExitCode.ACTOR_ROLE


# --- The service says the same --------------------------------------------------------------------------------------


def test_every_entry_has_roles_that_there_are() -> None:
    assert set(ROLES_OF) == set(FACTS)
    assert set().union(*ROLES_OF.values()) <= ROLES == {role.value for role in Role}
    assert all(ROLES_OF.values())


#: Entries that move no request, or not only: who may write them is said by `CHECKED`, or by nobody.
UNMOVED = frozenset(
    {
        *("request.received", "request.extended", "request.linked", "request.notified", "request.unveiled"),
        *("request.model_excepted", "request.model_included", "request.model_held", "request.model_released"),
        *("request.recipient_notified", "request.recipient_acknowledged", "request.recipient_impossible"),
        *("request.shredded", "job.started", "job.failed", "findings.recorded"),
    }
)


def test_the_roles_of_a_move_are_those_of_the_table_of_states() -> None:
    moving: dict[str, set[str]] = defaultdict(set)
    for move in MOVES:
        moving[move.event] |= {role.value for role in move.roles}
    work = moving.pop(WORK)
    assert moving == {name: roles for name, roles in ROLES_OF.items() if name not in UNMOVED | WITHOUT_REQUEST}
    for event_type in ("job.started", "job.recorded", "job.failed", "findings.recorded"):
        assert ROLES_OF[event_type] == work


def test_an_identity_is_confirmed_by_those_whom_a_method_allows() -> None:
    allowed = {role.value for method in catalogue.installed().values() for role in method.roles}
    assert ROLES_OF["request.identity_confirmed"] == allowed
    # Whoever confirms is told of an earlier request of the same person; and a complaint is the person's own.
    assert ROLES_OF["request.linked"] == allowed


NOTICE, MODEL, DIGEST = uuid.uuid4(), uuid.uuid4(), "a" * 64
Action = Callable[[uuid.UUID, Actor], object]
# Entry → the action that writes it, beside the service itself where it does so, too.
CHECKED: dict[str, Action] = {
    "request.model_excepted": lambda request, actor: except_model(
        request, actor=actor, model_id=MODEL, reason="art17_3_e", words="A suit."
    ),
    "request.model_included": lambda request, actor: include_model(request, actor=actor, model_id=MODEL),
    "request.model_held": lambda request, actor: hold_model(
        request, actor=actor, model_id=MODEL, reason="legal_claims"
    ),
    "request.model_released": lambda request, actor: release_model(request, actor=actor, model_id=MODEL),
    "request.extended": lambda request, actor: extend(request, actor=actor, reason="complexity"),
    "request.unveiled": lambda request, actor: unveil(request, actor=actor, reason="audit"),
    "request.recipient_impossible": lambda request, actor: declare_impossible(
        NOTICE, actor=actor, reason="impossible", words="It is gone."
    ),
    "request.recipient_notified": lambda request, actor: record_told(
        NOTICE, actor=actor, told_date=datetime.now(tz=UTC).date()
    ),
    "request.recipient_acknowledged": lambda request, actor: record_acknowledged(
        NOTICE, actor=actor, result="erased", document_sha256=DIGEST
    ),
}
BY_THE_SERVICE_TOO = frozenset({"request.recipient_notified", "request.recipient_acknowledged"})


@pytest.mark.django_db
@pytest.mark.parametrize("event_type", CHECKED)
def test_an_action_lets_those_roles_pass_that_may_write_its_entry(event_type: str) -> None:
    request = cast.brought_to(RequestState.UNDER_REVIEW).request
    allowed = {role.value for role in Role if _lets_pass(CHECKED[event_type], request.pk, role)}
    assert allowed == ROLES_OF[event_type] - ({"system"} if event_type in BY_THE_SERVICE_TOO else set())


def _lets_pass(action: Action, request_id: uuid.UUID, role: Role) -> bool:
    """What is wrong beside the role does not matter: the model or the notice is not there."""
    try:
        action(request_id, Actor(role=role, id=uuid.uuid4()))
    except ForbiddenActorError:
        return False
    except RequestError:
        return True
    return True


#: Nobody is asked for a role where the code alone decides who acts.
UNCHECKED: dict[str, set[str]] = {
    "request.received": {"subject"},
    "request.notified": {"system"},
    "request.shredded": {"system"},
} | {name: {"system"} for name in WITHOUT_REQUEST if name.partition(".")[0] in ("key", "log", "model", "version")}
#: The registers beside that of the models: what the name of an entry begins with → who may change them.
REGISTRARS = {
    "controller": controllers.MANAGERS,
    "recipient": recipients.REGISTRARS,
    "suppression": LIFTERS,
    "webhook": webhooks.MANAGERS,
}


def test_the_registers_are_changed_by_those_whom_the_service_lets() -> None:
    registers = {name: roles for name, roles in ROLES_OF.items() if name in WITHOUT_REQUEST - set(UNCHECKED)}
    assert {name.partition(".")[0] for name in registers} == set(REGISTRARS)
    for name, roles in registers.items():
        assert roles == {role.value for role in REGISTRARS[name.partition(".")[0]]}


def test_every_entry_that_moves_nothing_is_looked_at() -> None:
    with_work = {"job.started", "job.failed", "findings.recorded", "request.linked"}
    assert set(CHECKED) | set(UNCHECKED) | with_work >= UNMOVED
    assert {name: ROLES_OF[name] for name in UNCHECKED} == UNCHECKED
