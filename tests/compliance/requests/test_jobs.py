"""Planning and running jobs: who holds one, what a second message does, what happens when a worker is lost."""

import threading
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection, transaction
from pytest_django import Settings

from compliance.evidence import verdict
from compliance.evidence.errors import FindingsError
from compliance.evidence.findings import Finding
from compliance.evidence.verdict import Result
from compliance.ledger import actors
from compliance.ledger.actors import SYSTEM
from compliance.ledger.models import LedgerEntry, PendingEntry
from compliance.registry.models import LineageRecord, MethodCard, ModelVersion, RegisteredModel, VersionState
from compliance.requests import leases, policy, queries
from compliance.requests.actions.heartbeat import heartbeat
from compliance.requests.actions.plan import plan
from compliance.requests.actions.record_findings import record_findings
from compliance.requests.actions.record_job import record_job
from compliance.requests.actions.release_job import release_job
from compliance.requests.actions.start_job import start_job
from compliance.requests.errors import LostLeaseError, NotReadyError, PolicyError, StateError
from compliance.requests.models import Job
from compliance.requests.states import JobState, RequestState, TargetState
from tests.compliance import cast

pytestmark = pytest.mark.django_db

ONE, TWO = (actors.worker(uuid.UUID(int=number, version=4)) for number in (1, 2))


@pytest.fixture
def job() -> Job:
    """A queued job of Alice's request."""
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.EXECUTING).request
    (queued,) = cast.queued_jobs(request.pk)
    return queued


def n_entries(event_type: str) -> int:
    kinds = {"event_type": event_type}
    return LedgerEntry.objects.filter(**kinds).count() + PendingEntry.objects.filter(**kinds).count()


def end_lease(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_expires_at=datetime.now(tz=UTC) - timedelta(seconds=1))


def test_a_job_that_a_live_worker_holds_is_left_to_it(job: Job) -> None:
    assert start_job(job.pk, actor=ONE) is not None
    assert start_job(job.pk, actor=TWO) is None
    assert start_job(job.pk, actor=ONE) is None
    assert n_entries("job.started") == 1


def test_a_job_whose_lease_ran_out_is_taken_over_with_its_challenge_and_without_a_second_start(job: Job) -> None:
    first = start_job(job.pk, actor=ONE)
    assert first is not None
    cast.ask(cast.CHARLIE)
    cast.run_ledger()
    end_lease(job)
    second = start_job(job.pk, actor=TWO)
    assert second is not None
    assert (second.lease_owner, second.attempt) == (TWO.id, 2)
    assert (second.challenge_sha256, second.before) == (first.challenge_sha256, first.before)
    assert n_entries("job.started") == 1


def test_a_worker_that_lost_its_lease_can_write_nothing(job: Job) -> None:
    start_job(job.pk, actor=ONE)
    end_lease(job)
    start_job(job.pk, actor=TWO)
    with pytest.raises(LostLeaseError):
        heartbeat(job.pk, actor=ONE, progress=0.5, message="still here")
    with pytest.raises(LostLeaseError):
        record_job(job.pk, actor=ONE, manifest=cast.manifest_of("spam", 2), assurance="exact", outcome={})
    with pytest.raises(LostLeaseError):
        release_job(job.pk, actor=ONE, reason="late")
    assert n_entries("job.recorded") == 0


def test_a_worker_that_is_lost_again_and_again_ends_the_job(job: Job) -> None:
    for _ in range(settings.JOB_MAX_ATTEMPTS):
        assert start_job(job.pk, actor=ONE) is not None
        end_lease(job)
    assert start_job(job.pk, actor=TWO) is None
    job.refresh_from_db()
    assert (job.state, job.failure) == (JobState.FAILED, "worker_lost_repeatedly")
    assert job.targets.get().request.state == RequestState.ATTENTION
    assert n_entries("job.failed") == n_entries("request.attention") == 1


def test_a_released_job_starts_again_until_its_attempts_are_used_up(job: Job) -> None:
    for _ in range(settings.JOB_MAX_ATTEMPTS):
        assert start_job(job.pk, actor=ONE) is not None
        release_job(job.pk, actor=ONE, reason="out_of_memory")
        assert start_job(job.pk, actor=TWO) is None, "the fault gets time to pass"
        end_lease(job)
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert start_job(job.pk, actor=ONE) is None


def test_the_heartbeat_extends_the_lease(job: Job) -> None:
    start_job(job.pk, actor=ONE)
    end_lease(job)
    heartbeat(job.pk, actor=ONE, progress=7.0, message="x" * 999)
    job.refresh_from_db()
    assert leases.is_live(job, datetime.now(tz=UTC))
    assert (job.progress, len(job.progress_message)) == (1.0, 200)


