"""Requests and workers in each other's way: what must never come of it, whoever is killed and whatever is repeated."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db.models import F
from pytest_django import Settings

from compliance.evidence import findings as signed
from compliance.evidence import verdict
from compliance.evidence.statement import statement_bytes
from compliance.evidence.verdict import Verdict
from compliance.evidence.verify import verify_bundle
from compliance.ledger import actors, keys
from compliance.ledger.actors import SYSTEM
from compliance.registry.actions.destroy_version import destroy_version
from compliance.registry.models import LineageRecord, MethodCard, ModelVersion, RegisteredModel, VersionState
from compliance.registry.pseudonyms import pseudonym_of
from compliance.reports.request_bundle import export
from compliance.requests import policy, queries
from compliance.requests.actions.attach_evidence import attach_evidence
from compliance.requests.actions.fail_job import fail_job
from compliance.requests.actions.heartbeat import heartbeat
from compliance.requests.actions.plan import plan
from compliance.requests.actions.record_findings import record_findings
from compliance.requests.actions.record_job import record_job
from compliance.requests.actions.release_job import release_job
from compliance.requests.actions.request_identity import mark_code_sent
from compliance.requests.actions.start_job import start_job
from compliance.requests.errors import InvalidInputError, LostLeaseError, NotReadyError
from compliance.requests.identities import canonical
from compliance.requests.models import DeletionRequest, IdentityChallenge, Job, Letter, Target
from compliance.requests.states import JobState, RequestState, TargetState
from tests.compliance import cast

pytestmark = pytest.mark.django_db

ONE, TWO = (actors.worker(uuid.UUID(int=number, version=4)) for number in (1, 2))


def job_on(name: str, request: DeletionRequest) -> Job:
    """The job that waits for a worker."""
    return Job.objects.get(targets__request=request, model__name=name, state=JobState.QUEUED)


def judge(job: Job, said: Verdict, actor: actors.Actor = ONE) -> None:
    """A worker comes as far as its findings, and is killed before it signs."""
    assert start_job(job.pk, actor=actor) is not None
    number = job.model.versions.count() + 1
    manifest = cast.manifest_of(job.model.name, number)
    record_job(job.pk, actor=actor, manifest=manifest, assurance="exact", outcome={})
    for target in job.targets.all():
        record_findings(job.pk, actor=actor, target_id=target.pk, findings=cast.findings_of(said))


def sign(job: Job, actor: actors.Actor) -> None:
    """Another worker takes over, finds the findings recorded, and signs them."""
    Job.objects.filter(pk=job.pk).update(lease_expires_at=datetime.now(tz=UTC) - timedelta(seconds=1))
    taken = start_job(job.pk, actor=actor)
    assert taken is not None
    for target in taken.targets.all():
        found = [signed.Finding.from_dict(row.result) for row in target.findings.filter(job=taken)]
        rules = verdict.rules_of(policy.document(target.request.policy))  # type: ignore[arg-type]  # planned
        result = verdict.decide(rules, {finding.audit: finding.verdict for finding in found})
        signer = keys.evidence_signer()
        envelope = signer.sign(statement_bytes(cast._facts(taken, target, found, result)))
        attach_evidence(taken.pk, actor=actor, target_id=target.pk, envelope=envelope, key_pem=signer.public_key_pem)


def state_of(request: DeletionRequest) -> str:
    return DeletionRequest.objects.get(pk=request.pk).state


def on_two_models() -> DeletionRequest:
    """Alice's request, planned on two models."""
    cast.model_of("first", cast.ALICE)
    cast.model_of("second", cast.ALICE)
    return cast.brought_to(RequestState.EXECUTING).request


def assert_verifies(request: DeletionRequest) -> None:
    cast.run_ledger()
    verify_bundle(export(request.pk))


def test_a_passed_model_whose_signature_is_missing_holds_the_request_back() -> None:
    """Its first job failed, so there is older evidence; a second job passed, and its worker was killed."""
    request = on_two_models()
    cast.work(request.pk, Verdict.FAIL)
    cast.try_again(request.pk)
    unsigned = job_on("first", request)
    judge(unsigned, Verdict.PASS)
    cast.run_job(job_on("second", request))
    assert state_of(request) == RequestState.VERIFYING
    sign(unsigned, TWO)
    assert state_of(request) == RequestState.SIGNOFF
    cast.second_signature(request.pk)
    live = RegisteredModel.objects.select_related("live").get(name="first").live
    unsigned.refresh_from_db()
    assert live == unsigned.after
    assert_verifies(request)


