"""One job from claim to signed evidence, on a real model."""

import hashlib
from pathlib import Path

import torch

from compliance.evidence import dsse
from compliance.evidence.verdict import Verdict
from compliance.evidence.verify import verify_bundle
from compliance.ledger.models import PublicKey
from compliance.registry.models import ModelVersion
from compliance.reports.request_bundle import export
from compliance.requests import queries
from compliance.requests.models import Evidence, Target
from compliance.requests.states import JobState, RequestState, TargetState
from ml_core.contract import Run
from ml_core.digests import model_sha256s
from ml_core.families.analytic_classifier import family
from ml_core.methods import acu
from tests.compliance import cast
from tests.workers import digits
from tests.workers.traces import WORK, counts, facts_of, request_of
from workers import artifacts, director, process


def test_a_job_ends_in_a_version_without_the_person_and_evidence_that_an_auditor_verifies(live: ModelVersion) -> None:
    job = digits.planned()
    director.run_job(job.pk)
    job.refresh_from_db()
    request = request_of(job)
    assert (job.state, request.state) == (JobState.SUCCEEDED, RequestState.SIGNOFF)
    assert all(counts(job)[event] == 1 for event in WORK)
    cast.second_signature(request.pk)
    cast.run_ledger()
    keys = {key.purpose: key.text for key in PublicKey.objects.all()}
    report = verify_bundle(
        export(request.pk),
        log_vkeys=[keys["checkpoint"]],
        evidence_keys=[dsse.load_public_key(keys["evidence"].encode())],
    )
    assert report.state == "completed"


def test_the_new_version_is_the_one_that_training_without_the_person_gives(live: ModelVersion) -> None:
    job = digits.planned()
    director.run_job(job.pk)
    job.refresh_from_db()
    assert job.after is not None
    train = digits.examples()["train"]
    others = train.of_persons(set(digits.TRAINED) - {cast.ALICE})
    cpu = torch.device("cpu")
    after = family.load(artifacts.open(job.after.sha256), cpu)
    before = family.load(artifacts.open(live.sha256), cpu)
    retrained = family.retrain(before, others, Run(generator=torch.Generator()))
    assert model_sha256s(after) == model_sha256s(retrained) != model_sha256s(before)
    assert after.members.n_held == len(others) == job.after.n_records


def test_the_evidence_says_what_ran_on_what_and_what_was_found(live: ModelVersion) -> None:
    job = digits.planned()
    director.run_job(job.pk)
    job.refresh_from_db()
    target = Target.objects.get(job=job)
    facts = facts_of(Evidence.objects.get(job=job))
    assert job.after is not None
    assert (facts.before_sha256, facts.after_sha256) == (live.sha256, job.after.sha256)
    assert (facts.n_forget, facts.forget_commitment) == (digits.N_EACH, target.forget_commitment)
    assert facts.method.source_sha256 == hashlib.sha256(Path(acu.__file__).read_bytes()).hexdigest()
    assert facts.method.config == {"largest_error": 1e-6}
    assert {finding.audit for finding in facts.findings} == {"retrain_equality", "mia_loss"}
    assert next(found for found in facts.findings if found.audit == "retrain_equality").verdict is Verdict.PASS
    assert facts.guarantee_terms["n_after"] == job.after.n_records
    assert facts.worker.id == str(process.actor().id)


def test_nothing_about_the_person_is_signed_or_ledgered(live: ModelVersion) -> None:
    job = digits.planned()
    director.run_job(job.pk)
    envelope = dsse.parse_envelope(bytes(Evidence.objects.get(job=job).envelope))
    said = envelope.payload.decode() + repr(queries.timeline(request_of(job).pk))
    assert cast.MARK not in said
    assert not any(record_id in said for record_id in digits.examples()["train"].of_persons([cast.ALICE]).record_ids)


def test_one_job_serves_two_persons_with_findings_and_evidence_of_their_own(live: ModelVersion) -> None:
    job, other = digits.planned(cast.ALICE), digits.planned(cast.CHARLIE)
    Target.objects.filter(job=other).update(job=job)
    other.delete()
    director.run_job(job.pk)
    job.refresh_from_db()
    assert job.after is not None
    assert job.after.n_records == live.n_records - 2 * digits.N_EACH
    assert {target.state for target in Target.objects.filter(job=job)} == {TargetState.PASSED}
    said = [facts_of(evidence) for evidence in Evidence.objects.filter(job=job)]
    assert len({facts.forget_commitment for facts in said}) == 2
    assert {facts.n_forget for facts in said} == {digits.N_EACH}


def test_a_second_person_is_forgotten_from_the_version_that_forgot_the_first(live: ModelVersion) -> None:
    first, second = digits.planned(cast.ALICE), digits.planned(cast.CHARLIE)
    director.run_job(first.pk)
    director.run_job(second.pk)
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.after is not None
    assert second.after is not None
    assert second.before == first.after
    assert second.after.n_records == live.n_records - 2 * digits.N_EACH
    assert {second.state, first.state} == {JobState.SUCCEEDED}
