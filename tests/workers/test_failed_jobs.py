"""A job that cannot be done: which errors end it, which give it back, and what is said of them."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from compliance.registry.models import ModelVersion, VersionState
from compliance.requests import queries
from compliance.requests.models import Job
from compliance.requests.states import JobState, RequestState
from ml_core.methods import acu
from tests.compliance import cast
from tests.workers import digits
from tests.workers.killing import end_lease
from tests.workers.traces import request_of
from workers import artifacts, director, inputs


def damage_weights(live: ModelVersion, folder: Path) -> None:
    path = artifacts.open(live.sha256) / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")


def remove_weights(live: ModelVersion, folder: Path) -> None:
    artifacts.destroy(live.sha256)


def change_data(live: ModelVersion, folder: Path) -> None:
    source = live.model.data_source
    source.location = str(folder / "other.npz")
    source.save()
    (folder / "other.npz").write_bytes(b"another file")


def lose_data(live: ModelVersion, folder: Path) -> None:
    live.model.data_source.location = str(folder / "gone.npz")
    live.model.data_source.save()


def spoil_config(live: ModelVersion, folder: Path) -> None:
    Job.objects.update(config={"largest_error": -1})


@pytest.mark.parametrize(
    ("spoil", "reason", "says"),
    [
        pytest.param(damage_weights, "artifact", "restore it from a backup", id="one byte of the weights differs"),
        pytest.param(remove_weights, "artifact", "not in the store", id="the weights are gone"),
        pytest.param(change_data, "data", "was changed", id="the data file differs"),
        pytest.param(lose_data, "data", "cannot be read", id="the data file is gone"),
        pytest.param(spoil_config, "config", "largest_error", id="a hyper-parameter is out of range"),
    ],
)
def test_it_fails_the_job_with_a_reason_when_trying_again_cannot_help(
    live: ModelVersion, tmp_path: Path, spoil: Callable[[ModelVersion, Path], None], reason: str, says: str
) -> None:
    job = digits.planned()
    spoil(live, tmp_path)
    director.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.FAILED, 1)
    assert says in job.failure
    assert request_of(job).state == RequestState.ATTENTION
    failed = [entry for entry in queries.timeline(request_of(job).pk) if entry.event_type == "job.failed"]
    assert [entry.facts["reason"] for entry in failed] == [reason]
    assert ModelVersion.objects.get(pk=live.pk).status == VersionState.LIVE


def test_it_refuses_to_finish_what_other_code_started(live: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    job = digits.planned()
    monkeypatch.setattr(acu.method, "version", "3")
    director.run_job(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "started with version 2" in job.failure


def run_out_of_time(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.JOB_DEADLINE_SECONDS = 0


def break_down(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    def fail(*args: object) -> None:
        raise KeyError(cast.ALICE)

    monkeypatch.setattr(inputs, "load", fail)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        pytest.param(run_out_of_time, "deadline_exceeded", id="an error that may pass"),
        pytest.param(break_down, "unexpected_error", id="an error that nobody expected"),
    ],
)
def test_it_gives_the_job_back_until_its_attempts_are_used_up(
    live: ModelVersion,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[pytest.MonkeyPatch, Settings], None],
    reason: str,
) -> None:
    settings.JOB_MAX_ATTEMPTS = 2
    job = digits.planned()
    spoil(monkeypatch, settings)
    caplog.set_level(logging.DEBUG)
    director.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.RUNNING, 1)
    director.run_job(job.pk)
    job.refresh_from_db()
    assert job.attempt == 1, "the fault gets time to pass"
    end_lease(job)
    director.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.FAILED, 2)
    assert reason in caplog.text
    assert cast.MARK not in caplog.text + job.failure + repr(queries.timeline(request_of(job).pk))
