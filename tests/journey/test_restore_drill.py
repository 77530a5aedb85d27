"""An old backup is restored after somebody was erased. What docs/operate.md says is done, and the person stays erased."""

import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from pytest_django import Settings

from compliance.evidence.verify_export import verify_export
from compliance.ledger import hold, logs
from compliance.ledger.actors import SYSTEM
from compliance.ledger.checkpointer import LogForkError, sign_checkpoint
from compliance.ledger.models import LedgerEntry, Log, PendingEntry
from compliance.ledger.sequencer import sequence_batch
from compliance.registry.models import ModelVersion, VersionState
from compliance.reports import ledger_export
from compliance.requests import identities
from compliance.requests.actions.shred import shred
from compliance.requests.models import DeletionRequest, SubjectVault
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.api.caller import staff as calling
from tests.journey import backups
from tests.journey.restoring import LACKS_NOTHING, LONG_AGO, erase, holds, publish, rows_of_alice, run, serving
from tests.workers import digits
from workers import artifacts, director, sweep

FIRST, SECOND = 1, 2


@dataclass(frozen=True)
class Drill:
    """What is there once Alice is erased: the backup from before, and what a restore does not take back."""

    request_id: uuid.UUID
    backup: Path
    old_weights: Path
    new_weights: Path
    tokens: Path
    before: str
    after: str

    @property
    def log(self) -> Path:
        return Path(settings.LOG_DIR)


@pytest.fixture
def drill(live: ModelVersion, tmp_path: Path, settings: Settings) -> Drill:
    """Backed up while Alice's request was under review; then she was forgotten, shredded, and the old weights destroyed."""
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    backups.back_up(tmp_path / "backup")
    backups.copy(settings.ARTIFACTS_DIR, tmp_path / "old")
    cast.decide(request_id)
    after = erase(request_id)
    ModelVersion.objects.filter(pk=live.pk).update(destroy_after=LONG_AGO)
    sweep.sweep()
    shred(request_id, actor=SYSTEM)
    publish()
    backups.copy(settings.ARTIFACTS_DIR, tmp_path / "new")
    assert run("export_suppressions", str(tmp_path / "tokens"))[0] == 0
    return Drill(
        request_id=request_id,
        backup=tmp_path / "backup",
        old_weights=tmp_path / "old",
        new_weights=tmp_path / "new",
        tokens=tmp_path / "tokens",
        before=live.sha256,
        after=after,
    )


def restore(drill: Drill, *, weights: bool) -> None:
    """The old database, with the weights of its time or those of now. Guard and published log are never restored."""
    backups.restore(drill.backup)
    if weights:
        backups.copy(drill.old_weights, settings.ARTIFACTS_DIR)
    assert identities.identifier(SubjectVault.objects.get()) == cast.ALICE, "the backup brought her back"
    assert serving() == drill.before


# --- The drill, step by step ---------------------------------------------------------------------------------------


def test_an_old_backup_is_restored_and_the_person_stays_erased(drill: Drill, tmp_path: Path) -> None:
    restore(drill, weights=False)

    # 1. The checkpointer notices, signs nothing, and holds the ledger.
    code, said = run("checkpointer", "--once")
    assert (code, hold.current() is not None) == (3, True), said

    # 2. The people who were erased are known again, and so is the model that holds one of them.
    assert run("import_suppressions", str(drill.tokens))[0] == 0
    code, said = run("replay_erasures")
    assert (code, "12 records of 1 people" in said) == (1, True), said

    # 3. The published log tells what is lacking; looking changes nothing.
    code, told = run("replay_ledger", str(drill.log))
    assert code == 1
    assert f"request {drill.request_id}: shredded again" in told
    assert f"version {drill.before}: destroyed again" in told
    assert f"{drill.after} is in service again" in told
    assert (serving(), SubjectVault.objects.get().shredded_at) == (drill.before, None)

    # 4. It is done again.
    code, said = run("replay_ledger", str(drill.log), "--apply")
    assert (code, said) == (0, told.replace("Nothing was changed. With --apply this is done again.\n", ""))
    assert run("replay_ledger", str(drill.log)) == (0, LACKS_NOTHING)

    # 5. Nothing holds her: neither register, nor weights, nor vault.
    assert run("replay_erasures")[0] == 0
    assert (serving(), rows_of_alice()) == (drill.after, 0)
    assert holds(drill.after, cast.CHARLIE) and not holds(drill.after, cast.ALICE)
    request = DeletionRequest.objects.get()
    assert (request.state, request.closed_at is not None) == (RequestState.COMPLETED, True)
    assert cast.MARK not in backups.dump()

    # 6. The ledger goes on, under the heads that it had signed, and everything else with it.
    assert run("checkpointer", "--once")[0] == 0
    assert hold.current() is None
    sweep.sweep()
    assert set(artifacts.stored()) == {drill.after}
    assert run("shred", "--verify", str(drill.request_id))[0] == 0
    publish()
    assert not PendingEntry.objects.exists()
    verify_export(ledger_export.export(tmp_path / "export", []), n_processes=1)


