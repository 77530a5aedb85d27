"""Proofs against the level that is needed: what is refused, what is recorded and not enough, what moves a request on."""

import json
import logging
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from pytest_django import Settings

from compliance.identity import proving
from compliance.identity.errors import NotOfferedError
from compliance.identity.methods.manual import LEVEL_BY_MEANS, Means
from compliance.identity.openid.sign_in import Pending
from compliance.ledger.actors import SYSTEM, Actor, Role, controller, subject_of
from compliance.ledger.models import PendingEntry
from compliance.requests.actions.ask_for_code import ask_for_code
from compliance.requests.actions.confirm_by_controller import confirm_by_controller
from compliance.requests.actions.confirm_by_sign_in import confirm_by_sign_in
from compliance.requests.actions.confirm_identity import confirm_identity
from compliance.requests.actions.confirm_identity_manually import confirm_identity_manually
from compliance.requests.actions.request_identity import mark_code_sent
from compliance.requests.actions.submit import submit
from compliance.requests.errors import (
    ForbiddenActorError,
    IdentityError,
    InvalidInputError,
    NotFoundError,
    NotReadyError,
    StateError,
)
from compliance.requests.models import DeletionRequest, IdentityChallenge
from compliance.requests.states import TERMINAL, RequestState
from tests.compliance import cast

pytestmark = pytest.mark.django_db

OPERATOR, DPO = (
    Actor(role=role, id=uuid.UUID(int=number, version=4)) for number, role in enumerate((Role.OPERATOR, Role.DPO))
)
CONTROLLER = controller(uuid.UUID(int=7, version=4))
NEVER_BEGUN = Pending(request_id="", redirect_url="", state="", nonce="", code_verifier="", begun_at=0)


def waiting(email: str = cast.ALICE) -> DeletionRequest:
    return cast.brought_to(RequestState.IDENTITY_PENDING, email).request


def from_a_controller() -> DeletionRequest:
    return submit(identifier_kind="email", identifier_value=cast.ALICE, channel="opendsr").request


def confirmations(request: DeletionRequest) -> list[dict[str, object]]:
    rows = PendingEntry.objects.filter(request_id=request.pk, event_type="request.identity_confirmed").order_by("pk")
    return [json.loads(bytes(row.leaf))["facts"] for row in rows]


Confirm = Callable[[uuid.UUID, Actor], DeletionRequest]
#: Each way to prove, with who may not use it.
WAYS: dict[str, tuple[Confirm, tuple[Actor, ...]]] = {
    "manual": (
        lambda request_id, actor: confirm_identity_manually(request_id, actor=actor, means="in_person"),
        (SYSTEM, CONTROLLER, subject_of(uuid.uuid4()), Actor(role=Role.AUDITOR, id=uuid.uuid4())),
    ),
    "controller": (
        lambda request_id, actor: confirm_by_controller(request_id, actor=actor),
        (SYSTEM, OPERATOR, DPO, subject_of(uuid.uuid4())),
    ),
    "email_code": (
        lambda request_id, actor: confirm_identity(request_id, actor=actor, code=cast.mail_code(request_id)),
        (SYSTEM, OPERATOR, DPO, CONTROLLER),
    ),
}
REFUSED_ROLES = [
    pytest.param(confirm, actor, id=f"{name} by {actor.role}")
    for name, (confirm, actors) in WAYS.items()
    for actor in actors
]


@pytest.mark.parametrize(("confirm", "actor"), REFUSED_ROLES)
def test_a_method_takes_its_own_roles_alone(confirm: Confirm, actor: Actor) -> None:
    request = waiting()
    with pytest.raises(ForbiddenActorError):
        confirm(request.pk, actor)
    assert confirmations(request) == []


@pytest.mark.parametrize("means", ["", "passport scan", "I know her", "IN_PERSON"])
def test_means_that_are_not_on_the_list_are_refused_and_not_repeated(
    means: str, caplog: pytest.LogCaptureFixture
) -> None:
    request = waiting()
    with pytest.raises(InvalidInputError) as refused:
        confirm_identity_manually(request.pk, actor=OPERATOR, means=means)
    assert not means or means not in str(refused.value) + caplog.text
    assert confirmations(request) == []


def test_a_request_that_is_not_there_has_no_identity() -> None:
    with pytest.raises(NotFoundError):
        confirm_identity_manually(uuid.uuid4(), actor=OPERATOR, means="in_person")
    with pytest.raises(NotFoundError):
        confirm_by_controller(uuid.uuid4(), actor=CONTROLLER)


