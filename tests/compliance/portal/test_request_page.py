"""The page of a request in every state: what it says, what it keeps to itself, what it costs."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from compliance.evidence.leaf import FACTS
from compliance.evidence.verdict import Verdict
from compliance.ledger import actors
from compliance.ledger.actors import subject_of
from compliance.portal.narrative import EVENTS, NEEDS_STAFF, STANDINGS, WORKING, steps
from compliance.portal.target_cards import TONES
from compliance.registry.models import LineageRecord, RegisteredModel
from compliance.requests.actions.heartbeat import heartbeat
from compliance.requests.actions.start_job import start_job
from compliance.requests.models import DeletionRequest, Evidence, Job, SubjectVault, Target
from compliance.requests.states import TERMINAL, RequestState, TargetState
from tests.compliance import cast
from tests.compliance.portal.browsing import act, address, approval, seen, signed_in

pytestmark = pytest.mark.django_db

PEOPLE = [pytest.param(user, id=user.__name__) for user in (cast.bob, cast.dana, cast.audrey)]


@pytest.mark.parametrize("user", PEOPLE)
@pytest.mark.parametrize("state", RequestState)
def test_it_shows_no_personal_data_in_any_state(state: RequestState, user: Callable[[], User]) -> None:
    cast.model_of("spam-filter", cast.ALICE, cast.CHARLIE)
    submitted = cast.brought_to(state)
    page = seen(signed_in(user()), address("request", submitted.request.pk))
    pseudonym = SubjectVault.objects.get(request=submitted.request).pseudonym
    assert pseudonym[:12] in page.html
    assert pseudonym[:13] not in page.html
    records = LineageRecord.objects.filter(subject_pseudonym=pseudonym).values_list("record_id", flat=True)
    for secret in (cast.MARK, "alice", submitted.token, submitted.request.token_sha256, *records):
        assert secret not in page.html


@pytest.mark.parametrize("user", PEOPLE)
@pytest.mark.parametrize("state", RequestState)
def test_it_is_a_sound_page_in_every_state(state: RequestState, user: Callable[[], User]) -> None:
    cast.model_of("spam-filter", cast.ALICE)
    cast.model_of("ranking", cast.ALICE)
    cast.model_of("churn", cast.CHARLIE)
    request_id = cast.brought_to(state).request.pk
    response = signed_in(user()).get(address("request", request_id))
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "style-src 'self'" in policy and "form-action 'self'" in policy
    page = seen(signed_in(user()), address("request", request_id))
    assert page.problems == []
    assert STANDINGS[state].sentence in page.text
    assert STANDINGS[state].who in page.text
    assert state.label in page.text


@pytest.mark.parametrize("state", RequestState)
def test_it_reloads_itself_only_while_work_is_running(state: RequestState) -> None:
    cast.model_of("spam-filter", cast.ALICE)
    url = address("request", cast.brought_to(state).request.pk)
    client = signed_in(cast.bob())
    refreshes = seen(client, url).all("meta", **{"http-equiv": "refresh"})
    assert [meta.attributes["content"] for meta in refreshes] == (["3"] if state in WORKING else [])
    stopped = seen(client, f"{url}?reload=off")
    assert not stopped.all("meta", **{"http-equiv": "refresh"})
    assert bool(stopped.all("a", href=url)) == (state in WORKING)


def test_every_state_has_a_standing_and_somebody_who_acts() -> None:
    assert set(STANDINGS) == set(RequestState)
    assert {state for state in RequestState if "closed" in STANDINGS[state].who} == TERMINAL
    assert not set(NEEDS_STAFF) & (WORKING | TERMINAL)


@pytest.mark.parametrize("state", RequestState)
def test_the_steps_have_at_most_one_that_is_current(state: RequestState) -> None:
    statuses = [step.status for step in steps(state)]
    current = [status for status in statuses if status in {"now", "stopped"}]
    assert len(current) == (0 if state in TERMINAL else 1)
    assert statuses == sorted(statuses, key=["done", "now", "stopped", "ahead"].index)


def test_a_failed_audit_stops_a_request_at_its_verification() -> None:
    assert [step.name for step in steps(RequestState.ATTENTION, "audit_failed") if step.status == "stopped"] == [
        "Verification"
    ]
    assert [step.name for step in steps(RequestState.ATTENTION, "job_failed") if step.status == "stopped"] == ["Change"]


def test_the_scope_is_shown_to_those_who_can_act_on_it() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    cast.model_of("churn", cast.CHARLIE)
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    assert "registered models, with" not in seen(signed_in(cast.audrey()), address("request", request_id)).text
    for user in (cast.bob(), cast.dana()):
        page = seen(signed_in(user), address("request", request_id))
        assert "found in 1 of 2 registered models, with 2 records" in page.text
        assert re.search(r"spam-filter 2 1 [0-9a-f]{12}… analytic_classifier acu none", page.text)
        assert re.search(r"churn none 1 [0-9a-f]{12}… analytic_classifier not needed none", page.text)
        assert ("Approving freezes exactly this scope" in page.text) == (user == cast.dana())


def test_a_family_without_a_method_is_pointed_out_before_the_decision() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    RegisteredModel.objects.update(family="recommender")
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    assert "none in the policy" in seen(signed_in(cast.dana()), address("request", request_id)).text


def test_no_registered_model_is_pointed_out_before_the_decision() -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    page = seen(signed_in(cast.dana()), address("request", request_id))
    assert "No model is registered, so there is nothing to make forget." in page.text


def test_a_person_whom_no_model_saw_goes_on_to_the_signature() -> None:
    cast.model_of("churn", cast.CHARLIE)
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    dana = signed_in(cast.dana())
    act(dana, "approve", request_id, approval(dana, request_id))
    cast.make_plan(request_id)
    page = seen(signed_in(cast.bob()), address("request", request_id))
    assert "sign-off" in page.actions()
    assert "No registered model was trained on records of this person" in page.text
    assert "Never trained on records of this person: churn." in page.text


def test_running_work_shows_its_progress() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(RequestState.EXECUTING).request.pk
    (job,) = cast.queued_jobs(request_id)
    client = signed_in(cast.bob())
    assert "waiting for a CPU worker" in seen(client, address("request", request_id)).text
    worker = actors.worker(cast.WORKER_ID)
    start_job(job.pk, actor=worker)
    heartbeat(job.pk, actor=worker, progress=0.425, message="subtracting moments")
    page = seen(client, address("request", request_id))
    (progress,) = page.all("progress")
    assert (progress.attributes["value"], progress.attributes["max"]) == ("0.425", "1")
    assert "subtracting moments 42.5 %" in page.text
    assert "under a minute ago" in page.text


def test_findings_and_evidence_are_shown_as_they_were_recorded() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(RequestState.SIGNOFF).request.pk
    page = seen(signed_in(cast.bob()), address("request", request_id))
    evidence = Evidence.objects.get()
    assert "retrain_equality pass largest difference of weights 0 0 – retain 2" in page.text
    assert "mia_loss pass AUC above the reference 0 0.1" in page.text
    assert evidence.key_sha256 in page.text
    assert "The method guarantees that the learned state is the one" in page.text
    assert "assurance: exact" in page.text


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.INCONCLUSIVE])
def test_evidence_of_a_failure_claims_nothing(verdict: Verdict) -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(RequestState.EXECUTING).request.pk
    cast.work(request_id, verdict)
    page = seen(signed_in(cast.bob()), address("request", request_id))
    assert "No claim is made" in page.text
    assert "assurance:" not in page.text
    assert "retrain_equality: told to by the test" in page.text
    assert "forgotten" not in page.text.replace("to be forgotten", "").replace("requests to be", "")
    assert page.problems == []


def test_an_earlier_attempt_stays_on_the_page() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(RequestState.EXECUTING).request.pk
    cast.work(request_id, Verdict.FAIL)
    cast.try_again(request_id)
    page = seen(signed_in(cast.bob()), address("request", request_id))
    earlier = Job.objects.exclude(targets__request=request_id).get()
    assert f"Earlier job {str(earlier.pk)[:8]}: succeeded" in page.text
    assert "retrain_equality fail" in page.text
    assert page.problems == []
    cast.work(request_id)
    page = seen(signed_in(cast.bob()), address("request", request_id))
    assert page.text.count("retrain_equality fail") == page.text.count("retrain_equality pass") == 1
    assert page.text.index("retrain_equality pass") < page.text.index("Earlier job")
    assert page.text.index("Earlier job") < page.text.index("retrain_equality fail")


def test_an_envelope_that_was_damaged_is_said_to_be_unreadable() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(RequestState.SIGNOFF).request.pk
    Evidence.objects.update(envelope=b"{}")
    page = seen(signed_in(cast.bob()), address("request", request_id))
    assert "The stored envelope cannot be read." in page.text


def test_a_shredded_identity_is_said_to_be_shredded() -> None:
    request_id = cast.brought_to(RequestState.REFUSED).request.pk
    SubjectVault.objects.filter(request=request_id).delete()
    for user in (cast.bob(), cast.dana(), cast.audrey()):
        assert "not kept" in seen(signed_in(user), address("request", request_id)).text


def test_the_timeline_says_who_did_what_and_what_waits() -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    client = signed_in(cast.audrey())
    assert "waiting Request received" in seen(client, address("request", request_id)).text
    cast.run_ledger()
    cast.say_no(request_id)
    page = seen(client, address("request", request_id))
    officer = str(actors.staff(cast.dana(), actors.Role.DPO).id)[:8]
    assert re.search(rf"0 Request received .* subject {str(subject_of(request_id).id)[:8]} channel REST API", page.text)
    assert re.search(rf"waiting Refused .* dpo {officer} reason 17\(3\)\(e\): legal claims", page.text)


def test_every_event_of_the_ledger_has_a_name() -> None:
    assert set(FACTS) | {"evidence.attached"} == set(EVENTS)
    assert len(set(EVENTS.values())) == len(EVENTS)


def test_every_state_of_a_target_has_a_tone() -> None:
    assert set(TONES) == set(TargetState)
    assert set(TONES.values()) <= {standing.tone for standing in STANDINGS.values()}


def test_the_command_for_auditors_names_the_bundle() -> None:
    request_id = cast.ask().request.pk
    text = seen(signed_in(cast.audrey()), address("request", request_id)).text
    assert f"python -m compliance.evidence verify expunge-{request_id}.zip" in text
    assert "--trust trust.json" in text


def queries_of(n_models: int) -> int:
    """How many queries the page takes for a request about this many models, all of them worked on."""
    person = f"person.{n_models}@example.org"
    for number in range(n_models):
        cast.model_of(f"model-{n_models}-{number}", person)
    request_id = cast.brought_to(RequestState.SIGNOFF, person).request.pk
    assert Target.objects.filter(request=request_id, n_records__gt=0).count() == n_models
    client = signed_in(cast.bob())
    with CaptureQueriesContext(
        connection,
    ) as queries:
        seen(client, address("request", request_id))
    return len(queries)


def test_it_costs_the_same_number_of_queries_for_one_model_and_for_six() -> None:
    assert queries_of(1) == queries_of(6)


def test_waiting_time_counts_from_receipt() -> None:
    request_id = cast.ask().request.pk
    DeletionRequest.objects.filter(pk=request_id).update(received_at=datetime.now(tz=UTC) - timedelta(days=3, hours=5))
    assert "3 days" in seen(signed_in(cast.bob()), "/requests/").text
