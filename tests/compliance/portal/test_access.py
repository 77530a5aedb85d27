"""Who sees what: signed out, without a role, in the wrong role, in the right one."""

import uuid
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from compliance.ledger.actors import Role
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.portal.browsing import act, address, everything, page_of, seen, signed_in, state_of

pytestmark = pytest.mark.django_db

ACTS = (
    "confirm_identity",
    "unveil",
    "search_again",
    "approve",
    "refuse",
    "withdraw",
    "retry",
    "sign_off",
    "ask_question",
    "settle_question",
    "extend",
)
ON_MODELS = ("except_model", "include_model", "hold_model", "release_model")
SOMEWHERE = uuid.UUID("00000000-0000-4000-8000-0000000000ff")


def addresses(request_id: uuid.UUID) -> list[str]:
    """Every address of the portal behind the sign-in."""
    lists = [reverse(f"portal:{name}") for name in ("requests", "models", "deliveries", "ledger")]
    pages = [address(name, request_id) for name in ("request", "bundle")]
    return [*lists, *pages, *acts(request_id), "/models/spam-filter/"]


def acts(request_id: uuid.UUID) -> list[str]:
    """Every address of an act on this request."""
    return [act_address(name, request_id) for name in (*ACTS, *ON_MODELS)]


def act_address(name: str, request_id: uuid.UUID) -> str:
    """The address of an act; where it is one on a model, on some model."""
    return address(name, request_id, SOMEWHERE if name in ON_MODELS else None)


def test_it_sends_anonymous_visitors_to_the_sign_in_page() -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    before = everything()
    answers = {url: Client().get(url) for url in addresses(request_id)}
    answers |= {f"{url}#": Client().post(url) for url in acts(request_id)}
    for url, response in answers.items():
        assert response.status_code == 302, url
        assert response["Location"] == f"{reverse('portal:login')}?next={url.rstrip('#')}"
    assert everything() == before


def test_it_does_not_tell_anonymous_visitors_which_requests_exist() -> None:
    known = cast.ask().request.pk
    answers = [Client().get(address("request", request_id)) for request_id in (known, SOMEWHERE)]
    assert {answer.status_code for answer in answers} == {302}


def test_an_account_without_a_role_is_told_whom_to_ask() -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    client = signed_in(cast.staff("erin"))
    for url in addresses(request_id):
        page = seen(client, url, status=403)
        assert "Ask the administrator" in page.text, url
        assert str(request_id) not in page.html.replace(url, "")
        assert page.problems == []
        assert "logout" in page.actions()


@pytest.mark.parametrize(
    ("role", "name"),
    [
        pytest.param(role, name, id=f"{role} {name}")
        for role, names in {
            Role.OPERATOR: ("unveil", "approve", "refuse", "bundle", "extend", "except_model", "include_model"),
            Role.AUDITOR: (*ACTS, *ON_MODELS),
        }.items()
        for name in names
    ],
)
def test_it_refuses_the_wrong_role(role: Role, name: str) -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    client = signed_in(cast.staff("eve", role))
    method = client.get if name == "bundle" else client.post
    before = everything()
    response = method(act_address(name, request_id))
    assert response.status_code == 403
    assert "another role" in page_of(response).text
    assert page_of(response).problems == []
    assert everything() == before


@pytest.mark.parametrize("url", ["/models/", "/models/spam-filter/", "/deliveries/"])
def test_it_shows_auditors_no_models_and_no_deliveries(url: str) -> None:
    cast.model_of("spam-filter", cast.ALICE)
    client = signed_in(cast.audrey())
    assert "Operator or Data protection officer" in seen(client, url, status=403).text
    for link in ("/models/", "/deliveries/"):
        assert not seen(client, reverse("portal:requests")).all("a", href=link)


@pytest.mark.parametrize("state", RequestState)
def test_an_auditor_has_nothing_to_press(state: RequestState) -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(state).request.pk
    page = seen(signed_in(cast.audrey()), address("request", request_id))
    assert page.actions() == {"logout"}
    assert page.all("a", href=address("bundle", request_id))
    assert not page.all("a", href="/models/spam-filter/")


@pytest.mark.parametrize("state", RequestState)
def test_reading_never_changes_anything(state: RequestState) -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(state).request.pk
    browsers = [signed_in(user) for user in (cast.dana(), cast.bob(), cast.audrey())]
    before = everything()
    for client in browsers:
        for url in addresses(request_id):
            client.get(url)
            client.head(url)
    assert everything() == before


@pytest.mark.parametrize("name", [*ACTS, *ON_MODELS])
def test_reading_the_address_of_an_act_leads_to_the_page(name: str) -> None:
    """Where the browser goes after signing in again, when the session ended under a form."""
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    before = state_of(request_id)
    response = signed_in(cast.staff("dora", Role.DPO, Role.OPERATOR)).get(act_address(name, request_id))
    assert (response.status_code, response["Location"]) == (302, address("request", request_id))
    assert state_of(request_id) == before


@pytest.mark.parametrize("name", [*ACTS, *ON_MODELS])
def test_it_knows_no_other_methods(name: str) -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    assert signed_in(cast.dana()).put(act_address(name, request_id)).status_code == 405


@pytest.mark.parametrize("name", ["request", "bundle"])
def test_it_refuses_to_be_posted_to_where_it_is_read(name: str) -> None:
    request_id = cast.ask().request.pk
    assert signed_in(cast.dana()).post(address(name, request_id)).status_code == 405


@pytest.mark.parametrize("name", [*ACTS, *ON_MODELS])
def test_it_refuses_forms_from_other_sites(name: str) -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.dana())
    before = state_of(request_id)
    response = client.post(act_address(name, request_id), {"ground": "art17_1_b", "confirmed": "on"})
    assert response.status_code == 403
    assert "Nothing was changed" in page_of(response).text
    assert state_of(request_id) == before


@pytest.mark.parametrize("name", ["request", "bundle", *ACTS, *ON_MODELS])
def test_a_request_that_is_not_there_is_not_found(name: str) -> None:
    client = signed_in(cast.staff("dora", Role.DPO, Role.OPERATOR))
    method = client.get if name in {"request", "bundle"} else client.post
    reason = {"extend": "complexity", "hold_model": "technical", "unveil": "audit"}.get(name, "art12_6")
    data = {
        "means": "in_person",
        "ground": "art17_1_b",
        "reason": reason,
        "confirmed": "on",
        "question": "?",
        "answer": "!",
        "words": ".",
    }
    response = method(act_address(name, SOMEWHERE), data)
    assert response.status_code == 404
    assert page_of(response).problems == []


@pytest.mark.parametrize("user", [pytest.param(user, id=user.__name__) for user in (cast.bob, cast.dana, cast.audrey)])
def test_it_keeps_no_page_in_caches(user: Callable[[], User]) -> None:
    response = signed_in(user()).get(reverse("portal:requests"))
    assert "no-store" in response["Cache-Control"]
    assert "private" in response["Cache-Control"]


def test_an_account_with_two_roles_acts_in_one_that_may() -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    client = signed_in(cast.staff("dora", Role.DPO, Role.OPERATOR))
    assert "Withdrawn" in act(client, "withdraw", request_id, {"confirmed": "on"}).text