def test_the_next_person_is_forgotten_by_the_version_that_was_put_back(drill: Drill, tmp_path: Path) -> None:
    restore(drill, weights=False)
    replayed(drill)
    request_id = digits.approved(cast.CHARLIE)
    third = erase(request_id)
    assert (
        ModelVersion.objects.get(sha256=third).n_records == ModelVersion.objects.get(sha256=drill.before).n_records - 24
    )
    assert not holds(third, cast.ALICE) and not holds(third, cast.CHARLIE)
    publish()
    verify_export(ledger_export.export(tmp_path / "export", [request_id]), n_processes=1)


def test_staff_can_look_at_a_request_that_was_brought_up_to_date(drill: Drill) -> None:
    restore(drill, weights=False)
    replayed(drill)
    dana = calling(cast.dana())
    assert dana.get("staff-request", drill.request_id).status_code == 200
    dana.http.force_login(cast.dana())
    assert dana.http.get(reverse("portal:request", args=[drill.request_id])).status_code == 200


def test_without_the_newer_weights_the_model_is_out_of_service_until_they_are_back(drill: Drill) -> None:
    restore(drill, weights=True)
    replayed(drill)
    assert serving() == ""
    sweep.sweep()
    assert drill.before not in artifacts.stored(), "what still knows her is destroyed, in service or not"

    backups.copy(drill.new_weights, settings.ARTIFACTS_DIR)
    replayed(drill)
    assert (serving(), rows_of_alice()) == (drill.after, 0)


def test_of_a_request_that_came_after_the_backup_only_the_erasure_is_left(live: ModelVersion, tmp_path: Path) -> None:
    """Neither row nor vault came back. The tokens tell whose records the version does not have."""
    backups.back_up(tmp_path / "backup")
    request_id = digits.approved()
    after = erase(request_id)
    publish()
    assert run("export_suppressions", str(tmp_path / "tokens"))[0] == 0
    backups.restore(tmp_path / "backup")
    assert run("import_suppressions", str(tmp_path / "tokens"))[0] == 0
    code, said = run("replay_ledger", settings.LOG_DIR, "--apply")
    assert (code, f"request {request_id}: its row is LOST, its last entry is request.completed" in said) == (0, True)
    assert (serving(), rows_of_alice()) == (after, 0)
    assert run("checkpointer", "--once")[0] == 0


def test_a_request_that_is_still_open_goes_on_from_where_its_row_is(live: ModelVersion, tmp_path: Path) -> None:
    request_id = cast.brought_to(RequestState.UNDER_REVIEW).request.pk
    backups.back_up(tmp_path / "backup")
    cast.take_more_time(request_id)
    publish()
    backups.restore(tmp_path / "backup")
    code, said = run("replay_ledger", settings.LOG_DIR, "--apply")
    assert (code, "OPEN: staff must look at it" in said) == (0, True)
    cast.run_ledger()
    cast.decide(request_id)
    erase(request_id)
    publish()
    verify_export(ledger_export.export(tmp_path / "export", [request_id]), n_processes=1)


def test_a_request_that_waited_for_its_second_signature_has_its_version_in_service_again(
    live: ModelVersion, tmp_path: Path
) -> None:
    """The backup has the version already, as a candidate."""
    request_id = digits.approved()
    director.run_job(digits.planned_for(request_id).pk)
    backups.back_up(tmp_path / "backup")
    cast.second_signature(request_id)
    publish()
    after = serving()
    backups.restore(tmp_path / "backup")
    assert serving() == live.sha256
    code, said = run("replay_ledger", settings.LOG_DIR, "--apply")
    assert (code, serving(), rows_of_alice()) == (0, after, 0), said
    assert ModelVersion.objects.get(pk=live.pk).status == VersionState.SUPERSEDED
    sweep.sweep()
    assert run("replay_ledger", settings.LOG_DIR) == (0, LACKS_NOTHING)


