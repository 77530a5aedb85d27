"""What staff decide, and what the law and the four eyes do not let them."""

import pytest

from compliance.ledger.actors import Role
from compliance.requests import queries
from compliance.requests.models import DeletionRequest
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.api.caller import body_of, refused, staff
from tests.compliance.api.rows import snapshot

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "body", "pointer"),
    [
        pytest.param("staff-approve", None, "#/ground", id="no_ground"),
        pytest.param("staff-approve", {"ground": "art17_3_b"}, "#/ground", id="a_refusal_as_ground"),
        pytest.param("staff-approve", {"ground": "art17_1_b", "reason": "x"}, "#", id="ground_and_more"),
        pytest.param("staff-refuse", {}, "#/reason", id="no_reason"),
        pytest.param("staff-refuse", {"reason": "because"}, "#/reason", id="free_text"),
        pytest.param("staff-withdraw", {"why": "asked"}, "#", id="a_member_where_none_is_taken"),
        pytest.param("staff-sign-off", ["yes"], "#", id="a_list"),
    ],
)
def test_it_refuses_a_decision_that_is_not_as_declared(name: str, body: object, pointer: str) -> None:
    alices = cast.brought_to(RequestState.UNDER_REVIEW)
    before = snapshot()
    problem = refused(staff(cast.dana()).post(name, alices.request.pk, body=body), 400, "invalid_input")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert snapshot() == before


@pytest.mark.parametrize("name", ["staff-approve", "staff-refuse", "staff-retry", "staff-sign-off", "staff-withdraw"])
def test_nothing_is_decided_on_a_request_that_is_closed(name: str) -> None:
    alices = cast.brought_to(RequestState.WITHDRAWN)
    bodies = {"staff-approve": {"ground": "art17_1_b"}, "staff-refuse": {"reason": "art17_3_e"}}
    before = snapshot()
    response = staff(cast.dana()).post(name, alices.request.pk, body=bodies.get(name))
    refused(response, 409, "wrong_state")
    assert snapshot() == before


@pytest.mark.parametrize("name", ["staff-approve", "staff-refuse", "staff-retry", "staff-sign-off", "staff-withdraw"])
def test_a_request_that_does_not_exist_is_not_found(name: str) -> None:
    bodies = {"staff-approve": {"ground": "art17_1_b"}, "staff-refuse": {"reason": "art17_3_e"}}
    unknown = "00000000-0000-4000-8000-00000000beef"
    refused(staff(cast.dana()).post(name, unknown, body=bodies.get(name)), 404, "not_found")


def test_the_one_who_decided_does_not_sign_off() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    alices = cast.brought_to(RequestState.SIGNOFF)
    before = snapshot()
    refused(staff(cast.dana()).post("staff-sign-off", alices.request.pk), 403, "forbidden")
    assert snapshot() == before


def test_a_second_role_does_not_make_a_second_person() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    dana = cast.staff("dana", Role.DPO, Role.OPERATOR)
    alices = cast.brought_to(RequestState.SIGNOFF)
    before = snapshot()
    refused(staff(dana).post("staff-sign-off", alices.request.pk), 403, "forbidden")
    assert snapshot() == before


def test_a_signature_that_a_late_model_stops_is_a_conflict_and_the_request_waits_for_a_new_approval() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    pk = cast.brought_to(RequestState.SIGNOFF).request.pk
    cast.model_of("late", cast.ALICE)
    problem = refused(staff(cast.bob()).post("staff-sign-off", pk), 409, "scope_changed")
    assert "Not signed off" in str(problem["detail"])
    assert body_of(staff(cast.bob()).get("staff-request", pk))["state"] == "attention"
    refused(staff(cast.bob()).post("staff-sign-off", pk), 409, "wrong_state")
    body_of(staff(cast.dana()).post("staff-approve", pk, body={"ground": "art17_1_b"}))
    cast.make_plan(pk)
    cast.work(pk)
    assert body_of(staff(cast.bob()).post("staff-sign-off", pk))["state"] == "completed"


def test_the_dpo_approves_and_a_second_person_signs_off() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    alices = cast.brought_to(RequestState.UNDER_REVIEW)
    pk = alices.request.pk
    approved = body_of(staff(cast.dana()).post("staff-approve", pk, body={"ground": "art17_1_b"}))
    assert (approved["state"], approved["accepted_ground"]) == ("approved", "art17_1_b")
    cast.make_plan(pk)
    cast.work(pk)
    completed = body_of(staff(cast.bob()).post("staff-sign-off", pk, body={}))
    assert completed["state"] == "completed"
    assert completed["signed_off_by"] != completed["decided_by"]
    roles = {entry.event_type: entry.actor_role for entry in queries.timeline(pk)}
    assert (roles["request.approved"], roles["request.completed"]) == ("dpo", "operator")


def test_the_dpo_refuses_with_a_reason_of_the_law() -> None:
    alices = cast.brought_to(RequestState.UNDER_REVIEW)
    answer = body_of(staff(cast.dana()).post("staff-refuse", alices.request.pk, body={"reason": "art12_6"}))
    assert (answer["state"], answer["refusal_reason"]) == ("refused", "art12_6")
    assert [letter.kind for letter in alices.request.letters.all()] == ["refused"]


def test_an_operator_lets_a_failed_job_run_again() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    alices = cast.brought_to(RequestState.ATTENTION)
    answer = body_of(staff(cast.bob()).post("staff-retry", alices.request.pk))
    assert answer["state"] == "executing"
    assert len(cast.queued_jobs(alices.request.pk)) == 1


def test_an_operator_withdraws_on_the_persons_word() -> None:
    alices = cast.brought_to(RequestState.IDENTITY_PENDING)
    assert body_of(staff(cast.bob()).post("staff-withdraw", alices.request.pk))["state"] == "withdrawn"


def test_a_broken_policy_is_our_error_and_stays_inside(caplog: pytest.LogCaptureFixture) -> None:
    cast.model_of("spam-filter", cast.ALICE)
    alices = cast.brought_to(RequestState.ATTENTION)
    policy = DeletionRequest.objects.get(pk=alices.request.pk).policy
    assert policy is not None
    content = bytes(policy.content).replace(b"analytic_classifier", b"another_classifier_")
    type(policy).objects.update(content=content)
    before = snapshot()
    response = staff(cast.bob()).post("staff-retry", alices.request.pk)
    refused(response, 500, "policy_invalid")
    assert b"analytic" not in response.content
    assert "unexpected PolicyError" in caplog.text
    assert snapshot() == before


@pytest.mark.parametrize("name", ["staff-approve", "staff-refuse"])
def test_the_role_is_asked_for_before_the_body_is_read(name: str) -> None:
    refused(staff(cast.bob()).post(name, cast.ask().request.pk, body={"ground": 5}), 403, "role_missing")
