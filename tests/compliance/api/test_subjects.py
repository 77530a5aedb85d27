"""What a data subject can do, and what a stranger cannot."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.http import HttpResponse
from pytest_django import DjangoCaptureOnCommitCallbacks
from rest_framework.throttling import ScopedRateThrottle

from compliance.requests.actions.submit import Submitted
from compliance.requests.models import DeletionRequest, IdentityChallenge
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.api.caller import anonymous, body_of, refused, staff, subject
from tests.compliance.api.rows import snapshot

pytestmark = pytest.mark.django_db

VALID = {"identifier": {"kind": "email", "value": cast.ALICE}, "ground": "art17_1_b", "regulation": "gdpr"}
WRONG = "0000000000"


def _wrong_code(right: str) -> str:
    return "1111111111" if right == WRONG else WRONG


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        pytest.param({}, "#/identifier", id="nothing"),
        pytest.param({**VALID, "identifier": None}, "#/identifier", id="null_identifier"),
        pytest.param({**VALID, "identifier": "a@example.org"}, "#/identifier", id="text_for_identifier"),
        pytest.param({**VALID, "identifier": {"kind": "email"}}, "#/identifier/value", id="no_value"),
        pytest.param({**VALID, "identifier": {"kind": "phone", "value": "1"}}, "#/identifier/kind", id="other_kind"),
        pytest.param(
            {**VALID, "identifier": {"kind": ["email"], "value": "a@example.org"}}, "#/identifier/kind", id="list_kind"
        ),
        pytest.param({**VALID, "identifier": {"kind": "email", "value": 5}}, "#/identifier/value", id="number_value"),
        pytest.param({**VALID, "identifier": {"kind": "email", "value": ""}}, "#/identifier/value", id="empty_value"),
        pytest.param(
            {**VALID, "identifier": {"kind": "email", "value": f"{'a' * 250}@b.example"}},
            "#/identifier/value",
            id="long_value",
        ),
        pytest.param(
            {**VALID, "identifier": {**VALID["identifier"], "name": "Alice"}},  # type: ignore[dict-item]
            "#/identifier",
            id="unknown_nested_member",
        ),
        pytest.param({**VALID, "ground": "art17_9_z"}, "#/ground", id="other_ground"),
        pytest.param({**VALID, "ground": None}, "#/ground", id="null_ground"),
        pytest.param({**VALID, "ground": True}, "#/ground", id="boolean_ground"),
        pytest.param({**VALID, "regulation": "hipaa"}, "#/regulation", id="other_regulation"),
        pytest.param({**VALID, "channel": "portal"}, "#", id="unknown_member"),
        pytest.param([VALID], "#", id="list"),
        pytest.param("text", "#", id="string"),
        pytest.param(7, "#", id="number"),
        pytest.param(False, "#", id="boolean"),
    ],
)
def test_it_refuses_a_request_that_is_not_as_declared(body: object, pointer: str) -> None:
    response = anonymous().post("submit", body=body)
    problem = refused(response, 400, "invalid_input")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert not DeletionRequest.objects.exists()


def test_it_refuses_what_is_no_address_and_does_not_repeat_it() -> None:
    identifier = {"kind": "email", "value": f"no address {cast.MARK}"}
    response = anonymous().post("submit", body={**VALID, "identifier": identifier})
    refused(response, 400, "invalid_input")
    assert cast.MARK not in response.content.decode()
    assert not DeletionRequest.objects.exists()


def test_it_receives_a_request_and_shows_the_token_once(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks() as sent:
        response = anonymous().post("submit", body=VALID)
    receipt = body_of(response)
    assert (response.status_code, receipt["state"], len(sent)) == (201, "received", 1)
    assert response["Location"] == receipt["links"]["self"] == f"/api/v1/requests/{receipt['id']}"
    assert "no-store" in response["Cache-Control"]
    status = subject(receipt["status_token"]).get("request", receipt["id"])
    assert status.status_code == 200
    assert receipt["status_token"] not in status.content.decode()


def test_it_takes_the_ground_and_the_law_for_granted_when_left_out() -> None:
    receipt = body_of(anonymous().post("submit", body={"identifier": VALID["identifier"]}))
    stored = DeletionRequest.objects.get(pk=receipt["id"])
    assert (stored.ground, stored.regulation, stored.channel) == ("art17_1_b", "gdpr", "api")


def test_it_answers_a_wrong_token_and_an_unknown_id_alike() -> None:
    alices, charlies = cast.ask(cast.ALICE), cast.ask(cast.CHARLIE)
    answers = {
        "another's token": subject(charlies.token).get("request", alices.request.pk),
        "a token of no request": subject("a" * 43).get("request", alices.request.pk),
        "not even a token": subject("ü ?").get("request", alices.request.pk),
        "an unknown id": subject(alices.token).get("request", uuid.uuid4()),
    }
    bodies = {name: refused(answer, 404, "not_found") for name, answer in answers.items()}
    assert len({str(body) for body in bodies.values()}) == 1, bodies


@pytest.mark.parametrize("header", ["", "Subject", "Basic YTpi", "Bearer abc", "subject"])
def test_it_asks_for_a_token_where_there_is_none(header: str) -> None:
    alices = cast.ask()
    caller = anonymous() if not header else type(anonymous())(header)
    response = caller.get("request", alices.request.pk)
    if header.lower() == "subject":
        refused(response, 404, "not_found")
    else:
        refused(response, 401, "not_authenticated")
        assert response["WWW-Authenticate"] == 'Subject realm="request"'


def test_a_staff_token_does_not_open_a_status() -> None:
    alices = cast.ask()
    refused(staff(cast.dana()).get("request", alices.request.pk), 401, "not_authenticated")


def _enter(submitted: Submitted, code: str) -> HttpResponse:
    return subject(submitted.token).post("identity", submitted.request.pk, body={"code": code})


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("12345", id="five_digits"),
        pytest.param("1234567", id="seven_digits"),
        pytest.param("12345\n", id="newline"),
        pytest.param("12 456", id="space"),
        pytest.param("١٢٣٤٥٦", id="arabic_digits"),
        pytest.param(123456, id="number"),
        pytest.param(None, id="null"),
    ],
)
def test_a_slip_of_the_keyboard_costs_no_try(code: object) -> None:
    alices = cast.brought_to(RequestState.IDENTITY_PENDING)
    before = snapshot()
    response = subject(alices.token).post("identity", alices.request.pk, body={"code": code})
    refused(response, 400, "invalid_input")
    assert snapshot() == before


def test_five_wrong_codes_use_it_up_and_a_fresh_one_works() -> None:
    alices = cast.ask()
    right = cast.mail_code(alices.request.pk)
    for _ in range(5):
        refused(_enter(alices, _wrong_code(right)), 400, "identity_not_confirmed")
    refused(_enter(alices, right), 400, "identity_not_confirmed")
    assert body_of(_enter(alices, cast.mail_code(alices.request.pk)))["state"] == "under_review"


def test_an_expired_code_is_refused_like_a_wrong_one() -> None:
    alices = cast.ask()
    right = cast.mail_code(alices.request.pk)
    IdentityChallenge.objects.update(expires_at=datetime.now(tz=UTC) - timedelta(seconds=1))
    expired = refused(_enter(alices, right), 400, "identity_not_confirmed")
    wrong = refused(_enter(alices, _wrong_code(right)), 400, "identity_not_confirmed")
    assert expired == wrong


def test_the_right_code_brings_the_request_to_review_and_works_once() -> None:
    alices = cast.ask()
    right = cast.mail_code(alices.request.pk)
    answer = body_of(_enter(alices, right))
    assert (answer["state"], answer["models"], answer["refusal"]) == ("under_review", None, None)
    refused(_enter(alices, right), 409, "wrong_state")


def test_a_fresh_code_is_asked_for_and_not_shown(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    alices = cast.brought_to(RequestState.IDENTITY_PENDING)
    with django_capture_on_commit_callbacks() as sent:
        response = subject(alices.token).post("identity-code", alices.request.pk)
    assert (response.status_code, body_of(response)["state"], len(sent)) == (202, "identity_pending", 1)


def test_no_code_is_asked_for_once_the_address_is_proven(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    alices = cast.brought_to(RequestState.UNDER_REVIEW)
    with django_capture_on_commit_callbacks() as sent:
        refused(subject(alices.token).post("identity-code", alices.request.pk), 409, "wrong_state")
    assert sent == []


def test_a_person_withdraws_and_cannot_twice() -> None:
    alices = cast.brought_to(RequestState.UNDER_REVIEW)
    answer = body_of(subject(alices.token).post("withdraw", alices.request.pk, body={}))
    assert answer["state"] == "withdrawn"
    assert answer["closed_at"]
    refused(subject(alices.token).post("withdraw", alices.request.pk), 409, "wrong_state")


def test_what_was_decided_is_not_withdrawn() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    alices = cast.brought_to(RequestState.APPROVED)
    before = snapshot()
    refused(subject(alices.token).post("withdraw", alices.request.pk), 409, "wrong_state")
    assert snapshot() == before


def test_a_refused_person_is_told_the_reason() -> None:
    alices = cast.brought_to(RequestState.REFUSED)
    answer = body_of(subject(alices.token).get("request", alices.request.pk))
    assert answer["state_label"] == "Refused"
    assert answer["decided_at"]
    assert answer["refusal"] == {"reason": "art17_3_e", "reason_label": "17(3)(e): legal claims"}


@pytest.mark.parametrize(
    ("state", "models"),
    [
        pytest.param(RequestState.SIGNOFF, {"concerned": 2, "done": 0, "excepted": 0}, id="not_in_service_yet"),
        pytest.param(RequestState.COMPLETED, {"concerned": 2, "done": 2, "excepted": 0}, id="in_service"),
    ],
)
def test_the_status_counts_models_and_shows_nothing_of_them(state: RequestState, models: dict[str, int]) -> None:
    for name in ("spam-filter", "ranking"):
        cast.model_of(name, cast.ALICE, cast.CHARLIE)
    cast.model_of("unconcerned", cast.CHARLIE)
    alices = cast.brought_to(state)
    response = subject(alices.token).get("request", alices.request.pk)
    assert body_of(response)["models"] == models
    assert "spam-filter" not in response.content.decode()
    assert "acu" not in response.content.decode()


@pytest.mark.parametrize("forwarded", [None, "198.51.100."], ids=["plain", "forged_address"])
def test_submitting_without_end_is_slowed_down(monkeypatch: pytest.MonkeyPatch, forwarded: str | None) -> None:
    monkeypatch.setitem(ScopedRateThrottle.THROTTLE_RATES, "submit", "2/minute")
    http = anonymous().http
    headers = [{"X-Forwarded-For": f"{forwarded}{number}"} if forwarded else {} for number in range(3)]
    answers = [http.post("/api/v1/requests", VALID, "application/json", headers=header) for header in headers]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    problem = answers[2].json()
    assert problem["code"] == "too_many_requests"
    assert 1 <= int(answers[2]["Retry-After"]) <= 60
    assert DeletionRequest.objects.count() == 2


def test_asking_for_codes_without_end_is_slowed_down_by_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ScopedRateThrottle.THROTTLE_RATES, "identity_code", "1/hour")
    alices, charlies = cast.ask(cast.ALICE), cast.ask(cast.CHARLIE)
    first = subject(alices.token).post("identity-code", alices.request.pk)
    refused(subject(alices.token).post("identity-code", alices.request.pk), 429, "too_many_requests")
    others = subject(charlies.token).post("identity-code", charlies.request.pk)
    assert (first.status_code, others.status_code) == (202, 202)
