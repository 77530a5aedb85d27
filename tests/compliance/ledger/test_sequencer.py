"""Positions are gap-free over all logs, each tree is that of RFC 6962, and two sequencers never give one position twice."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import pytest
from django.conf import settings as configuration
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.evidence import leaf, tiles
from compliance.ledger import hold, leaf_check, logs, sequencer, set_aside
from compliance.ledger.actors import SYSTEM
from compliance.ledger.checkpointer import sign_checkpoint
from compliance.ledger.hold import LedgerHeldError
from compliance.ledger.leadership import AnotherLeadsError
from compliance.ledger.models import HashTile, LedgerEntry, Log, PendingEntry, SignedCheckpoint
from compliance.ledger.process_loop import ALARM_EXIT_CODE
from compliance.ledger.record import record_event
from compliance.ledger.sequencer import ClockError, LogSizeError, Sequencer, sequence_batch
from tests.compliance import cast
from tests.compliance.evidence import rfc6962
from tests.compliance.ledger.clock import set_clock
from tests.compliance.ledger.growing import as_owner


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
    with as_owner():
        Log.objects.update(size=5)
    write(1)
    with pytest.raises(tiles.TileError, match="Head and tiles disagree"), transaction.atomic():
        sequence_batch()
    assert PendingEntry.objects.count() == 1


@pytest.mark.django_db
def test_entries_beyond_the_size_of_the_log_stop_the_sequencer() -> None:
    """Every row is refused then: that is no fault of the rows."""
    write(3)
    sequence_batch()
    with as_owner():
        Log.objects.update(size=2)
        HashTile.objects.update(hashes=bytes(HashTile.objects.get().hashes)[:64])
    write(2)
    with pytest.raises(LogSizeError, match="before position 2, found more"), transaction.atomic():
        sequence_batch()
    assert PendingEntry.objects.count() == 2


@pytest.mark.django_db
def test_nothing_gets_a_position_while_the_ledger_is_held() -> None:
    write(3)
    hold.begin("A head was signed that the database does not have.")
    with pytest.raises(LedgerHeldError, match="A head was signed"), transaction.atomic():
        sequence_batch()
    with pytest.raises(CommandError, match="The ledger is held") as refusal:
        call_command("sequencer", once=True)
    assert refusal.value.returncode == ALARM_EXIT_CODE
    write(1)
    assert PendingEntry.objects.count() == 4, "the outbox takes entries all the same"
    hold.lift()
    assert sequence_batch() == 4


# --- Rows that the log refuses --------------------------------------------------------------------------------------


def repeat_an_entry(pk: int) -> None:
    PendingEntry.objects.filter(pk=pk).update(entry_id=LedgerEntry.objects.values_list("entry_id").order_by("pk")[:1])


def give_no_hash(pk: int) -> None:
    with without_leaf_check():
        PendingEntry.objects.filter(pk=pk).update(leaf_sha256="no hash")


def give_another_leaf(pk: int) -> None:
    with without_leaf_check():
        PendingEntry.objects.filter(pk=pk).update(leaf=b"{}")


def date_it_out_of_reach(pk: int) -> None:
    update = "UPDATE ledger_pendingentry SET recorded_at = %s WHERE id = %s"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            connection.check_constraints()
            cursor.execute("ALTER TABLE ledger_pendingentry DROP CONSTRAINT IF EXISTS pendingentry_times_are_readable")
            cursor.execute(update, ["infinity", pk])
        else:
            cursor.execute("PRAGMA ignore_check_constraints = ON")
            cursor.execute(update, ["1999-12-31 23:59:59", pk])
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


@contextmanager
def without_leaf_check() -> Iterator[None]:
    """What stands in a table since before its rules."""
    connection.check_constraints()
    leaf_check.remove(connection)
    yield
    leaf_check.install(connection)


SPOILED = [
    pytest.param(repeat_an_entry, id="an entry that is in the log already"),
    pytest.param(give_no_hash, id="a leaf hash that is none"),
    pytest.param(give_another_leaf, id="a leaf that the table refuses"),
    pytest.param(date_it_out_of_reach, id="a time that cannot be read"),
]


@pytest.mark.django_db
@pytest.mark.parametrize("spoil", SPOILED)
def test_a_row_that_the_log_refuses_stays_and_the_others_go(
    spoil: Callable[[int], None], caplog: pytest.LogCaptureFixture
) -> None:
    write(1)
    drain()
    write(10)
    ids = list(PendingEntry.objects.order_by("pk").values_list("pk", flat=True))
    spoil(ids[3])
    date_it_out_of_reach(ids[9])
    expected = [digest for pk, digest in PendingEntry.objects.order_by("pk").values_list("pk", "leaf_sha256")]
    sequencer = Sequencer()
    assert sequencer.sequence() == 8
    assert sequencer.sequence() == 0
    assert list(PendingEntry.objects.values_list("pk", flat=True).order_by("pk")) == [ids[3], ids[9]]
    found = list(LedgerEntry.objects.order_by("position").values_list("leaf_sha256", flat=True))[1:]
    assert found == [digest for number, digest in enumerate(expected) if number not in (3, 9)]
    alarms = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(alarms) == 1, "said once, not at each batch"
    assert f"2 waiting entries, which stay in the outbox (ledger_pendingentry, id {ids[3]}, {ids[9]})" in (
        alarms[0].getMessage()
    )
    PendingEntry.objects.all().delete()
    assert_sound(9)


@pytest.mark.django_db
def test_refused_rows_are_tried_again_and_told_again_after_a_minute(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write(2)
    first = PendingEntry.objects.earliest("pk")
    date_it_out_of_reach(first.pk)
    sequencer = Sequencer()
    assert sequencer.sequence() == 1
    assert sequencer.why_waiting() == "The log refuses 1 waiting entries, see the log of this process."
    monkeypatch.setattr(set_aside, "SECONDS", 0.0)
    assert sequencer.sequence() == 0
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 2
    PendingEntry.objects.filter(pk=first.pk).update(recorded_at=datetime.now(tz=UTC))
    assert sequencer.sequence() == 1
    assert_sound(2)


@pytest.mark.django_db
def test_what_follows_of_a_request_waits_with_its_refused_entry() -> None:
    """An entry that points back to one that is not there could never be taken out of the log again."""
    cast.run_ledger()
    first, second = cast.ask().request.pk, cast.ask("bob@example.org").request.pk
    cast.prove(first)
    cast.prove(second)
    received = PendingEntry.objects.filter(request_id=first).earliest("pk")
    date_it_out_of_reach(received.pk)
    n_waiting = PendingEntry.objects.filter(request_id=first).count()
    assert n_waiting > 1
    for limit in (1000, 1):
        drain(limit)
        assert set(PendingEntry.objects.values_list("request_id", flat=True)) == {first}
        assert PendingEntry.objects.count() == n_waiting
    assert LedgerEntry.objects.filter(request_id=second).exists()
    PendingEntry.objects.filter(pk=received.pk).update(recorded_at=datetime.now(tz=UTC))
    drain()
    assert not PendingEntry.objects.exists()


@pytest.mark.django_db
def test_the_command_says_what_stays_in_the_outbox() -> None:
    write(3)
    date_it_out_of_reach(PendingEntry.objects.earliest("pk").pk)
    with pytest.raises(CommandError, match=r"1 entries stay in the outbox\. The log refuses 1"):
        call_command("sequencer", once=True)
    assert LedgerEntry.objects.count() == 2


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no time limit for statements")
@pytest.mark.django_db(transaction=True)
def test_a_batch_that_the_time_limit_cuts_off_is_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    write(40)
    monkeypatch.setattr(sequencer, "BATCH_ENTRIES", 40)
    with connection.cursor() as cursor:
        # Takes 10 ms for each entry.
        cursor.execute(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN PERFORM pg_sleep(0.01); RETURN NEW; END $$"
        )
        cursor.execute("CREATE TRIGGER slow BEFORE INSERT ON ledger_ledgerentry FOR EACH ROW EXECUTE FUNCTION slow()")
        cursor.execute("SET statement_timeout = '150ms'")
    try:
        sizes, made = [], Sequencer()
        while n_entries := made.sequence():
            sizes.append(n_entries)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout")
            cursor.execute("DROP FUNCTION slow CASCADE")
    assert sizes[0] == 10 and sum(sizes) == 40
    assert sizes[1] > sizes[0], "it grows again"
    assert_sound(40)


# --- The turn of the year -------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("now", "is_frozen"),
    [
        pytest.param(datetime(2099, 5, 1, tzinfo=UTC), False, id="far in the future"),
        pytest.param(datetime(2028, 1, 1, tzinfo=UTC), False, id="a year is left out"),
        pytest.param(datetime(2099, 5, 1, tzinfo=UTC), True, id="far in the future, the log was ended"),
        pytest.param(datetime(2025, 12, 31, tzinfo=UTC), True, id="in the past, the log was ended"),
    ],
)
def test_a_clock_that_cannot_be_right_ends_no_log_and_opens_none(
    monkeypatch: pytest.MonkeyPatch, now: datetime, is_frozen: bool
) -> None:
    set_clock(monkeypatch, datetime(2026, 11, 25, tzinfo=UTC))
    cast.run_ledger()
    if is_frozen:
        logs.freeze()
        cast.run_ledger()
    before = list(Log.objects.values_list())
    set_clock(monkeypatch, now)
    write(1)
    with pytest.raises(ClockError, match="the newest entry is of 2026-11-25"), transaction.atomic():
        sequence_batch()
    with pytest.raises(CommandError, match="Set it right") as refusal:
        call_command("sequencer", once=True)
    assert refusal.value.returncode == ALARM_EXIT_CODE
    assert list(Log.objects.values_list()) == before
    set_clock(monkeypatch, datetime(2027, 1, 1, tzinfo=UTC))
    cast.run_ledger()
    newest = logs.newest()
    assert newest is not None and newest.origin.endswith("/2027"), "the next year turns as if nothing had been"


@pytest.mark.django_db
def test_a_person_can_accept_a_clock_after_years_of_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, datetime(2026, 11, 25, tzinfo=UTC))
    cast.run_ledger()
    set_clock(monkeypatch, datetime(2029, 3, 1, tzinfo=UTC))
    write(1)
    with pytest.raises(CommandError, match="together with --once"):
        call_command("sequencer", "--accept-clock")
    call_command("sequencer", "--once", "--accept-clock")
    newest = logs.newest()
    assert newest is not None and newest.origin.endswith("/2029")
    assert not PendingEntry.objects.exists()


@pytest.mark.django_db
def test_the_command_says_that_an_ended_log_waits_for_its_last_checkpoint() -> None:
    write(2)
    drain()
    logs.freeze()
    write(1)
    with pytest.raises(CommandError, match=r"1 entries stay in the outbox\. The log .* has ended and is not signed"):
        call_command("sequencer", once=True)


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
            with suppress(AnotherLeadsError):
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
