"""The patrol: whatever is changed in the stored log, it is found, also where no new checkpoint looks; and it takes turns."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from compliance.evidence import merkle
from compliance.ledger import leaf_check, logs, outsiders, patrol
from compliance.ledger.models import HashTile, LedgerEntry, Log, Outsider
from compliance.ledger.patrol import ChangedLogError, Patrol
from compliance.ledger.process_loop import ALARM_EXIT_CODE
from tests.compliance.ledger.growing import as_owner, grow_to, position_all, write

pytestmark = pytest.mark.django_db


def change_an_entry() -> None:
    """Its leaf and its hash, as somebody would who knows how they belong together."""
    leaf_check.remove(connection)
    entry = LedgerEntry.objects.get(position=5)
    entry.leaf = bytes(entry.leaf).replace(b"evidence", b"eviden5e")
    entry.leaf_sha256 = merkle.leaf_hash(entry.leaf).hex()
    entry.save()
    leaf_check.install(connection)


def change_the_hash_of_an_entry() -> None:
    leaf_check.remove(connection)
    LedgerEntry.objects.filter(position=5).update(leaf_sha256="ab" * 32)
    leaf_check.install(connection)


def remove_an_entry() -> None:
    LedgerEntry.objects.filter(position=7).delete()


def remove_the_last_entry_of_a_bundle() -> None:
    LedgerEntry.objects.filter(position=255).delete()


def change_a_tile() -> None:
    tile = HashTile.objects.get(level=0, index=0)
    tile.hashes = b"\xff" * 32 + bytes(tile.hashes)[32:]
    tile.save()


def change_an_entry_and_its_tile() -> None:
    change_an_entry()
    tile = HashTile.objects.get(level=0, index=0)
    digest = bytes.fromhex(LedgerEntry.objects.get(position=5).leaf_sha256)
    tile.hashes = bytes(tile.hashes)[: 5 * 32] + digest + bytes(tile.hashes)[6 * 32 :]
    tile.save()


def remove_a_tile() -> None:
    HashTile.objects.filter(level=0, index=0).delete()


CHANGES = [
    pytest.param(change, message, id=change.__name__)
    for change, message in (
        (change_an_entry, "entries 0 to 255 of the database do not have the hashes"),
        (change_the_hash_of_an_entry, "Entry 5 of the database does not have its hash"),
        (remove_an_entry, "Entry 8 of the database does not have its hash, or its place"),
        (remove_the_last_entry_of_a_bundle, "entries 0 to 255"),
        (change_a_tile, "entries 0 to 255"),
        (change_an_entry_and_its_tile, "Tile 1/0 of .* does not fit the one below"),
        (remove_a_tile, "entries 0 to 255"),
    )
]


@pytest.mark.parametrize(("change", "message"), CHANGES)
def test_a_change_that_no_checkpoint_looks_at_is_an_alarm(
    change: Callable[[], None], message: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    head = grow_to(300)
    with as_owner():
        change()
    write(1, first=1000)
    position_all()
    call_command("checkpointer", "--once")
    newest = logs.last_checkpoint(head.log)
    assert newest is not None and newest.size == 301, "the next checkpoint is signed all the same"
    with pytest.raises(ChangedLogError, match=message):
        patrol.check_bundle(newest.log, 0)
    patrol.check_bundle(newest.log, 1)
    # Both bundles, from wherever it begins.
    walker = Patrol()
    walker.walk()
    walker.walk()
    row = Outsider.objects.get(name=patrol.NAME)
    assert row.is_alarm and "The table was changed" in row.problem
    assert "FORK ALARM. stored log" in caplog.text


def test_the_command_that_compares_everything_ends_with_the_code_of_an_alarm() -> None:
    grow_to(300)
    with as_owner():
        change_an_entry()
    for _ in range(2):
        with pytest.raises(CommandError, match="stored log: The entries 0 to 255") as refusal:
            call_command("publisher", "--once", "--whole")
        assert refusal.value.returncode == ALARM_EXIT_CODE


@pytest.mark.parametrize("size", [2, 255, 256, 257, 512, 600])
def test_a_log_that_nobody_changed_raises_nothing(size: int) -> None:
    head = grow_to(size)
    logs.freeze()
    write(2)
    position_all()
    walker = Patrol()
    walker.walk(is_whole=True)
    for _ in range(4):
        walker.walk()
    assert not Outsider.objects.exists(), "and nothing is written"
    assert Log.objects.get(number=head.log_id).size == size


def test_an_empty_ledger_has_nothing_to_look_at() -> None:
    Patrol().walk()
    Patrol().walk(is_whole=True)


def test_every_bundle_of_every_log_has_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    grow_to(600)
    logs.freeze()
    write(300)
    position_all()
    seen: list[tuple[int, int]] = []
    monkeypatch.setattr(patrol, "check_bundle", lambda log, index: seen.append((log.number, index)))
    walker = Patrol()
    for _ in range(5):
        walker.walk()
    assert sorted(seen) == [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1)]
    walker.walk()
    assert seen[5] == seen[0], "and then it begins again"


def test_an_alarm_is_quiet_for_a_minute_and_stays_until_a_round_finds_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grow_to(300)
    tile = HashTile.objects.get(level=0, index=0)
    kept = bytes(tile.hashes)
    change_a_tile()
    walker = Patrol()
    walker.walk()
    walker.walk()
    row = Outsider.objects.get()
    assert row.is_alarm and row.n_failures == 1
    for _ in range(4):
        walker.walk()
    assert Outsider.objects.get().n_failures == 1
    HashTile.objects.filter(level=0, index=0).update(hashes=kept)
    Outsider.objects.update(next_try_at=None)
    walker.walk()
    assert Outsider.objects.get().is_alarm, "one bundle of two is no round"
    monkeypatch.setattr(outsiders, "ALARM_PAUSE", 0)
    walker.walk()
    walker.walk()
    assert not Outsider.objects.get().is_alarm