def test_nobody_signs_in_where_no_provider_is_named(settings: Settings) -> None:
    settings.OIDC_ISSUER = ""
    request = waiting()
    with pytest.raises(NotOfferedError):
        confirm_by_sign_in(request.pk, actor=subject_of(request.pk), pending=NEVER_BEGUN, answer={})


@pytest.mark.parametrize("state", [RequestState.UNDER_REVIEW, RequestState.WITHDRAWN, RequestState.REFUSED])
def test_a_request_that_waits_for_no_proof_takes_none(state: RequestState) -> None:
    request = cast.brought_to(state).request
    with pytest.raises(StateError):
        confirm_identity_manually(request.pk, actor=OPERATOR, means="in_person")
    with pytest.raises(StateError):
        confirm_by_controller(request.pk, actor=CONTROLLER)
    assert len(confirmations(request)) == 1
    assert proving.still_needed(request) == ""


def test_a_proof_below_the_level_is_recorded_and_the_request_goes_on_waiting(settings: Settings) -> None:
    settings.IDENTITY_LEVEL, settings.OIDC_ISSUER = 2, "https://issuer.example"
    request = waiting()
    confirmed = confirm_identity(request.pk, actor=subject_of(request.pk), code=cast.mail_code(request.pk))
    assert (confirmed.state, confirmed.identity_level) == (RequestState.IDENTITY_PENDING, 1)
    assert confirmations(request) == [{"method": "email_code", "level": 1}]
    told = proving.still_needed(confirmed)
    assert "level 1" in told and "Level 2 is needed" in told and "sign in" in told and "code" not in told
    request.refresh_from_db()
    assert request.identity_level == 1
    assert request.pauses.get().until_at is None, "the person is still waited for"


def test_the_same_level_is_not_proven_twice(settings: Settings) -> None:
    settings.IDENTITY_LEVEL = 3
    request = waiting()
    confirm_identity_manually(request.pk, actor=OPERATOR, means="called_back")
    with pytest.raises(StateError, match="proven already"):
        confirm_identity_manually(request.pk, actor=DPO, means="customer_account")
    with pytest.raises(StateError, match="Level 3 is needed"):
        confirm_identity(request.pk, actor=subject_of(request.pk), code="0000000000")
    with pytest.raises(StateError, match="Level 3 is needed"):
        ask_for_code(request.pk)
    assert confirmations(request) == [{"method": "manual", "level": 2}]
    assert confirm_identity_manually(request.pk, actor=DPO, means="in_person").state == RequestState.UNDER_REVIEW
    assert confirmations(request)[1:] == [{"method": "manual", "level": 3}]


def test_a_level_that_was_lowered_meanwhile_takes_the_same_proof_again(settings: Settings) -> None:
    settings.IDENTITY_LEVEL = 2
    request = waiting()
    cast.prove(request.pk)
    settings.IDENTITY_LEVEL = 1
    ask = cast.mail_code(request.pk)
    assert confirm_identity(request.pk, actor=subject_of(request.pk), code=ask).state == RequestState.UNDER_REVIEW


@pytest.mark.parametrize("means", Means)
def test_the_means_of_staff_give_the_level_and_nothing_else_is_recorded(settings: Settings, means: Means) -> None:
    settings.IDENTITY_LEVEL = level = LEVEL_BY_MEANS[means]
    request = waiting()
    confirmed = confirm_identity_manually(request.pk, actor=OPERATOR, means=means.value)
    assert (confirmed.state, confirmed.identity_level) == (RequestState.UNDER_REVIEW, level)
    assert confirmations(request) == [{"method": "manual", "level": level}]


def test_every_means_has_a_level_that_is_a_check_by_staff() -> None:
    assert set(LEVEL_BY_MEANS) == set(Means)
    assert set(LEVEL_BY_MEANS.values()) == {2, 3}


def test_a_controller_that_passes_a_request_on_vouches_for_the_person() -> None:
    request = from_a_controller()
    confirmed = confirm_by_controller(request.pk, actor=CONTROLLER)
    assert (confirmed.state, confirmed.identity_level) == (RequestState.UNDER_REVIEW, 2)
    assert confirmations(request) == [{"method": "controller", "level": 2}]
    assert not request.pauses.exists(), "nobody was waited for"


