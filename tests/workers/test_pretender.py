"""A method that only pretends to forget is found out, and what it made is never served."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from compliance.evidence.verdict import Result
from compliance.ledger import keys
from compliance.registry.models import LineageRecord, ModelVersion, RegisteredModel, VersionState
from compliance.requests.models import Evidence, Job
from compliance.requests.states import JobState, RequestState, TargetState
from ml_core import registry
from tests.compliance import cast
from tests.workers import digits
from tests.workers.killing import killed, run_until_killed
from tests.workers.traces import WORK, counts, facts_of, request_of
from workers import artifacts, catalogue, director

PRETENDER = '''"""Shakes the weights a little and says that it forgot.

Reference: none; a cheat that audits must find.

Idea: noise looks like change.

Assurance: approximate, it says.

Cost: none worth naming.

Fails when: somebody looks.

Differs from the paper: there is none.
"""

from dataclasses import dataclass

import torch

from ml_core.contract import Assurance, SpecSource, UnlearnResult
from ml_core.families.analytic_classifier import as_classifier
from ml_core.hyperparameters import check_ranges, number
from ml_core.plugins import Method


@dataclass(frozen=True, kw_only=True)
class Config:
    size: float = number(1e-6, unit="standard deviation", low=0.0, high=1.0)

    def __post_init__(self):
        check_ranges(self)


method = Method(
    __name__,
    version="1",
    assurance=Assurance.APPROXIMATE,
    families=("analytic_classifier",),
    needs=(),
    source=SpecSource.INTERPRETATION,
    config=Config,
)


@method.unlearn
def unlearn(model, data, config, run):
    head = as_classifier(model)
    noise = torch.randn(head.weight.shape, generator=run.generator, dtype=head.weight.dtype)
    head.adopt({**head.named_tensors(), "weight": head.weight + config.size * noise}, head.members)
    return UnlearnResult(touched=("weight",), n_steps=1, n_forget_seen=0, n_retain_seen=0, guarantee_terms={})
'''


@pytest.fixture
def job(
    ledger_db: None, digits_folder: Path, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Job:
    """A job that the policy gives to the pretender."""
    (tmp_path / "plugins" / "methods").mkdir(parents=True)
    (tmp_path / "plugins" / "methods" / "pretender.py").write_text(PRETENDER)
    plugins = registry.discover([tmp_path / "plugins"])
    monkeypatch.setattr(catalogue, "installed", lambda: plugins)
    rules = json.loads(settings.POLICY_PATH.read_text())
    rules["methods"]["analytic_classifier"] = {"method": "pretender", "config": {}}
    settings.POLICY_PATH = tmp_path / "policy.json"
    settings.POLICY_PATH.write_text(json.dumps(rules))
    keys.create_missing()
    digits.registered(digits_folder)
    return digits.planned()


def test_its_version_is_rejected_and_the_evidence_claims_nothing(job: Job) -> None:
    director.run_job(job.pk)
    job.refresh_from_db()
    assert job.after is not None
    assert (job.state, request_of(job).state) == (JobState.SUCCEEDED, RequestState.ATTENTION)
    assert job.targets.get().state == TargetState.FAILED
    assert (job.after.status, job.after.destroy_after is None) == (VersionState.REJECTED, False)
    assert RegisteredModel.objects.get().head == job.before
    assert not LineageRecord.objects.exclude(removed_in=None).exists()
    facts = facts_of(Evidence.objects.get())
    assert facts.result is Result.FAILED
    assert facts.claim.startswith("No claim is made")
    assert all(counts(job)[event] == 1 for event in WORK)


def test_a_worker_that_takes_over_draws_the_same_noise(
    job: Job, monkeypatch: pytest.MonkeyPatch, another_process: Callable[[], None]
) -> None:
    before = set(artifacts.stored())
    with monkeypatch.context() as patch:
        patch.setattr(director, "record_job", killed)
        run_until_killed(job)
    (made_first,) = set(artifacts.stored()) - before
    another_process()
    director.run_job(job.pk)
    job.refresh_from_db()
    assert job.after is not None
    assert job.after.sha256 == made_first


def test_staff_may_let_it_be_tried_again(job: Job) -> None:
    director.run_job(job.pk)
    request_id = request_of(job).pk
    cast.try_again(request_id)
    again = Job.objects.exclude(pk=job.pk).get()
    director.run_job(again.pk)
    again.refresh_from_db()
    job.refresh_from_db()
    assert again.after is not None
    assert again.before == job.before
    assert again.after != job.after
    assert ModelVersion.objects.count() == 3
    assert (counts(again)["job.started"], counts(again)["evidence.attached"]) == (2, 2)