def test_before_the_first_checkpoint_no_job_starts() -> None:
    """Without a challenge nothing would show that the evidence was not made beforehand."""
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.APPROVED).request
    cast.workers_start()
    plan(request.pk, actor=SYSTEM)
    (queued,) = cast.queued_jobs(request.pk)
    with pytest.raises(NotReadyError, match="sequencer"), transaction.atomic():
        start_job(queued.pk, actor=ONE)
    queued.refresh_from_db()
    assert queued.state == JobState.QUEUED


def test_recording_again_changes_nothing_and_another_version_is_refused(job: Job) -> None:
    start_job(job.pk, actor=ONE)
    for _ in range(2):
        record_job(job.pk, actor=ONE, manifest=cast.manifest_of("spam", 2), assurance="exact", outcome={})
    assert (n_entries("job.recorded"), ModelVersion.objects.count()) == (1, 2)
    with pytest.raises(StateError, match="deterministic"), transaction.atomic():
        record_job(job.pk, actor=ONE, manifest=cast.manifest_of("spam", 3), assurance="exact", outcome={})


def test_a_method_that_changed_nothing_is_refused(job: Job) -> None:
    started = start_job(job.pk, actor=ONE)
    assert started is not None
    assert started.before is not None
    with pytest.raises(StateError, match="as they were"), transaction.atomic():
        record_job(job.pk, actor=ONE, manifest=bytes(started.before.manifest), assurance="exact", outcome={})


def findings(result: verdict.Verdict) -> list[Finding]:
    return cast.findings_of(result)


def test_findings_need_exactly_the_audits_of_the_policy(job: Job) -> None:
    start_job(job.pk, actor=ONE)
    record_job(job.pk, actor=ONE, manifest=cast.manifest_of("spam", 2), assurance="exact", outcome={})
    complete = findings(verdict.Verdict.PASS)
    for found in ([], complete[:1], [*complete, replace(complete[0], audit="other")]):
        with pytest.raises(FindingsError), transaction.atomic():
            record_findings(job.pk, actor=ONE, target_id=job.targets.get().pk, findings=found)
    assert n_entries("findings.recorded") == 0


@pytest.mark.parametrize(
    ("said", "state", "status"),
    [
        (verdict.Verdict.PASS, TargetState.PASSED, VersionState.CANDIDATE),
        (verdict.Verdict.FAIL, TargetState.FAILED, VersionState.REJECTED),
        (verdict.Verdict.INCONCLUSIVE, TargetState.INCONCLUSIVE, VersionState.REJECTED),
    ],
)
def test_only_a_version_that_passed_is_built_upon(
    job: Job, said: verdict.Verdict, state: TargetState, status: VersionState
) -> None:
    start_job(job.pk, actor=ONE)
    recorded = record_job(job.pk, actor=ONE, manifest=cast.manifest_of("spam", 2), assurance="exact", outcome={})
    target = job.targets.get()
    results = [
        record_findings(job.pk, actor=ONE, target_id=target.pk, findings=findings(verdict_now))
        # The second call is a repetition after a crash; whatever it brings, the first result stands.
        for verdict_now in (said, verdict.Verdict.PASS)
    ]
    assert results[0] is results[1]
    assert (results[0] is Result.FAILED) == (said is not verdict.Verdict.PASS)
    target.refresh_from_db()
    model = RegisteredModel.objects.select_related("head").get()
    assert target.state == state
    assert recorded.after is not None
    assert ModelVersion.objects.get(pk=recorded.after.pk).status == status
    assert (model.head == recorded.after) == (state == TargetState.PASSED)
    assert LineageRecord.objects.filter(removed_in=None).count() == (2 if state == TargetState.PASSED else 4)
    assert n_entries("findings.recorded") == 1


def test_one_job_of_a_model_runs_at_a_time_and_the_next_builds_on_its_result() -> None:
    cast.model_of("spam", cast.ALICE, cast.CHARLIE)
    first = cast.brought_to(RequestState.EXECUTING).request
    second = cast.brought_to(RequestState.EXECUTING, cast.CHARLIE).request
    (mine,), (other,) = cast.queued_jobs(first.pk), cast.queued_jobs(second.pk)
    start_job(mine.pk, actor=ONE)
    assert start_job(other.pk, actor=TWO) is None
    end_lease(mine)
    cast.run_job(mine)
    cast.run_job(other)
    mine.refresh_from_db()
    other.refresh_from_db()
    assert other.before == mine.after
    for request in (second, first):
        cast.second_signature(request.pk)
    model = RegisteredModel.objects.select_related("live", "head").get()
    assert model.live == model.head == other.after, "signing the older one off later must not bring Charlie back"


