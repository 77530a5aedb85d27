"""After a restore the version serves that was the newest put into service, and nothing that serves is destroyed."""

import uuid
from pathlib import Path

import pytest
from django.conf import settings

from compliance.evidence.verify_export import verify_export
from compliance.ledger import actors
from compliance.ledger.actors import SYSTEM
from compliance.registry.models import ModelVersion, RegisteredModel, VersionState
from compliance.reports import ledger_export
from compliance.requests.actions.fail_job import fail_job
from compliance.requests.actions.plan import plan
from compliance.requests.actions.start_job import start_job
from compliance.requests.models import Job
from tests.compliance import cast
from tests.journey import backups
from tests.journey.restoring import LACKS_NOTHING, LONG_AGO, erase, holds, publish, rows_of_alice, run, serving
from tests.workers import digits, killing
from workers import director, summaries, sweep


def worked_on(email: str = cast.ALICE) -> uuid.UUID:
    """A request whose version passed, and that waits for its signature."""
    request_id = digits.approved(email)
    director.run_job(digits.planned_for(request_id).pk)
    return request_id


def restored(tmp_path: Path) -> str:
    """The backup and the tokens come back, and the log is replayed; what that said."""
    assert run("export_suppressions", str(tmp_path / "tokens"))[0] == 0
    backups.restore(tmp_path / "backup")
    assert run("import_suppressions", str(tmp_path / "tokens"))[0] == 0
    code, said = run("replay_ledger", settings.LOG_DIR, "--apply")
    assert code == 0, said
    again = run("replay_ledger", settings.LOG_DIR)[1]
    assert again == LACKS_NOTHING or again.count("\n") == 1 + again.count("LOST"), again
    cast.run_ledger()
    return said


def numbers() -> tuple[int | None, int | None]:
    """Of the versions in service and at the head."""
    found = RegisteredModel.objects.values_list("live__number", "head__number")
    return found.get()


def test_the_newest_version_serves_though_an_older_one_was_signed_last(live: ModelVersion, tmp_path: Path) -> None:
    alice, charlie = worked_on(), worked_on(cast.CHARLIE)
    backups.back_up(tmp_path / "backup")
    cast.second_signature(charlie)
    third = serving()
    cast.second_signature(alice)
    publish()
    restored(tmp_path)
    assert serving() == third
    assert not holds(third, cast.CHARLIE) and not holds(third, cast.ALICE)
    assert run("replay_erasures")[0] == 0


def test_a_healthy_database_keeps_its_newest_version_in_service_when_an_older_one_is_gone(
    live: ModelVersion, tmp_path: Path
) -> None:
    alice, charlie = worked_on(), worked_on(cast.CHARLIE)
    cast.second_signature(charlie)
    cast.second_signature(alice)
    third = serving()
    ModelVersion.objects.filter(number__lt=3).update(destroy_after=LONG_AGO)
    sweep.sweep()
    publish()
    assert run("replay_ledger", settings.LOG_DIR, "--apply") == (0, LACKS_NOTHING)
    assert serving() == third


def test_a_database_that_is_newer_than_the_published_log_keeps_what_serves(live: ModelVersion) -> None:
    erase(digits.approved())
    publish()
    third = erase(digits.approved(cast.CHARLIE))
    cast.run_ledger()
    assert run("replay_ledger", settings.LOG_DIR, "--apply")[1].startswith("LOST")
    assert serving() == third


@pytest.mark.parametrize("is_disclosed", [False, True])
def test_a_version_of_another_request_that_a_completion_put_into_service_serves_again(
    live: ModelVersion, tmp_path: Path, is_disclosed: bool
) -> None:
    """Alice asked twice. The signature of the second request puts the version of the first into service."""
    first, second = worked_on(), digits.approved()
    plan(second, actor=SYSTEM)
    cast.run_ledger()
    backups.back_up(tmp_path / "backup")
    cast.second_signature(second)
    publish()
    after = serving()
    assert not holds(after, cast.ALICE)
    restored(tmp_path)
    assert serving() == after
    cast.second_signature(first)
    publish()
    disclosed = [first, second] if is_disclosed else []
    verify_export(ledger_export.export(tmp_path / "export", disclosed), n_processes=1)


def test_a_version_that_was_destroyed_and_made_again_is_left_in_service(
    live: ModelVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first run was lost after its version was recorded; that was rejected, and destroyed. The retry made it anew."""
    request_id = digits.approved()
    backups.back_up(tmp_path / "backup")
    job = digits.planned_for(request_id)
    with monkeypatch.context() as context:
        context.setattr(director, "record_findings", killing.killed)
        killing.run_until_killed(job)
    another = actors.worker(uuid.UUID(int=9, version=4))
    assert start_job(job.pk, actor=another) is not None
    fail_job(job.pk, actor=another, reason="data")
    rejected = ModelVersion.objects.get(number=2)
    assert rejected.status == VersionState.REJECTED
    ModelVersion.objects.filter(pk=rejected.pk).update(destroy_after=LONG_AGO)
    sweep.sweep()
    cast.try_again(request_id)
    cast.run_ledger()
    director.run_job(Job.objects.get(targets__request=request_id, state="queued").pk)
    cast.second_signature(request_id)
    publish()
    assert serving() == rejected.sha256
    assert run("replay_ledger", settings.LOG_DIR, "--apply") == (0, LACKS_NOTHING)
    restored(tmp_path)
    sweep.sweep()
    assert (serving(), rows_of_alice()) == (rejected.sha256, 0)
    publish()
    verify_export(ledger_export.export(tmp_path / "export", []), n_processes=1)


def test_what_is_built_upon_next_does_not_go_back_behind_a_version_that_passed(
    live: ModelVersion, tmp_path: Path
) -> None:
    alice, charlie = worked_on(), worked_on(cast.CHARLIE)
    backups.back_up(tmp_path / "backup")
    cast.second_signature(alice)
    publish()
    restored(tmp_path)
    assert numbers() == (2, 3)
    summaries.summarise(alice)
    cast.second_signature(charlie)
    assert numbers() == (3, 3)
    fourth = erase(digits.approved(digits.TRAINED[2]))
    assert not any(holds(fourth, email) for email in (cast.ALICE, cast.CHARLIE, digits.TRAINED[2]))
    publish()
    verify_export(ledger_export.export(tmp_path / "export", [alice, charlie]), n_processes=1)