def test_versions_that_were_built_on_each_other_since_come_back_in_their_order(
    live: ModelVersion, tmp_path: Path
) -> None:
    """Of those in between the weights may be destroyed; what serves is all that has to be there."""
    backups.back_up(tmp_path / "backup")
    second, third = erase(digits.approved()), erase(digits.approved(cast.CHARLIE))
    ModelVersion.objects.filter(number__lt=3).update(destroy_after=LONG_AGO)
    sweep.sweep()
    publish()
    assert run("export_suppressions", str(tmp_path / "tokens"))[0] == 0
    backups.restore(tmp_path / "backup")
    run("import_suppressions", str(tmp_path / "tokens"))
    code, said = run("replay_ledger", settings.LOG_DIR, "--apply")
    assert (code, serving(), run("replay_erasures")[0]) == (0, third, 0), said
    status = dict(ModelVersion.objects.values_list("sha256", "status"))
    assert status == {live.sha256: "destroyed", second: "destroyed", third: "live"}, said
    assert ModelVersion.objects.get(sha256=third).n_records == live.n_records - 24


def test_logs_that_began_since_the_backup_come_back_too(live: ModelVersion, tmp_path: Path) -> None:
    backups.back_up(tmp_path / "backup")
    cast.ask(cast.CHARLIE)
    cast.run_ledger()
    logs.freeze()
    cast.ask(cast.CHARLIE)
    publish()
    assert Log.objects.count() == 2
    backups.restore(tmp_path / "backup")
    assert run("replay_ledger", settings.LOG_DIR, "--apply")[0] == 0
    assert Log.objects.count() == 2
    cast.ask(cast.CHARLIE)
    publish()
    verify_export(ledger_export.export(tmp_path / "export", []), n_processes=1)


def replayed(drill: Drill) -> None:
    """What the operator does, and the ledger goes on."""
    run("import_suppressions", str(drill.tokens))
    code, said = run("replay_ledger", str(drill.log), "--apply")
    assert code == 0, said
    cast.run_ledger()


# --- What it refuses -----------------------------------------------------------------------------------------------


def test_an_entry_that_was_changed_in_the_published_log_is_refused(drill: Drill) -> None:
    restore(drill, weights=False)
    (bundle,) = drill.log.glob("*/tile/entries/000.p/*")
    content = bundle.read_bytes()
    bundle.write_bytes(content.replace(b"art17_1_b", b"art17_1_c", 1))
    code, said = run("replay_ledger", str(drill.log), "--apply")
    assert (code, "cannot be relied on" in said) == (1, True), said
    assert serving() == drill.before


def test_a_log_that_we_never_signed_is_refused(drill: Drill) -> None:
    restore(drill, weights=False)
    (note,) = drill.log.glob("*/checkpoint")
    body, _, signature = note.read_text().rpartition(" ")
    note.write_text(f"{body} {signature[:-8]}AAAA{signature[-4:]}")
    settings.CHECKPOINT_GUARD_PATH.unlink()
    code, said = run("replay_ledger", str(drill.log), "--apply")
    assert (code, serving()) == (1, drill.before), said


def test_a_database_with_another_history_is_refused(drill: Drill) -> None:
    """Somebody let the sequencer run after the restore: the positions of lost entries went to others."""
    restore(drill, weights=False)
    cast.ask(cast.CHARLIE)
    sequence_batch()
    code, said = run("replay_ledger", str(drill.log), "--apply")
    assert (code, "are others in the database" in said, serving()) == (1, True, drill.before), said


def test_a_request_that_was_worked_on_since_the_restore_is_refused(drill: Drill) -> None:
    restore(drill, weights=False)
    cast.decide(drill.request_id)
    code, said = run("replay_ledger", str(drill.log), "--apply")
    assert (code, "was written on since the restore" in said) == (1, True), said


def test_signed_entries_that_nobody_published_are_named_and_the_ledger_stays_held(drill: Drill) -> None:
    cast.ask(cast.CHARLIE)
    cast.run_ledger()
    restore(drill, weights=False)
    code, said = run("replay_ledger", str(drill.log), "--apply")
    assert (code, "LOST" in said) == (0, True), said
    with pytest.raises(LogForkError):
        sign_checkpoint()
    assert serving() == drill.after, "what was published is done again all the same"


def test_a_database_that_lacks_nothing_is_left_alone(drill: Drill) -> None:
    before = backups.dump()
    n_entries = LedgerEntry.objects.count()
    assert run("replay_ledger", str(drill.log), "--apply") == (
        0,
        LACKS_NOTHING,
    )
    assert LedgerEntry.objects.count() == n_entries
    assert lines(backups.dump()) == lines(before)
    assert ModelVersion.objects.get(number=FIRST).status == VersionState.DESTROYED
    assert ModelVersion.objects.get(number=SECOND).status == VersionState.LIVE


def lines(dump: str) -> list[str]:
    """pg_dump puts a random word around its commands."""
    return [line for line in dump.splitlines() if "restrict" not in line]