def test_a_failed_model_whose_signature_is_missing_is_not_tried_again_under_its_workers_hands() -> None:
    request = on_two_models()
    unsigned, other = job_on("first", request), job_on("second", request)
    judge(unsigned, Verdict.FAIL)
    start_job(other.pk, actor=TWO)
    fail_job(other.pk, actor=TWO, reason="out_of_memory")
    assert state_of(request) == RequestState.VERIFYING
    sign(unsigned, TWO)
    assert state_of(request) == RequestState.ATTENTION
    cast.try_again(request.pk)
    cast.work(request.pk)
    cast.second_signature(request.pk)
    assert_verifies(request)


def test_a_retry_works_after_the_weights_of_the_first_try_were_destroyed() -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.EXECUTING).request
    cast.work(request.pk, Verdict.INCONCLUSIVE)
    rejected = ModelVersion.objects.get(status=VersionState.REJECTED)
    destroy_version(rejected.pk, actor=SYSTEM)
    cast.try_again(request.pk)
    job = job_on("spam", request)
    start_job(job.pk, actor=ONE)
    again = record_job(job.pk, actor=ONE, manifest=bytes(rejected.manifest), assurance="exact", outcome={})
    assert again.after == rejected
    rejected.refresh_from_db()
    assert (rejected.status, rejected.destroyed_at, rejected.destroy_after) == (VersionState.CANDIDATE, None, None)


def test_a_version_that_was_made_but_never_judged_is_destroyed_too() -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.EXECUTING).request
    job = job_on("spam", request)
    start_job(job.pk, actor=ONE)
    record_job(job.pk, actor=ONE, manifest=cast.manifest_of("spam", 2), assurance="exact", outcome={})
    fail_job(job.pk, actor=ONE, reason="data")
    made = ModelVersion.objects.get(number=2)
    assert made.status == VersionState.REJECTED
    assert made.destroy_after is not None


def test_a_policy_that_was_mended_is_used_when_the_request_is_approved_anew(settings: Settings, tmp_path: Path) -> None:
    good = django_settings.POLICY_PATH.read_text()
    settings.POLICY_PATH = tmp_path / "policy.json"
    settings.POLICY_PATH.write_text(good.replace("mia_loss", "no_such_audit"))
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.APPROVED).request
    cast.make_plan(request.pk)
    assert (state_of(request), Job.objects.count()) == (RequestState.ATTENTION, 0)
    settings.POLICY_PATH.write_text(good)
    cast.decide(request.pk)
    cast.make_plan(request.pk)
    cast.work(request.pk)
    cast.second_signature(request.pk)
    assert_verifies(request)


def test_a_version_that_waits_for_its_signature_is_destroyed_once_a_newer_one_is_in_service() -> None:
    cast.model_of("spam", cast.ALICE, cast.CHARLIE)
    first = cast.brought_to(RequestState.SIGNOFF).request
    second = cast.brought_to(RequestState.SIGNOFF, cast.CHARLIE).request
    cast.second_signature(second.pk)
    waiting = ModelVersion.objects.get(number=2)
    assert waiting.status == VersionState.SUPERSEDED
    assert waiting.destroy_after is not None
    cast.second_signature(first.pk)
    model = RegisteredModel.objects.select_related("live").get()
    assert model.live is not None
    assert model.live.number == 3
    for request in (first, second):
        assert_verifies(request)


def test_many_jobs_that_wait_for_one_model_do_not_hide_a_lost_worker() -> None:
    people = [f"person{number}@example.org" for number in range(6)]
    cast.model_of("spam", cast.ALICE, *people)
    cast.model_of("free", "somebody@example.org")
    for person in people:
        cast.brought_to(RequestState.EXECUTING, person)
    lost = job_on("spam", cast.brought_to(RequestState.EXECUTING).request)
    other = job_on("free", cast.brought_to(RequestState.EXECUTING, "somebody@example.org").request)
    start_job(lost.pk, actor=ONE)
    Job.objects.update(queued_at=F("queued_at") - timedelta(hours=1))
    Job.objects.filter(pk=lost.pk).update(lease_expires_at=datetime.now(tz=UTC) - timedelta(seconds=1))
    found = queries.lost_work(datetime.now(tz=UTC), limit=2).jobs
    assert found == [(lost.pk, "cpu"), (other.pk, "cpu")]


def test_mail_that_cannot_be_delivered_ends_and_holds_up_nobody() -> None:
    request = cast.ask().request
    later = datetime.now(tz=UTC) + timedelta(hours=1)
    for _ in range(queries.MAIL_TRIES):
        assert queries.lost_work(later).identities == [request.pk]
        cast.mail_code(request.pk)
    assert queries.lost_work(later).identities == []
    cast.run_ledger()
    kinds = [entry.event_type for entry in queries.timeline(request.pk)]
    assert kinds == ["request.received", "request.identity_requested"], "a code that never went out is no second entry"
    undeliverable, owed = (cast.brought_to(RequestState.WITHDRAWN, name).request for name in (cast.ALICE, cast.CHARLIE))
    Letter.objects.filter(request=undeliverable).update(n_tries=3)
    assert queries.lost_work(later, limit=1).letters == [Letter.objects.get(request=owed).pk]


