"""Positions are gap-free, the tree is that of RFC 6962, and two sequencers never give one position twice."""

import threading

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.evidence import tiles
from compliance.ledger.actors import SYSTEM
from compliance.ledger.models import HashTile, LedgerEntry, LogHead, PendingEntry
from compliance.ledger.record import record_event
from compliance.ledger.sequencer import read_tile, sequence_batch
from tests.compliance.evidence import rfc6962


def write(n_entries: int) -> None:
    """Waiting entries, each with another leaf."""
    for _ in range(n_entries):
        number = PendingEntry.objects.count() + LedgerEntry.objects.count()
        facts = {"purpose": "evidence", "key_sha256": f"{number:064x}"}
        with transaction.atomic():
            record_event("key.published", actor=SYSTEM, facts=facts)


def assert_sound(n_entries: int) -> None:
    rows = list(LedgerEntry.objects.order_by("index"))
    assert [row.index for row in rows] == list(range(n_entries))
    assert LogHead.objects.get().size == n_entries
    assert not PendingEntry.objects.exists()
    leaves = [bytes.fromhex(row.leaf_sha256) for row in rows]
    assert tiles.root(n_entries, read_tile) == rfc6962.root_of(leaves)


@pytest.mark.django_db
def test_an_empty_outbox_writes_nothing() -> None:
    assert sequence_batch() == 0
    assert not HashTile.objects.exists()


@pytest.mark.django_db(transaction=True)
@settings(max_examples=8, deadline=None)
@given(batches=st.lists(st.integers(1, 40), min_size=1, max_size=4), limit=st.integers(1, 50))
def test_any_batches_give_the_tree_of_the_rfc(batches: list[int], limit: int) -> None:
    n_before = LedgerEntry.objects.count()
    for n_entries in batches:
        write(n_entries)
        while sequence_batch(limit):
            pass
    assert_sound(n_before + sum(batches))


@pytest.mark.django_db
def test_the_order_is_that_of_the_outbox() -> None:
    write(300)
    expected = list(PendingEntry.objects.order_by("pk").values_list("leaf_sha256", flat=True))
    while sequence_batch(7):
        pass
    assert list(LedgerEntry.objects.order_by("index").values_list("leaf_sha256", flat=True)) == expected
    assert_sound(300)


@pytest.mark.django_db
def test_a_head_that_disagrees_with_the_tiles_stops_the_sequencer() -> None:
    write(3)
    sequence_batch()
    LogHead.objects.update(size=5)
    write(1)
    with pytest.raises(tiles.TileError, match="Head and tiles disagree"), transaction.atomic():
        sequence_batch()
    assert PendingEntry.objects.count() == 1


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

    def sequencer() -> None:
        for _ in range(15):
            sequence_batch(5)

    work = [lambda: writer(0), lambda: writer(1000), sequencer, sequencer]
    threads = [threading.Thread(target=guarded, args=(each,)) for each in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    while sequence_batch():
        pass
    assert_sound(50)
