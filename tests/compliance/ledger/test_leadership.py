"""On PostgreSQL one connection leads, and its lead ends with its transaction, its block, or itself."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from compliance.ledger import checkpointer, keys, leadership, process_loop
from compliance.ledger.leadership import AnotherLeadsError, Part
from compliance.ledger.models import Outsider, PendingEntry, SignedCheckpoint
from compliance.ledger.sequencer import sequence_batch
from tests.compliance.ledger.growing import position_all, write

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="on SQLite every writer waits for the one before it"),
]


@pytest.fixture
def other() -> Iterator[BaseDatabaseWrapper]:
    """The connection of another process."""
    copy = connection.copy()
    yield copy
    copy.close()


def hold(other: BaseDatabaseWrapper, part: Part) -> None:
    with other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(part)])


def release(other: BaseDatabaseWrapper) -> None:
    with other.cursor() as cursor:
        cursor.execute("ROLLBACK")


def pid_of(other: BaseDatabaseWrapper) -> int:
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    return int(pid)


def may_lead(other: BaseDatabaseWrapper, part: Part) -> bool:
    """Whether the other connection could take the lead now; it gives it back at once."""
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [int(part)])
        (is_free,) = cursor.fetchone()
        if is_free:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [int(part)])
    return bool(is_free)


def test_a_second_sequencer_moves_nothing_while_another_leads(other: BaseDatabaseWrapper) -> None:
    write(3)
    hold(other, Part.SEQUENCER)
    with pytest.raises(AnotherLeadsError, match=rf"Another sequencer \(process {pid_of(other)} of the database"):
        sequence_batch()
    assert PendingEntry.objects.count() == 3
    release(other)
    assert sequence_batch() == 3


def test_a_second_checkpointer_signs_nothing_while_another_leads(other: BaseDatabaseWrapper) -> None:
    keys.create_missing()
    write(3)
    hold(other, Part.CHECKPOINTER)
    position_all()
    with pytest.raises(AnotherLeadsError, match=f"process {pid_of(other)}"):
        checkpointer.sign_checkpoint()
    assert not SignedCheckpoint.objects.exists()
    release(other)
    assert checkpointer.sign_checkpoint() is not None


def test_the_lead_ends_with_the_transaction(other: BaseDatabaseWrapper) -> None:
    with transaction.atomic():
        leadership.take_lead(Part.SEQUENCER)
        assert not may_lead(other, Part.SEQUENCER)
        assert may_lead(other, Part.CHECKPOINTER), "the parts lead apart"
    assert may_lead(other, Part.SEQUENCER)


def test_the_lead_of_a_block_ends_with_it_however_it_ends(other: BaseDatabaseWrapper) -> None:
    with ExitStack() as stack:
        stack.enter_context(pytest.raises(ZeroDivisionError))
        stack.enter_context(leadership.leading(Part.PUBLISHER))
        assert not may_lead(other, Part.PUBLISHER)
        _ = 1 / 0
    assert may_lead(other, Part.PUBLISHER)


def test_the_lead_of_a_block_ends_with_its_connection(other: BaseDatabaseWrapper) -> None:
    with leadership.leading(Part.PUBLISHER):
        connection.close()
        # The server notices a moment later; this waits for it, and fails after ten seconds.
        with other.cursor() as cursor:
            cursor.execute("SET lock_timeout = '10s'")
            cursor.execute("SELECT pg_advisory_lock(%s)", [int(Part.PUBLISHER)])


def test_who_does_not_lead_does_not_end_the_lead_of_another(other: BaseDatabaseWrapper) -> None:
    hold(other, Part.PUBLISHER)
    with pytest.raises(AnotherLeadsError, match=f"process {pid_of(other)}"), leadership.leading(Part.PUBLISHER):
        pytest.fail("it must not get here")
    third = connection.copy()
    assert not may_lead(third, Part.PUBLISHER)
    third.close()


@pytest.mark.parametrize(
    ("command", "part"),
    [("sequencer", Part.SEQUENCER), ("checkpointer", Part.CHECKPOINTER), ("publisher", Part.PUBLISHER)],
)
def test_a_command_that_is_to_run_once_does_not_succeed_while_another_leads(
    other: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch, command: str, part: Part
) -> None:
    monkeypatch.setattr(process_loop, "ONCE_SECONDS", 0.0)
    write(1)
    hold(other, part)
    with pytest.raises(CommandError, match=f"Another {command} .* leads; this one did nothing") as refusal:
        call_command(command, "--once")
    assert refusal.value.returncode == 1


def test_a_command_that_is_to_run_once_waits_for_its_turn(
    other: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_loop, "LEAD_SECONDS", 0.0)
    write(1)
    hold(other, Part.SEQUENCER)
    monkeypatch.setattr("compliance.ledger.process_loop.time.sleep", lambda seconds: release(other))
    call_command("sequencer", "--once")
    assert not PendingEntry.objects.exists()


def test_a_transaction_sees_what_was_committed_while_it_waited_whatever_the_default_is(
    other: BaseDatabaseWrapper,
) -> None:
    """Under REPEATABLE READ a checkpointer would find the guard ahead of what it sees, and raise a false alarm."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER ROLE CURRENT_USER SET default_transaction_isolation = 'repeatable read'")
        connection.close()
    try:
        with transaction.atomic():
            leadership.take_lead(Part.CHECKPOINTER)
            assert not PendingEntry.objects.exists()
            with other.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO ledger_outsider (name, n_failures, problem, is_alarm) VALUES ('a', 0, '', false)"
                )
            assert Outsider.objects.exists()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER ROLE CURRENT_USER RESET default_transaction_isolation")
        connection.close()