def test_what_another_request_removed_meanwhile_is_approved_anew_and_then_completed() -> None:
    cast.model_of("spam", cast.ALICE)
    first = cast.brought_to(RequestState.EXECUTING).request
    again = cast.brought_to(RequestState.EXECUTING).request
    cast.work(first.pk)
    (stale,) = cast.queued_jobs(again.pk)
    assert start_job(stale.pk, actor=ONE) is None
    again.refresh_from_db()
    assert again.state == RequestState.ATTENTION
    cast.decide(again.pk)
    plan(again.pk, actor=SYSTEM)
    cast.second_signature(first.pk)
    cast.second_signature(again.pk)
    again.refresh_from_db()
    assert again.state == RequestState.COMPLETED


def test_a_scope_that_changed_before_the_plan_is_put_before_a_person() -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.APPROVED).request
    cast.model_of("newer", cast.ALICE)
    cast.make_plan(request.pk)
    request.refresh_from_db()
    assert (request.state, Job.objects.count()) == (RequestState.ATTENTION, 0)


def test_without_a_worker_the_plan_waits_and_without_the_method_a_person_is_asked() -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.APPROVED).request
    with pytest.raises(NotReadyError, match="worker"), transaction.atomic():
        plan(request.pk, actor=SYSTEM)
    cast.workers_start()
    MethodCard.objects.filter(name="acu").update(name="other")
    plan(request.pk, actor=SYSTEM)
    request.refresh_from_db()
    assert request.state == RequestState.ATTENTION


def test_planning_twice_makes_one_plan(job: Job) -> None:
    request = job.targets.get().request
    plan(request.pk, actor=SYSTEM)
    assert (Job.objects.count(), n_entries("request.planned")) == (1, 1)


BAD_POLICIES = {
    "not JSON": "{",
    "a list": "[]",
    "no audits": '{"version":1,"methods":{},"audits":[],"superseded_weights_days":1}',
    "negative days": '{"version":1,"methods":{},"audits":[],"superseded_weights_days":-1}',
    "a method without config": '{"version":1,"methods":{"x":{"method":"acu"}},"audits":[],"superseded_weights_days":1}',
    "an audit without a threshold": '{"version":1,"methods":{},"audits":[{"audit":"a","config":{},'
    '"accept_inconclusive_when_passed":[]}],"superseded_weights_days":1}',
    "an audit twice": '{"version":1,"methods":{},"audits":['
    '{"audit":"a","config":{"threshold":0},"accept_inconclusive_when_passed":[]},'
    '{"audit":"a","config":{"threshold":1},"accept_inconclusive_when_passed":[]}],"superseded_weights_days":1}',
    "an unknown key": '{"version":1,"methods":{},"audits":[],"superseded_weights_days":1,"more":1}',
}


@pytest.mark.parametrize("content", [pytest.param(text, id=name) for name, text in BAD_POLICIES.items()])
def test_a_malformed_policy_is_refused(content: str, settings: Settings, tmp_path: object) -> None:
    from pathlib import Path

    settings.POLICY_PATH = Path(str(tmp_path)) / "policy.json"
    settings.POLICY_PATH.write_text(content)
    with pytest.raises(PolicyError):
        policy.current()


def test_lost_work_is_found_and_fresh_or_held_work_is_not(job: Job, settings: Settings) -> None:
    settings.SWEEP_GRACE = timedelta(seconds=30)
    now = datetime.now(tz=UTC)
    waiting = cast.ask(cast.CHARLIE).request
    assert queries.lost_work(now) == queries.Lost(
        identities=[], searches=[], plans=[], jobs=[], summaries=[], letters=[], destructions=[]
    )
    later = queries.lost_work(now + timedelta(minutes=1))
    assert (later.identities, later.jobs) == ([waiting.pk], [(job.pk, "cpu")])
    start_job(job.pk, actor=ONE)
    assert queries.lost_work(datetime.now(tz=UTC)).jobs == []
    end_lease(job)
    assert queries.lost_work(datetime.now(tz=UTC)).jobs == [(job.pk, "cpu")]


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_that_take_one_job_at_the_same_time_one_gets_it() -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.EXECUTING).request
    (queued,) = cast.queued_jobs(request.pk)
    barrier, got, errors = threading.Barrier(5), list[uuid.UUID](), list[BaseException]()

    def take(number: int) -> None:
        actor = actors.worker(uuid.UUID(int=number, version=4))
        try:
            barrier.wait()
            if start_job(queued.pk, actor=actor) is not None:
                got.append(actor.id)
        except BaseException as error:  # noqa: BLE001  shown by the assertion below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(number,)) for number in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    queued.refresh_from_db()
    assert got == [queued.lease_owner]
    assert n_entries("job.started") == 1
