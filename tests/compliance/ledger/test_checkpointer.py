"""A checkpoint is signed for what is committed, and never for a log that was cut, changed, restored or lost."""

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import transaction

from compliance.evidence import checkpoint, key_files, tiles
from compliance.ledger import keys, logs, notes
from compliance.ledger.checkpointer import LogForkError, OtherKeyError, sign_checkpoint
from compliance.ledger.guard import Guard, GuardError
from compliance.ledger.models import HashTile, LedgerEntry, Log, PublicKey, SignedCheckpoint
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


def refuse_to_sign(match: str, error: type[Exception] = LogForkError) -> None:
    before, remembered = heads(), Path(settings.CHECKPOINT_GUARD_PATH).read_bytes()
    with pytest.raises(error, match=match), transaction.atomic():
        sign_checkpoint()
    assert heads() == before
    assert Path(settings.CHECKPOINT_GUARD_PATH).read_bytes() == remembered


def test_it_refuses_a_log_that_is_shorter_than_what_was_signed() -> None:
    grow_to(10)
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
        refuse_to_sign("another key than the one configured", OtherKeyError)
    finally:
        kept.replace(path)
    assert sign_checkpoint() is not None


def test_it_signs_nothing_that_it_cannot_remember(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grow_to(3)
    write(1)
    position_all()
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(settings, "CHECKPOINT_GUARD_PATH", tmp_path / "file" / "guard")
    with pytest.raises(GuardError, match="cannot be locked"), transaction.atomic():
        sign_checkpoint()
    assert len(heads()) == 2


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


def command(*arguments: str) -> None:
    call_command("checkpointer", *arguments, stderr=io.StringIO())


def test_the_command_ends_with_a_code_of_its_own_when_the_log_was_forked() -> None:
    grow_to(10)
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
    command("--once")
    assert [end for end, _ in heads()] == [3]
    assert Guard(settings.CHECKPOINT_GUARD_PATH).heads()[Log.objects.get().origin].size == 3
