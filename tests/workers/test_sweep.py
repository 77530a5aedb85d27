"""What a sweep sends again, what it destroys, and what it leaves alone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from compliance.ledger import hold
from compliance.ledger.models import PendingEntry
from compliance.registry.models import ModelVersion, RegisteredModel, VersionState
from compliance.requests.models import DeletionRequest, Job, Letter
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.workers import digits, recorder
from workers import artifacts, director, sweep

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _recorded(settings: Settings) -> None:
    settings.DISPATCHER = "tests.workers.recorder.Recorder"
    settings.SWEEP_GRACE = timedelta(0)


@pytest.fixture
def sent() -> list[tuple[str, object]]:
    """What the sweep sent; actions before it send, too, so it is emptied by the test."""
    recorder.SENT.clear()
    return recorder.SENT


def swept(sent: list[tuple[str, object]]) -> list[tuple[str, object]]:
    sent.clear()
    sweep.sweep()
    return list(sent)


def test_it_sends_nothing_when_nothing_was_lost(sent: list[tuple[str, object]]) -> None:
    cast.brought_to(RequestState.UNDER_REVIEW)
    assert swept(sent) == []


@pytest.mark.parametrize(
    ("state", "task"),
    [
        pytest.param(RequestState.RECEIVED, "ask_identity", id="a code that was never made"),
        pytest.param(RequestState.IDENTITY_PENDING, "ask_identity", id="a code that was never mailed"),
        pytest.param(RequestState.APPROVED, "plan", id="an approval that was never planned"),
    ],
)
def test_it_sends_the_next_step_of_a_request_again(
    sent: list[tuple[str, object]], state: RequestState, task: str
) -> None:
    request_id = cast.brought_to(state).request.pk
    assert swept(sent) == [(task, request_id)]


def test_it_sends_a_queued_job_again_to_its_queue(sent: list[tuple[str, object]]) -> None:
    cast.model_of("mail", cast.ALICE)
    cast.brought_to(RequestState.EXECUTING)
    Job.objects.update(queue="gpu")
    assert swept(sent) == [("run_job on gpu", Job.objects.get().pk)]


def test_it_sends_a_job_again_whose_lease_ran_out_and_no_other(sent: list[tuple[str, object]]) -> None:
    cast.model_of("mail", cast.ALICE)
    cast.brought_to(RequestState.VERIFYING)
    assert swept(sent) == []
    Job.objects.update(lease_expires_at=LONG_AGO)
    assert swept(sent) == [("run_job on cpu", Job.objects.get().pk)]


def test_it_sends_a_letter_again_that_did_not_go_out(sent: list[tuple[str, object]]) -> None:
    cast.brought_to(RequestState.REFUSED)
    assert swept(sent) == [("send_letter", Letter.objects.get().pk)]


@pytest.fixture
def superseded(live: ModelVersion) -> ModelVersion:
    """The first version, after a request was completed: its weights are out of use."""
    director.run_job(digits.planned().pk)
    cast.second_signature(DeletionRequest.objects.get().pk)
    live.refresh_from_db()
    assert live.status == VersionState.SUPERSEDED
    return live


def test_it_keeps_superseded_weights_until_their_date(superseded: ModelVersion) -> None:
    sweep.sweep()
    assert superseded.sha256 in artifacts.stored()
    assert ModelVersion.objects.get(pk=superseded.pk).status == VersionState.SUPERSEDED


def test_it_destroys_superseded_weights_when_their_date_has_passed(superseded: ModelVersion) -> None:
    ModelVersion.objects.filter(pk=superseded.pk).update(destroy_after=LONG_AGO)
    sweep.sweep()
    model = RegisteredModel.objects.select_related("live").get()
    assert model.live is not None
    assert set(artifacts.stored()) == {model.live.sha256}
    assert ModelVersion.objects.get(pk=superseded.pk).status == VersionState.DESTROYED
    assert PendingEntry.objects.filter(event_type="version.destroyed").count() == 1
    sweep.sweep()
    assert PendingEntry.objects.filter(event_type="version.destroyed").count() == 1


def test_it_finishes_a_destruction_that_a_crash_left_half_done(superseded: ModelVersion) -> None:
    ModelVersion.objects.filter(pk=superseded.pk).update(status=VersionState.DESTROYED)
    sweep.sweep()
    assert superseded.sha256 not in artifacts.stored()


def test_it_keeps_weights_that_another_model_still_uses(superseded: ModelVersion) -> None:
    twin = ModelVersion.objects.get(pk=superseded.pk)
    other = cast.model_of("twin", cast.CHARLIE)
    twin.pk, twin.model, twin.number, twin.status, twin.job_id = None, other, 9, VersionState.LIVE, None
    twin.save(force_insert=True)
    ModelVersion.objects.filter(pk=superseded.pk).update(destroy_after=LONG_AGO)
    sweep.sweep()
    assert ModelVersion.objects.get(pk=superseded.pk).status == VersionState.DESTROYED
    assert superseded.sha256 in artifacts.stored()


def test_weights_that_no_row_knows_are_kept_for_a_day(
    live: ModelVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stray").mkdir()
    (tmp_path / "stray" / "weights").write_bytes(b"of a worker that was lost")
    _, stray = artifacts.store(tmp_path / "stray", "analytic_classifier")
    sweep.sweep()
    assert set(artifacts.stored()) == {live.sha256, stray}
    monkeypatch.setattr(artifacts, "stored", lambda: {live.sha256: 10.0**6, stray: 10.0**6})
    sweep.sweep()
    monkeypatch.undo()
    assert set(artifacts.stored()) == {live.sha256}


def test_nothing_is_destroyed_while_the_ledger_is_held(superseded: ModelVersion) -> None:
    """After a restore the rows are older than the weights: the versions that forgot somebody look out of use."""
    ModelVersion.objects.filter(pk=superseded.pk).update(destroy_after=LONG_AGO)
    hold.begin("The database is behind its signed heads.")
    sweep.sweep()
    assert superseded.sha256 in artifacts.stored()
    hold.lift()
    sweep.sweep()
    assert superseded.sha256 not in artifacts.stored()
