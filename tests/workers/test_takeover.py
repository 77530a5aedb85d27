"""A worker that is killed, at whatever point, and the one that goes on: the same version, everything once."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import torch

from compliance.ledger import actors
from compliance.registry.models import DataSource, LineageRecord, ModelVersion
from compliance.requests.actions.start_job import start_job
from compliance.requests.models import Evidence, Job
from compliance.requests.states import JobState, RequestState
from ml_core.contract import Run, UnlearnData
from ml_core.families.analytic_classifier import family
from ml_core.methods import acu
from tests.compliance import cast
from tests.workers import digits
from tests.workers.killing import KilledError, killed, run_until_killed
from tests.workers.traces import WORK, counts, request_of
from workers import artifacts, director, inputs, outputs, process


def uninterrupted_digest(live: ModelVersion) -> str:
    """The digest of the version that the job makes when nothing goes wrong, made without any of the service's rows."""
    model = family.load(artifacts.open(live.sha256), torch.device("cpu"))
    forget = digits.examples()["train"].of_persons([cast.ALICE])
    acu.unlearn(model, UnlearnData(forget=forget), acu.Config(), Run(generator=torch.Generator()))
    with artifacts.staging() as files:
        family.save(model, files)
        return artifacts.seal(files, family.name)[1]


SEAMS: list[tuple[Any, str]] = [
    (inputs, "load"),
    (inputs, "load_model"),
    (artifacts, "seal"),
    (director, "record_job"),
    (outputs, "finding_of"),
    (director, "record_findings"),
    (director, "statement_bytes"),
    (director, "attach_evidence"),
]


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("place", "name"), [pytest.param(*seam, id=seam[1]) for seam in SEAMS])
def test_a_worker_that_takes_over_comes_out_at_the_same_place(
    live: ModelVersion,
    monkeypatch: pytest.MonkeyPatch,
    another_process: Callable[[], None],
    place: Any,
    name: str,
    is_done: bool,
) -> None:
    job = digits.planned()
    real = getattr(place, name)

    def done_and_killed(*args: Any, **kwargs: Any) -> None:
        real(*args, **kwargs)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(place, name, done_and_killed if is_done else killed)
        run_until_killed(job)
    another_process()
    director.run_job(job.pk)
    job.refresh_from_db()
    assert job.after is not None
    assert job.after.sha256 == uninterrupted_digest(live)
    assert (job.state, request_of(job).state) == (JobState.SUCCEEDED, RequestState.SIGNOFF)
    assert ModelVersion.objects.filter(model=live.model).count() == 2
    assert Evidence.objects.filter(job=job).count() == 1
    assert all(counts(job)[event] == 1 for event in WORK)
    assert LineageRecord.objects.filter(removed_in=job.after).count() == digits.N_EACH
    assert set(artifacts.stored()) == {live.sha256, job.after.sha256}


def test_what_was_judged_is_signed_without_model_or_data(
    live: ModelVersion, monkeypatch: pytest.MonkeyPatch, another_process: Callable[[], None]
) -> None:
    job = digits.planned()
    with monkeypatch.context() as patch:
        patch.setattr(director, "attach_evidence", killed)
        run_until_killed(job)
    another_process()
    artifacts.destroy(live.sha256)
    DataSource.objects.update(location="/nowhere/data.npz")
    director.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 2)
    assert all(counts(job)[event] == 1 for event in WORK)


def test_it_leaves_a_job_alone_that_a_live_worker_holds(
    live: ModelVersion, another_process: Callable[[], None]
) -> None:
    job = digits.planned()
    assert start_job(job.pk, actor=process.actor()) is not None
    another_process()
    director.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt, job.after) == (JobState.RUNNING, 1, None)


def test_it_drops_its_work_when_another_worker_took_the_job(
    live: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = digits.planned()
    thief = actors.worker(uuid.uuid4())
    real = artifacts.seal

    def stolen(*args: Any) -> Any:
        Job.objects.filter(pk=job.pk).update(lease_owner=thief.id)
        return real(*args)

    monkeypatch.setattr(artifacts, "seal", stolen)
    director.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.lease_owner, job.after) == (JobState.RUNNING, thief.id, None)
    assert counts(job)["job.failed"] == 0