DIFFERENT_PEOPLE = [
    ("straße@example.org", "strasse@example.org"),
    ("ﬁona@example.org", "fiona@example.org"),
    ("user℡@example.org", "usertel@example.org"),
    ("a⁵@example.org", "a5@example.org"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT_PEOPLE)
def test_who_owns_one_mailbox_does_not_speak_for_a_similar_one(one: str, other: str) -> None:
    try:
        assert pseudonym_of("email", one) != pseudonym_of("email", other)
    except ValueError:
        pseudonym_of("email", other)


@pytest.mark.parametrize(
    "address", ['"quoted"@example.org', f"a@{'ä' * 60}.example.org", '"a@b"@example.org', "a@example..org"]
)
def test_an_address_that_no_mail_reaches_is_refused(address: str) -> None:
    with pytest.raises(InvalidInputError):
        canonical("email", address)


def test_a_plan_leaves_no_target_behind_that_failed() -> None:
    """A worker's catalogue vanishes while a job is judged and unsigned; the request must not slip to completion."""
    request = on_two_models()
    unsigned, other = job_on("first", request), job_on("second", request)
    judge(unsigned, Verdict.FAIL)
    head = RegisteredModel.objects.get(name="second").head
    LineageRecord.objects.filter(model__name="second", subject_pseudonym=request.vault.pseudonym).update(
        removed_in=head
    )
    assert start_job(other.pk, actor=TWO) is None
    assert state_of(request) == RequestState.VERIFYING
    MethodCard.objects.filter(name="acu").delete()
    Job.objects.filter(pk=unsigned.pk).update(lease_expires_at=datetime.now(tz=UTC) - timedelta(seconds=1))
    assert start_job(unsigned.pk, actor=ONE) is not None, "to sign it no method is needed"
    cast.workers_start()
    sign(unsigned, TWO)
    assert state_of(request) == RequestState.ATTENTION
    cast.decide(request.pk)
    cast.run_ledger()
    plan(request.pk, actor=SYSTEM)
    assert not Target.objects.filter(request=request, state=TargetState.FAILED).exists()
    assert state_of(request) == RequestState.EXECUTING


def test_a_job_that_nothing_waits_for_ends_and_frees_its_model() -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.EXECUTING).request
    left_over = job_on("spam", request)
    assert start_job(left_over.pk, actor=ONE) is not None
    Target.objects.filter(request=request).update(job=None)
    Job.objects.filter(pk=left_over.pk).update(lease_expires_at=datetime.now(tz=UTC) - timedelta(seconds=1))
    assert start_job(left_over.pk, actor=TWO) is None
    left_over.refresh_from_db()
    assert (left_over.state, left_over.failure) == (JobState.FAILED, "superseded")


def test_a_bundle_of_a_request_that_moves_while_it_is_read_is_not_given_out(monkeypatch: pytest.MonkeyPatch) -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.UNDER_REVIEW).request
    cast.run_ledger()
    read = queries.detail

    def and_then_it_is_approved(request_id: uuid.UUID) -> DeletionRequest:
        found = read(request_id)
        cast.decide(request_id)
        cast.run_ledger()
        return found

    monkeypatch.setattr(queries, "detail", and_then_it_is_approved)
    with pytest.raises(NotReadyError, match="moved on"):
        export(request.pk)


def test_a_released_job_is_not_held_by_a_heartbeat_that_comes_late() -> None:
    cast.model_of("spam", cast.ALICE)
    job = job_on("spam", cast.brought_to(RequestState.EXECUTING).request)
    start_job(job.pk, actor=ONE)
    release_job(job.pk, actor=ONE, reason="out_of_memory")
    with pytest.raises(LostLeaseError):
        heartbeat(job.pk, actor=ONE, progress=0.5, message="late")


def test_a_flooded_address_gets_a_bounded_number_of_codes_and_the_rest_later(settings: Settings) -> None:
    settings.IDENTITY_CODES_PER_HOUR = 2
    requests = [cast.ask().request for _ in range(3)]
    for request in requests[:2]:
        cast.mail_code(request.pk)
        mark_code_sent(request.pk)
    with pytest.raises(NotReadyError, match="codes"):
        cast.mail_code(requests[2].pk)
    assert state_of(requests[2]) == RequestState.RECEIVED
    cast.mail_code(cast.ask(cast.CHARLIE).request.pk)
    IdentityChallenge.objects.update(sent_at=datetime.now(tz=UTC) - timedelta(hours=2))
    cast.mail_code(requests[2].pk)


def test_nobody_is_written_to_before_the_address_is_proven() -> None:
    request = cast.ask().request
    cast.mail_code(request.pk)
    cast.take_back(request.pk)
    assert not Letter.objects.exists()
