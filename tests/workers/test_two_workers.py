"""Two workers at once: one job is run once, and one model is changed by one job at a time."""

import threading
import uuid
from collections import Counter

import pytest
from django.db import connection

from compliance.ledger import actors
from compliance.registry.models import ModelVersion
from compliance.requests import queries
from compliance.requests.actions.start_job import start_job
from compliance.requests.models import DeletionRequest, Evidence, Job
from compliance.requests.states import JobState, RequestState
from tests.compliance import cast
from tests.workers import digits
from workers import director, inputs, process


@pytest.fixture(autouse=True)
def _a_worker_in_each_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = threading.local()

    def id_of(pid: int) -> uuid.UUID:
        if not hasattr(ids, "here"):
            ids.here = uuid.uuid4()
        found: uuid.UUID = ids.here
        return found

    monkeypatch.setattr(process, "_id_of", id_of)


def run_together(*job_ids: uuid.UUID) -> None:
    """Each job in a thread of its own, all from one moment on. An error in a thread fails the test (pytest)."""
    ready = threading.Barrier(len(job_ids))

    def work(job_id: uuid.UUID) -> None:
        ready.wait()
        try:
            director.run_job(job_id)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(job_id,)) for job_id in job_ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_the_same_job_sent_twice_is_run_once(live: ModelVersion) -> None:
    job = digits.planned()
    run_together(job.pk, job.pk)
    job.refresh_from_db()
    request = DeletionRequest.objects.get()
    counts = Counter(entry.event_type for entry in queries.timeline(request.pk))
    assert (job.state, job.attempt, request.state) == (JobState.SUCCEEDED, 1, RequestState.SIGNOFF)
    assert (counts["job.started"], counts["job.recorded"], counts["evidence.attached"]) == (1, 1, 1)
    assert (ModelVersion.objects.count(), Evidence.objects.count()) == (2, 1)


def test_two_jobs_of_one_model_run_one_after_the_other(live: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [digits.planned(cast.ALICE), digits.planned(cast.CHARLIE)]
    at_work, most = [], 0
    real = inputs.load

    def counted(job: Job) -> inputs.Inputs:
        nonlocal most
        at_work.append(job.pk)
        most = max(most, Job.objects.filter(state=JobState.RUNNING).count())
        return real(job)

    monkeypatch.setattr(inputs, "load", counted)
    run_together(*(job.pk for job in jobs))
    for job in jobs:
        director.run_job(job.pk)  # What was refused while the other one ran is sent again.
    first, second = (Job.objects.get(pk=job_id) for job_id in at_work)
    assert most == 1
    assert (first.state, second.state) == (JobState.SUCCEEDED, JobState.SUCCEEDED)
    assert second.before == first.after
    assert ModelVersion.objects.count() == 3


def test_a_claim_is_refused_while_another_job_of_the_model_is_held(live: ModelVersion) -> None:
    first, second = digits.planned(cast.ALICE), digits.planned(cast.CHARLIE)
    assert start_job(first.pk, actor=actors.worker(uuid.uuid4())) is not None
    director.run_job(second.pk)
    second.refresh_from_db()
    assert (second.state, second.attempt) == (JobState.QUEUED, 0)