def test_where_a_controllers_word_is_not_enough_staff_check_and_nobody_is_mailed(settings: Settings) -> None:
    settings.IDENTITY_LEVEL = 3
    request = from_a_controller()
    assert confirm_by_controller(request.pk, actor=CONTROLLER).state == RequestState.RECEIVED
    assert confirmations(request) == [{"method": "controller", "level": 2}]
    assert cast.mail_code(request.pk) == "", (
        "a code proves less than the controller's word, and the person has no way in"
    )
    request.refresh_from_db()
    assert request.state == RequestState.IDENTITY_PENDING
    assert request.pauses.get().until_at is None
    assert not IdentityChallenge.objects.exists()
    assert confirm_identity_manually(request.pk, actor=DPO, means="video_call").state == RequestState.UNDER_REVIEW


def test_the_clock_stands_while_a_proof_is_waited_for() -> None:
    request = cast.ask().request
    assert not request.pauses.exists()
    cast.mail_code(request.pk)
    cast.mail_code(request.pk)
    pause = request.pauses.get()
    assert (pause.reason, pause.until_at) == ("identity", None)
    cast.prove(request.pk)
    pause.refresh_from_db()
    assert pause.until_at is not None
    request.refresh_from_db()
    assert request.identity_level == 1


def test_a_strangers_earlier_request_does_not_keep_the_owner_from_proving_theirs() -> None:
    """A competitor's requests that were classed as duplicates lost their way to a proof."""
    strangers = [cast.ask().request for _ in range(3)]
    for stranger in strangers[:2]:
        cast.mail_code(stranger.pk)
        mark_code_sent(stranger.pk)
    for _ in range(5):
        with pytest.raises(IdentityError):
            confirm_identity(strangers[0].pk, actor=subject_of(strangers[0].pk), code="0000000000")
    mine = cast.ask().request
    cast.prove(mine.pk)
    mine.refresh_from_db()
    assert mine.state == RequestState.UNDER_REVIEW
    assert {row.state for row in DeletionRequest.objects.exclude(pk=mine.pk)}.isdisjoint(TERMINAL)


def test_strangers_who_ask_later_never_take_the_owners_turn(settings: Settings) -> None:
    settings.IDENTITY_CODES_PER_HOUR = 2
    for _ in range(2):
        stranger = cast.ask().request
        cast.mail_code(stranger.pk)
        mark_code_sent(stranger.pk)
    mine = cast.ask().request
    late = [cast.ask().request for _ in range(4)]
    with pytest.raises(NotReadyError):
        cast.mail_code(mine.pk)
    IdentityChallenge.objects.update(sent_at=datetime.now(tz=UTC) - timedelta(hours=2))
    for request in late[1:]:
        with pytest.raises(NotReadyError):
            cast.mail_code(request.pk)
    cast.prove(mine.pk)


def test_one_request_does_not_flood_its_address(settings: Settings) -> None:
    settings.IDENTITY_CODES_PER_HOUR = 3
    request = cast.ask().request
    for _ in range(3):
        cast.mail_code(request.pk)
        mark_code_sent(request.pk)
        ask_for_code(request.pk)
    with pytest.raises(NotReadyError, match="codes"):
        cast.mail_code(request.pk)


def test_a_code_ends_when_its_time_is_over_whatever_a_cache_still_holds() -> None:
    """A competitor's codes stayed valid past their end, as a cache was trusted to forget them."""
    request = waiting()
    code = cast.mail_code(request.pk)
    challenge = IdentityChallenge.objects.get(request=request)
    for key in (str(request.pk), f"identity-code|{request.pk}", challenge.code_hmac):
        cache.set(key, code, timeout=None)
    IdentityChallenge.objects.update(expires_at=datetime.now(tz=UTC) - timedelta(microseconds=1))
    with pytest.raises(IdentityError):
        confirm_identity(request.pk, actor=subject_of(request.pk), code=code)
    assert IdentityChallenge.objects.get(request=request).attempts_left == challenge.attempts_left
    cache.clear()


def test_a_proof_leaves_no_trace_of_the_person(caplog: pytest.LogCaptureFixture, settings: Settings) -> None:
    settings.IDENTITY_LEVEL = 2
    request = waiting()
    with caplog.at_level(logging.DEBUG, logger="compliance"):
        cast.prove(request.pk)
        confirm_identity_manually(request.pk, actor=OPERATOR, means="customer_account")
    assert "customer_account" in caplog.text
    assert cast.MARK not in caplog.text
    assert all(cast.MARK.encode() not in bytes(row.leaf) for row in PendingEntry.objects.all())
