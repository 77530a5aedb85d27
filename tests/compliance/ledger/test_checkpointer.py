"""A checkpoint is signed for what is committed, and never for a log that was cut, changed, restored or lost."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError, transaction

from compliance.evidence import checkpoint, key_files, tiles
from compliance.ledger import hold, keys, logs, notes
from compliance.ledger.actions.distrust_key import distrust_key
from compliance.ledger.checkpointer import GuardBehindError, LogForkError, OtherKeyError, sign_checkpoint
from compliance.ledger.errors import KeyOutOfUseError
from compliance.ledger.guard import Guard, GuardError, GuardNotWrittenError, SignedHead
from compliance.ledger.hold import LedgerHeldError
from compliance.ledger.models import HashTile, LedgerEntry, Log, PendingEntry, PublicKey, SignedCheckpoint
from compliance.ledger.process_loop import ALARM_EXIT_CODE
from compliance.ledger.sequencer import sequence_batch
from tests.compliance.ledger.clock import set_clock
from tests.compliance.ledger.growing import as_owner, grow_to, position_all, write

pytestmark = pytest.mark.django_db


class PowerLossError(Exception):
    """The database went away before it could commit."""


def cut_to(size: int) -> None:
    """What a backup of the time brings back when the (only) log had this many entries, not yet a full tile."""
    with as_owner():
        SignedCheckpoint.objects.filter(end__gt=size).delete()
        LedgerEntry.objects.filter(position__gte=size).delete()
        Log.objects.update(size=size)
        for tile in HashTile.objects.filter(level=0, index=0):
            tile.hashes = bytes(tile.hashes)[: size * 32]
            tile.save()


def heads() -> list[tuple[int, str]]:
    return list(SignedCheckpoint.objects.order_by("end").values_list("end", "root_sha256"))


def refuse_to_sign(match: str, error: type[Exception] = LogForkError, *, is_held: bool = True) -> None:
    before, remembered = heads(), guard_bytes()
    with pytest.raises(error, match=match):
        sign_checkpoint()
    assert heads() == before
    assert guard_bytes() == remembered
    assert (hold.current() is not None) == is_held


def guard_bytes() -> bytes | None:
    path = Path(settings.CHECKPOINT_GUARD_PATH)
    return path.read_bytes() if path.exists() else None


def test_it_refuses_a_log_that_is_shorter_than_what_was_signed() -> None:
    grow_to(10)
    with as_owner():
        Log.objects.update(size=9)
    refuse_to_sign("holds 9 entries, but a checkpoint over 10 was signed")


def test_it_refuses_a_restored_database_although_it_fits_its_own_checkpoints() -> None:
    grow_to(5)
    grow_to(10)
    cut_to(5)
    refuse_to_sign("holds 5 entries, but a checkpoint over 10 was signed.* Was a backup restored")


@pytest.mark.parametrize("n_more", [4, 5, 6, 300])
def test_it_refuses_a_restored_database_that_grew_another_way(n_more: int) -> None:
    grow_to(5)
    grow_to(10)
    cut_to(5)
    write(n_more, first=1000)
    # As if it had grown before the checkpointer looked.
    assert sequence_batch(n_more) == n_more
    refuse_to_sign("holds 9 entries" if n_more == 4 else "first 10 entries .* no longer have the root")


def test_it_refuses_a_log_whose_first_entries_changed() -> None:
    grow_to(10)
    tile = HashTile.objects.get(level=0, index=0)
    tile.hashes = bytes(32) + bytes(tile.hashes)[32:]
    tile.save()
    write(1)
    position_all()
    refuse_to_sign("log was changed")


def test_it_refuses_a_database_that_does_not_know_a_log_that_was_signed() -> None:
    grow_to(10)
    with as_owner():
        SignedCheckpoint.objects.all().delete()
        LedgerEntry.objects.all().delete()
        HashTile.objects.all().delete()
        Log.objects.all().delete()
    refuse_to_sign("is not in the database")
    write(1)
    hold.lift()
    position_all()
    refuse_to_sign("holds 1 entries, but a checkpoint over 10 was signed")


def test_it_refuses_a_log_whose_older_year_was_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, datetime(2026, 12, 31, tzinfo=UTC))
    grow_to(10)
    set_clock(monkeypatch, datetime(2027, 1, 1, tzinfo=UTC))
    write(2)
    position_all()
    sign_checkpoint()
    tile = HashTile.objects.get(log=1, level=0, index=0)
    tile.hashes = bytes(32) + bytes(tile.hashes)[32:]
    tile.save()
    refuse_to_sign("/2026 no longer have the root")


def test_it_refuses_to_go_on_under_another_key() -> None:
    grow_to(3)
    path = keys.key_path(keys.Purpose.CHECKPOINT)
    kept = path.with_name("kept.pem")
    path.rename(kept)
    try:
        key_files.generate_log_key(path)
        write(1)
        position_all()
        refuse_to_sign("another key than the one configured", OtherKeyError, is_held=False)
    finally:
        kept.replace(path)
    assert sign_checkpoint() is not None


def test_it_signs_nothing_that_it_cannot_remember(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grow_to(3)
    write(1)
    position_all()
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(settings, "CHECKPOINT_GUARD_PATH", tmp_path / "file" / "guard")
    with pytest.raises(GuardError, match="cannot be locked"):
        sign_checkpoint()
    assert len(heads()) == 2
    assert hold.current() is not None, "whether it fits cannot be told"


def test_a_full_disk_of_the_guard_holds_nothing(tmp_path: Path) -> None:
    grow_to(3)
    write(1)
    position_all()
    path = Path(settings.CHECKPOINT_GUARD_PATH)
    path.with_name(f"{path.name}.new").mkdir()
    refuse_to_sign("cannot be written", GuardNotWrittenError, is_held=False)
    path.with_name(f"{path.name}.new").rmdir()
    assert sign_checkpoint() is not None


# --- A guard that is not what it was --------------------------------------------------------------------------------


def lose_it(path: Path, older: bytes) -> None:
    path.unlink()


def empty_it(path: Path, older: bytes) -> None:
    path.write_bytes(b"")


def take_an_older_one(path: Path, older: bytes) -> None:
    path.write_bytes(older)


CHANGES = [pytest.param(each, id=each.__name__) for each in (lose_it, empty_it, take_an_older_one)]


@pytest.mark.parametrize("change", CHANGES)
def test_it_refuses_a_guard_that_holds_less_than_the_database(change: Callable[[Path, bytes], None]) -> None:
    grow_to(5)
    path = Path(settings.CHECKPOINT_GUARD_PATH)
    older = path.read_bytes()
    grow_to(10)
    kept = path.read_bytes()
    change(path, older)
    refuse_to_sign("missing, or older than the database: it holds no head over 10 entries", GuardBehindError)
    write(1)
    with pytest.raises(LedgerHeldError):
        sequence_batch()
    path.write_bytes(kept)
    assert sign_checkpoint() is None
    assert hold.current() is None
    assert sequence_batch() == 1


def test_it_refuses_a_guard_that_lacks_one_log_of_several() -> None:
    grow_to(5)
    logs.freeze()
    write(1)
    position_all()
    grow_to(8)
    path = Path(settings.CHECKPOINT_GUARD_PATH)
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[1])
    refuse_to_sign("holds no head over 5 entries of", GuardBehindError)


def command(*arguments: str) -> str:
    output = io.StringIO()
    call_command("checkpointer", *arguments, stdout=output, stderr=io.StringIO())
    return output.getvalue()


@pytest.mark.parametrize("change", CHANGES)
def test_a_person_can_let_the_guard_take_the_stored_heads_over(
    change: Callable[[Path, bytes], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    grow_to(5)
    path = Path(settings.CHECKPOINT_GUARD_PATH)
    older = path.read_bytes()
    newest = grow_to(10)
    kept = path.read_bytes()
    change(path, older)
    left = guard_bytes()
    with pytest.raises(CommandError, match="no terminal to ask"):
        command("--adopt-heads")
    monkeypatch.setattr("sys.stdin", Terminal("no\n"))
    with pytest.raises(CommandError, match="Nothing was adopted"):
        command("--adopt-heads")
    assert guard_bytes() == left
    monkeypatch.setattr("sys.stdin", Terminal("yes\n"))
    said = command("--adopt-heads")
    shown = f"{newest.log.origin}: 10 entries, root {newest.root_sha256}"
    assert f"Stored, and not in the guard: {shown}\n" in said and f"Adopted {shown}\n" in said
    assert guard_bytes() == kept
    assert command("--adopt-heads", "--yes") == "The guard holds every stored head: nothing to adopt.\n"
    assert command("--once") == "Nothing more to sign.\n"


class Terminal(io.StringIO):
    """Somebody who types this."""

    def isatty(self) -> bool:
        return True


def test_heads_of_a_log_that_does_not_fit_them_are_not_adopted() -> None:
    grow_to(10)
    Path(settings.CHECKPOINT_GUARD_PATH).unlink()
    with as_owner():
        Log.objects.update(size=9)
    with pytest.raises(CommandError, match="holds 9 entries, but a checkpoint over 10") as refusal:
        command("--adopt-heads", "--yes")
    assert refusal.value.returncode == ALARM_EXIT_CODE
    assert guard_bytes() is None


def test_heads_are_not_adopted_beside_a_log_that_is_gone() -> None:
    grow_to(5)
    Path(settings.CHECKPOINT_GUARD_PATH).unlink()
    Guard(settings.CHECKPOINT_GUARD_PATH).remember(SignedHead("elsewhere.example/1999", 5, "ab" * 32, b"note"))
    with pytest.raises(CommandError, match=r"elsewhere\.example/1999, of which a head was signed, is not in"):
        command("--adopt-heads", "--yes")


# --- The hold -------------------------------------------------------------------------------------------------------


def test_after_a_restored_backup_no_position_is_given_to_other_entries() -> None:
    """Somebody may hold a proof of the entry that stood there."""
    grow_to(5)
    grow_to(10)
    cut_to(5)
    write(20, first=1000)
    refuse_to_sign("Was a backup restored")
    first = hold.current()
    assert first is not None and "holds 5 entries, but a checkpoint over 10 was signed" in first.reason
    with pytest.raises(LedgerHeldError, match="Was a backup restored"):
        sequence_batch()
    assert LedgerEntry.objects.count() == 5
    assert PendingEntry.objects.count() == 20
    refuse_to_sign("Was a backup restored")
    again = hold.current()
    assert again is not None and again.since == first.since


def test_the_hold_names_the_newest_reason_and_ends_when_everything_fits() -> None:
    grow_to(10)
    path = Path(settings.CHECKPOINT_GUARD_PATH)
    kept = path.read_bytes()
    for content, reason in ((b"no guard\n", "none of a guard's"), (b"", "missing, or older")):
        path.write_bytes(content)
        refuse_to_sign(reason, GuardError)
        held = hold.current()
        assert held is not None and reason in held.reason
    path.write_bytes(kept)
    assert sign_checkpoint() is None
    assert hold.current() is None


def test_tiles_that_are_not_whole_hold_the_ledger() -> None:
    grow_to(10)
    with as_owner():
        HashTile.objects.all().delete()
    refuse_to_sign("shorter than asked", tiles.TileError)


def test_what_keeps_the_hold_from_being_written_does_not_hide_the_alarm(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    grow_to(10)
    Path(settings.CHECKPOINT_GUARD_PATH).unlink()

    def fail(reason: str) -> None:
        raise OperationalError("read-only")

    monkeypatch.setattr(hold, "begin", fail)
    refuse_to_sign("missing, or older", GuardBehindError, is_held=False)
    assert "the database did not take the hold" in caplog.text


def test_no_log_begins_under_a_distrusted_key() -> None:
    grow_to(3)
    logs.freeze()
    distrust_key(PublicKey.objects.get().key_sha256, distrusted_from=datetime.now(tz=UTC))
    position_all()
    assert Log.objects.count() == 2
    refuse_to_sign("which is distrusted", KeyOutOfUseError, is_held=False)


def test_nothing_new_is_not_signed_again() -> None:
    grow_to(3)
    assert sign_checkpoint() is None


def test_a_head_that_was_remembered_and_not_stored_is_taken_over_as_it_was_signed() -> None:
    """The database went away between the guard and the commit: the note may have been seen."""
    grow_to(3)
    write(2)
    position_all()
    with pytest.raises(PowerLossError), transaction.atomic():
        signed = sign_checkpoint()
        raise PowerLossError
    assert signed is not None and signed.end == 5
    write(4)
    position_all()
    adopted = sign_checkpoint()
    assert adopted is not None and adopted.end == 5 and bytes(adopted.note) == bytes(signed.note)
    newest = sign_checkpoint()
    assert newest is not None and newest.end == 9
    assert [end for end, _ in heads()] == [1, 3, 5, 9]


def test_a_first_head_that_was_not_stored_is_taken_over_with_its_key() -> None:
    keys.create_missing()
    write(3)
    position_all()
    with pytest.raises(PowerLossError), transaction.atomic():
        sign_checkpoint()
        raise PowerLossError
    assert not PublicKey.objects.exists()
    adopted = sign_checkpoint()
    assert adopted is not None and adopted.end == 3
    assert checkpoint.open_note(bytes(adopted.note), [PublicKey.objects.get().text]).size == 3


def test_a_lost_checkpoint_table_is_rebuilt_from_the_guard_and_not_forked() -> None:
    before = grow_to(3)
    with as_owner():
        SignedCheckpoint.objects.all().delete()
    again = sign_checkpoint()
    assert again is not None
    assert (again.end, bytes(again.note)) == (before.end, bytes(before.note))


def test_the_newest_checkpoint_verifies_under_the_published_key() -> None:
    newest = grow_to(300)
    opened = checkpoint.open_note(bytes(newest.note), [PublicKey.objects.get().text])
    assert opened == checkpoint.Checkpoint(newest.log.origin, 300, bytes.fromhex(newest.root_sha256))
    assert opened.root == tiles.root(300, logs.reader(newest.log))
    assert notes.vkey_of(bytes(newest.note)) == PublicKey.objects.get().text


def test_when_the_year_turns_the_old_log_is_signed_to_its_end_before_the_new_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_clock(monkeypatch, datetime(2026, 12, 31, tzinfo=UTC))
    grow_to(3)
    write(2)
    position_all()
    set_clock(monkeypatch, datetime(2027, 1, 1, tzinfo=UTC))
    write(2)
    position_all()
    last = sign_checkpoint()
    position_all()
    first = sign_checkpoint()
    assert last is not None and first is not None
    assert (last.log_id, last.size, last.end) == (1, 5, 5)
    assert (first.log_id, first.size, first.end) == (2, 3, 8)
    # The new log's name is published with its key.
    assert {text.partition("+")[0][-5:] for text in PublicKey.objects.values_list("text", flat=True)} == {
        "/2026",
        "/2027",
    }


def test_the_command_ends_with_a_code_of_its_own_when_the_log_was_forked() -> None:
    grow_to(10)
    with as_owner():
        Log.objects.update(size=9)
    with pytest.raises(CommandError, match="Was a backup restored") as refusal:
        command("--once")
    assert refusal.value.returncode == 3


def test_the_command_says_which_key_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(1)
    position_all()
    monkeypatch.setattr(settings, "LEDGER_KEY_PATH", tmp_path / "nowhere.pem")
    with pytest.raises(CommandError, match=r"nowhere\.pem") as refusal:
        command("--once")
    assert refusal.value.returncode == 1


def test_the_command_signs_all_that_is_due_and_stops() -> None:
    keys.create_missing()
    write(3)
    position_all()
    said = command("--once")
    assert [end for end, _ in heads()] == [3]
    head = SignedCheckpoint.objects.get()
    assert said == f"Signed {head.log.origin}: 3 entries, root {head.root_sha256}\nNothing more to sign.\n"
    assert Guard(settings.CHECKPOINT_GUARD_PATH).heads()[Log.objects.get().origin].size == 3
