"""The thread that keeps a job ours."""

import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from pytest_django import Settings

from compliance.ledger import actors
from compliance.registry.models import ModelVersion
from compliance.requests.actions.start_job import start_job
from compliance.requests.models import Job
from tests.workers import digits
from workers import lease
from workers.lease import Lease

ACTOR = actors.worker(uuid.uuid4())
SECONDS = 20.0


@pytest.fixture
def job(live: ModelVersion) -> Job:
    started = start_job(digits.planned().pk, actor=ACTOR)
    assert started is not None
    return started


def comes_true(condition: Callable[[], bool]) -> bool:
    ends_at = time.monotonic() + SECONDS
    while time.monotonic() < ends_at:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_it_extends_the_lease_again_and_again(job: Job, settings: Settings) -> None:
    settings.JOB_LEASE_SECONDS = 2
    Job.objects.filter(pk=job.pk).update(lease_expires_at=datetime.now(tz=UTC) - timedelta(hours=1))
    with Lease(job.pk, ACTOR) as held:
        beats = set()

        def has_beaten_three_times() -> bool:
            beats.add(Job.objects.get(pk=job.pk).lease_expires_at)
            return len(beats) >= 4

        assert comes_true(has_beaten_three_times)
        assert not held.is_lost()


def test_it_writes_the_progress_that_was_reported_last(job: Job) -> None:
    with Lease(job.pk, ACTOR) as held:
        held.report(0.1, "looking")
        held.report(0.25, "solving")
        assert comes_true(lambda: Job.objects.get(pk=job.pk).progress == 0.25)
    assert Job.objects.get(pk=job.pk).progress_message == "solving"


def test_it_is_lost_when_another_worker_took_the_job(job: Job) -> None:
    with Lease(job.pk, ACTOR) as held:
        assert not held.is_lost()
        thief = uuid.uuid4()
        Job.objects.filter(pk=job.pk).update(lease_owner=thief)
        held.report(0.5, "working on")
        assert comes_true(held.is_lost)
    found = Job.objects.get(pk=job.pk)
    assert (found.lease_owner, found.progress) == (thief, 0.0)


def test_it_is_lost_while_no_heartbeat_could_be_written_for_the_time_of_a_lease(
    job: Job, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.JOB_LEASE_SECONDS = 1

    def unreachable(*args: object, **kwargs: object) -> None:
        raise OperationalError("the database is away")

    with Lease(job.pk, ACTOR) as held:
        with monkeypatch.context() as patch:
            patch.setattr(lease, "heartbeat", unreachable)
            assert comes_true(held.is_lost)
        # Nobody took the job meanwhile, and the database is back.
        assert comes_true(lambda: not held.is_lost())


def test_the_thread_ends_with_the_block(job: Job) -> None:
    with Lease(job.pk, ACTOR):
        assert f"lease-{job.pk}" in {thread.name for thread in threading.enumerate()}
    assert f"lease-{job.pk}" not in {thread.name for thread in threading.enumerate()}
