"""SIGKILL at any point loses nothing and repeats nothing visible: real processes, a real broker, a real database."""

import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings as configuration
from pytest_django import Settings

from compliance.evidence.verify import verify_bundle
from compliance.ledger import keys
from compliance.ledger.models import LedgerEntry
from compliance.registry.models import LineageRecord, ModelVersion
from compliance.reports.request_bundle import export
from compliance.requests.errors import NotReadyError
from compliance.requests.models import DeletionRequest, Evidence, Job
from compliance.requests.states import JobState, RequestState
from tests.compliance import cast
from tests.workers import digits
from tests.workers.processes import BEAT, WORKER, Processes
from workers import artifacts

#: Wide enough that solving takes about a second: time to see it and to kill it.
WIDTH = 3072
SECONDS = 120.0
EVENTS = (
    *("request.received", "request.identity_requested", "request.identity_confirmed", "request.approved"),
    *("request.planned", "job.started", "job.recorded", "findings.recorded", "evidence.attached", "request.completed"),
    # The signed summary.
    "evidence.attached",
)


@pytest.fixture
def processes(
    broker_url: str, ledger_db: None, tmp_path: Path, process_environment: dict[str, str], settings: Settings
) -> Processes:
    """A place for processes that see this test's database, broker and weights, and that lose a lease soon."""
    settings.DISPATCHER = "workers.dispatch.CeleryDispatcher"
    environment = {
        "EXPUNGE_ARTIFACTS_DIR": str(settings.ARTIFACTS_DIR),
        "EXPUNGE_DISPATCHER": settings.DISPATCHER,
        "EXPUNGE_JOB_LEASE_SECONDS": "3",
        "EXPUNGE_SWEEP_SECONDS": "1",
        "EXPUNGE_SWEEP_GRACE_SECONDS": "1",
        "OMP_NUM_THREADS": "1",
    }
    (tmp_path / "logs").mkdir()
    return Processes(tmp_path / "logs", process_environment | environment)


def unlearning(request_id: uuid.UUID) -> Job | None:
    """The job while the method is at work: begun, and no version recorded."""
    jobs = Job.objects.filter(targets__request=request_id, state=JobState.RUNNING, after=None, progress__gt=0)
    return jobs.first()


def verifying(request_id: uuid.UUID) -> Job | None:
    """The job while its version is verified: the control is being retrained."""
    jobs = Job.objects.filter(targets__request=request_id, state=JobState.RUNNING, progress__gte=0.5)
    return jobs.exclude(after=None).filter(findings=None).first()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moment", "n_versions"), [pytest.param(unlearning, 1, id="unlearning"), pytest.param(verifying, 2, id="verifying")]
)
def test_a_worker_killed_at_work_is_replaced_and_everything_is_there_once(
    processes: Processes, tmp_path: Path, moment: Callable[[uuid.UUID], Job | None], n_versions: int
) -> None:
    request_id = cast.ask().request.pk
    keys.create_missing()
    digits.write(tmp_path, width=WIDTH)
    before = digits.registered(tmp_path)
    cast.prove(request_id)
    with processes:
        for name in ("sequencer", "checkpointer", "publisher"):
            processes.start(name, str(configuration.ROOT / "manage.py"), name)
        processes.start("beat", *BEAT)
        processes.start("worker-1", *WORKER)
        cast.decide(request_id)
        processes.wait_for(moment.__name__, lambda: moment(request_id), seconds=SECONDS)
        processes.kill("worker-1")
        assert Job.objects.get().state == JobState.RUNNING, processes.logs()
        assert ModelVersion.objects.count() == n_versions, processes.logs()
        processes.start("worker-2", *WORKER)
        processes.wait_for("evidence", lambda: is_in(request_id, RequestState.SIGNOFF), seconds=SECONDS)
        cast.second_signature(request_id)
        bundle = processes.wait_for("bundle", lambda: exported(request_id), seconds=SECONDS)
    job = Job.objects.get()
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 2)
    assert job.after is not None
    assert set(ModelVersion.objects.values_list("sha256", flat=True)) == {before.sha256, job.after.sha256}
    assert set(artifacts.stored()) == {before.sha256, job.after.sha256}
    assert Evidence.objects.count() == 1
    assert LineageRecord.objects.filter(removed_in=job.after).count() == digits.N_EACH
    events = Counter(LedgerEntry.objects.filter(request_id=request_id).values_list("event_type", flat=True))
    # The letter's may still wait for its position.
    assert events.pop("request.notified", 1) == 1
    assert events == Counter(EVENTS)
    assert verify_bundle(bundle).state == "completed"


def is_in(request_id: uuid.UUID, state: RequestState) -> bool:
    return DeletionRequest.objects.filter(pk=request_id, state=state).exists()


def exported(request_id: uuid.UUID) -> bytes | None:
    try:
        return export(request_id)
    except NotReadyError:
        return None
