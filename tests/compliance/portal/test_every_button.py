"""Each button on the page of a request does what it says: in every state, and with models excepted and on hold."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from compliance.ledger.actors import Role
from compliance.registry.models import RegisteredModel
from compliance.requests.errors import ScopeDriftError
from compliance.requests.models import HoldReason, RefusalReason
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.portal.browsing import address, page_of, seen, signed_in

pytestmark = pytest.mark.django_db

#: The last part of an address → a form filled in well. The scope of an approval is taken from the page.
FILLED_IN = {
    "confirm-identity": {"means": "in_person"},
    "unveil": {"reason": "audit"},
    "search-again": {},
    "approve": {"ground": "art17_1_b"},
    "refuse": {"reason": "art12_6"},
    "withdraw": {"confirmed": "on"},
    "ask-question": {"question": "Under which name?"},
    "settle-question": {"answer": "They called."},
    "extend": {"reason": "number_of_requests"},
    "retry": {},
    "sign-off": {"confirmed": "on"},
    "except": {"reason": RefusalReason.LEGAL_CLAIMS.value, "words": "A suit is pending."},
    "include": {},
    "hold": {"reason": HoldReason.TECHNICAL.value},
    "release": {},
}


def model(name: str) -> uuid.UUID:
    return RegisteredModel.objects.get(name=name).pk


def in_review(*steps: Callable[[uuid.UUID], object]) -> uuid.UUID:
    """A request under review, and then these steps."""
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    for step in steps:
        step(request_id)
    return request_id


def held(name: str) -> Callable[[uuid.UUID], object]:
    return lambda request_id: cast.hold(request_id, model(name))


def excepted(name: str) -> Callable[[uuid.UUID], object]:
    return lambda request_id: cast.leave_out(request_id, model(name))


def approved_and_planned(request_id: uuid.UUID) -> None:
    cast.decide(request_id)
    cast.make_plan(request_id)


def one_passes_and_one_fails(request_id: uuid.UUID) -> None:
    first, _ = cast.queued_jobs(request_id)
    cast.run_job(first)
    cast.break_down(request_id)


def stopped_by_a_late_model(request_id: uuid.UUID) -> None:
    cast.model_of("late", cast.ALICE)
    with pytest.raises(ScopeDriftError):
        cast.second_signature(request_id)


SCENES: dict[str, Callable[[], uuid.UUID]] = {
    **{state.value: lambda state=state: cast.brought_to(state).request.pk for state in RequestState},  # type: ignore[misc]
    "one excepted": lambda: in_review(excepted("ranking")),
    "all excepted": lambda: in_review(excepted("ranking"), excepted("spam-filter")),
    "one held": lambda: in_review(held("ranking")),
    "one held while the person is asked": lambda: in_review(held("ranking"), cast.ask_back),
    "one held and approved": lambda: in_review(held("ranking"), cast.decide),
    "one held while another works": lambda: in_review(held("ranking"), approved_and_planned),
    "one held after the other passed": lambda: in_review(held("ranking"), approved_and_planned, cast.work),
    "all held": lambda: in_review(held("ranking"), held("spam-filter"), approved_and_planned),
    "one failed after the other passed": lambda: in_review(approved_and_planned, one_passes_and_one_fails),
    "one held after a failure": lambda: in_review(approved_and_planned, cast.break_down, held("ranking")),
    "one excepted after a failure": lambda: in_review(approved_and_planned, cast.break_down, excepted("ranking")),
    "taken back after a failure": lambda: in_review(
        approved_and_planned,
        cast.break_down,
        excepted("ranking"),
        lambda request_id: cast.take_in(request_id, model("ranking")),
    ),
    "a late model stopped the signature": lambda: in_review(approved_and_planned, cast.work, stopped_by_a_late_model),
    "withdrawn with a hold": lambda: in_review(held("ranking"), cast.take_back),
    "more time was taken": lambda: in_review(cast.take_more_time),
}


def press(client: Client, action: str, scope: str) -> str:
    """Send the form of this address; the text of the error on the next page, or nothing."""
    data = dict(FILLED_IN[action.rstrip("/").rsplit("/", 1)[-1]])
    # An identity is shown after the commit of its entry alone, so that reading cannot be undone here.
    with nullcontext() if "unveil" in action else undone():
        response = client.post(action, {**data, "scope": scope}, follow=True)
        errors = page_of(response).all("li", role="alert")
        return page_of(response).text if errors or response.status_code != 200 else ""


@contextmanager
def undone() -> Iterator[None]:
    """The next button meets what this one met."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def someone(*roles: Role) -> User:
    return cast.staff("dora", *roles)


@pytest.mark.parametrize("roles", [(Role.OPERATOR,), (Role.DPO,), (Role.DPO, Role.OPERATOR)], ids=str)
@pytest.mark.parametrize("scene", SCENES)
def test_no_button_leads_to_a_refusal(scene: str, roles: tuple[Role, ...]) -> None:
    cast.model_of("spam-filter", cast.ALICE)
    cast.model_of("ranking", cast.ALICE)
    cast.model_of("churn", cast.CHARLIE)
    request_id = SCENES[scene]()
    client = signed_in(someone(*roles))
    page = seen(client, f"{address('request', request_id)}?reload=off")
    assert page.problems == []
    scope = next((field.attributes["value"] for field in page.all("input", name="scope")), "")
    actions = [form.attributes["action"] for form in page.all("form") if "logout" not in form.attributes["action"]]
    assert {action: press(client, action, scope) for action in actions} == dict.fromkeys(actions, "")


@pytest.mark.parametrize("scene", SCENES)
def test_an_auditor_has_no_button_in_any_scene(scene: str) -> None:
    cast.model_of("spam-filter", cast.ALICE)
    cast.model_of("ranking", cast.ALICE)
    url = address("request", SCENES[scene]())
    assert seen(signed_in(cast.audrey()), f"{url}?reload=off").actions() == {"logout"}
