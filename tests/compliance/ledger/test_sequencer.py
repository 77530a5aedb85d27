"""Positions are gap-free over all logs, each tree is that of RFC 6962, and two sequencers never give one position twice."""

import threading
from datetime import UTC, datetime

import pytest
from django.conf import settings as configuration
from django.core.management import call_command
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.evidence import leaf, tiles
from compliance.ledger import logs, sequencer
from compliance.ledger.actors import SYSTEM
from compliance.ledger.checkpointer import sign_checkpoint
from compliance.ledger.models import HashTile, LedgerEntry, Log, PendingEntry, SignedCheckpoint
from compliance.ledger.record import record_event
from compliance.ledger.sequencer import sequence_batch
from tests.compliance import cast
from tests.compliance.evidence import rfc6962
from tests.compliance.ledger.clock import set_clock


def write(n_entries: int) -> None:
    """Waiting entries, each with another leaf."""
    for _ in range(n_entries):
        number = PendingEntry.objects.count() + LedgerEntry.objects.count()
        facts = {"purpose": "evidence", "key_sha256": f"{number:064x}"}
        with transaction.atomic():
            record_event("key.published", actor=SYSTEM, facts=facts)


def drain(limit: int = 1000) -> None:
    while sequence_batch(limit):
        pass


def assert_sound(n_entries: int) -> None:
    """Positions count from 0 over all logs, and each log's tiles have the root of its entries."""
    rows = list(LedgerEntry.objects.order_by("position"))
    assert [row.position for row in rows] == list(range(n_entries))
    assert not PendingEntry.objects.exists()
    end = 0
    for log in Log.objects.order_by("number"):
        assert log.first_position == end
        leaves = [bytes.fromhex(row.leaf_sha256) for row in rows[log.first_position : log.end]]
        assert tiles.root(log.size, logs.reader(log)) == rfc6962.root_of(leaves)
        end = log.end
    assert end == n_entries


@pytest.mark.django_db
def test_an_empty_outbox_writes_nothing() -> None:
    assert sequence_batch() == 0
    assert not HashTile.objects.exists()
    assert not Log.objects.exists()


@pytest.mark.django_db
def test_a_size_that_disagrees_with_the_tiles_stops_the_sequencer() -> None:
    write(3)
    sequence_batch()
    Log.objects.update(size=5)
    write(1)
    with pytest.raises(tiles.TileError, match="Head and tiles disagree"), transaction.atomic():
        sequence_batch()
    assert PendingEntry.objects.count() == 1


@pytest.mark.django_db
def test_a_new_year_waits_until_the_old_log_is_signed_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC))
    write(3)
    drain()
    set_clock(monkeypatch, datetime(2027, 1, 1, tzinfo=UTC))
    write(2)
    assert sequence_batch() == 0
    log = Log.objects.get()
    assert log.frozen_at is not None and log.size == 3
    assert PendingEntry.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("n_pending", [1, 300])
def test_a_log_of_a_new_year_begins_with_the_head_of_the_old_one(
    monkeypatch: pytest.MonkeyPatch, n_pending: int
) -> None:
    set_clock(monkeypatch, datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC))
    cast.ask()
    cast.run_ledger()
    set_clock(monkeypatch, datetime(2027, 1, 1, tzinfo=UTC))
    write(n_pending)
    drain()
    old, new = Log.objects.order_by("number")
    assert (old.origin, new.origin) == (f"{configuration.LEDGER_ORIGIN}/2026", f"{configuration.LEDGER_ORIGIN}/2027")
    last = SignedCheckpoint.objects.latest("end")
    opening = leaf.parse(bytes(LedgerEntry.objects.get(position=new.first_position).leaf))
    assert opening.type == "log.opened"
    assert opening.facts == {"log": 2, "previous_size": old.size, "previous_root_sha256": last.root_sha256}
    assert (last.log_id, last.size, new.size) == (1, old.size, n_pending + 1)
    assert_sound(new.end)


@pytest.mark.django_db
def test_a_clock_that_goes_back_opens_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, datetime(2027, 1, 1, tzinfo=UTC))
    write(1)
    drain()
    set_clock(monkeypatch, datetime(2026, 12, 31, tzinfo=UTC))
    write(1)
    drain()
    assert Log.objects.get().size == 2


@pytest.mark.django_db
def test_a_frozen_log_takes_no_entry_and_a_second_one_of_the_year_follows() -> None:
    write(2)
    drain()
    logs.freeze()
    write(1)
    assert sequence_batch() == 0, "the last checkpoint is missing"
    sign_checkpoint()
    drain()
    first, second = Log.objects.order_by("number")
    assert second.origin == f"{first.origin}-2"
    assert first.size == 2
    logs.freeze()
    while sign_checkpoint() is not None:
        pass
    write(1)
    drain()
    third = Log.objects.order_by("number").last()
    assert third is not None and third.origin == f"{first.origin}-3"
    assert_sound(third.end)


@pytest.mark.django_db(transaction=True)
@settings(max_examples=8, deadline=None)
@given(batches=st.lists(st.integers(1, 40), min_size=1, max_size=4), limit=st.integers(1, 50))
def test_any_batches_give_the_tree_of_the_rfc(batches: list[int], limit: int) -> None:
    n_before = LedgerEntry.objects.count()
    for n_entries in batches:
        write(n_entries)
        drain(limit)
    assert_sound(n_before + sum(batches))


@pytest.mark.django_db
def test_the_order_is_that_of_the_outbox() -> None:
    write(300)
    expected = list(PendingEntry.objects.order_by("pk").values_list("leaf_sha256", flat=True))
    drain(7)
    assert list(LedgerEntry.objects.order_by("position").values_list("leaf_sha256", flat=True)) == expected
    assert_sound(300)


@pytest.mark.django_db(transaction=True)
def test_two_sequencers_and_two_writers_leave_no_gap_and_no_duplicate() -> None:
    errors: list[BaseException] = []

    def guarded(work: object) -> None:
        try:
            assert callable(work)
            work()
        except BaseException as error:  # noqa: BLE001  shown by the assertion below
            errors.append(error)
        finally:
            connection.close()

    def writer(first: int) -> None:
        for number in range(first, first + 25):
            facts = {"purpose": "evidence", "key_sha256": f"{number:064x}"}
            with transaction.atomic():
                record_event("key.published", actor=SYSTEM, facts=facts)

    def sequence() -> None:
        for _ in range(15):
            sequence_batch(5)

    work = [lambda: writer(0), lambda: writer(1000), sequence, sequence]
    threads = [threading.Thread(target=guarded, args=(each,)) for each in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    drain()
    assert_sound(50)


@pytest.mark.django_db
def test_the_command_empties_the_outbox_and_signs_nothing() -> None:
    write(sequencer.BATCH_ENTRIES + 1)
    call_command("sequencer", once=True)
    assert_sound(sequencer.BATCH_ENTRIES + 1)
    assert not SignedCheckpoint.objects.exists()
