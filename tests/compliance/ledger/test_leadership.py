"""On PostgreSQL one connection leads, and its lead ends with its transaction, its block, or itself."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from compliance.ledger import checkpointer, keys, leadership
from compliance.ledger.leadership import Part
from compliance.ledger.models import PendingEntry, SignedCheckpoint
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
    assert sequence_batch() == 0
    assert PendingEntry.objects.count() == 3
    release(other)
    assert sequence_batch() == 3


def test_a_second_checkpointer_signs_nothing_while_another_leads(other: BaseDatabaseWrapper) -> None:
    keys.create_missing()
    write(3)
    hold(other, Part.CHECKPOINTER)
    position_all()
    assert checkpointer.sign_checkpoint() is None
    assert not SignedCheckpoint.objects.exists()
    release(other)
    assert checkpointer.sign_checkpoint() is not None


def test_the_lead_ends_with_the_transaction(other: BaseDatabaseWrapper) -> None:
    with transaction.atomic():
        assert leadership.takes_lead(Part.SEQUENCER)
        assert not may_lead(other, Part.SEQUENCER)
        assert may_lead(other, Part.CHECKPOINTER), "the parts lead apart"
    assert may_lead(other, Part.SEQUENCER)


def test_the_lead_of_a_block_ends_with_it_however_it_ends(other: BaseDatabaseWrapper) -> None:
    with ExitStack() as stack:
        stack.enter_context(pytest.raises(ZeroDivisionError))
        assert stack.enter_context(leadership.leading(Part.PUBLISHER))
        assert not may_lead(other, Part.PUBLISHER)
        _ = 1 / 0
    assert may_lead(other, Part.PUBLISHER)


def test_the_lead_of_a_block_ends_with_its_connection(other: BaseDatabaseWrapper) -> None:
    with leadership.leading(Part.PUBLISHER) as leads:
        assert leads
        connection.close()
        # The server notices a moment later; this waits for it, and fails after ten seconds.
        with other.cursor() as cursor:
            cursor.execute("SET lock_timeout = '10s'")
            cursor.execute("SELECT pg_advisory_lock(%s)", [int(Part.PUBLISHER)])


def test_who_does_not_lead_does_not_end_the_lead_of_another(other: BaseDatabaseWrapper) -> None:
    hold(other, Part.PUBLISHER)
    with leadership.leading(Part.PUBLISHER) as leads:
        assert not leads
    third = connection.copy()
    assert not may_lead(third, Part.PUBLISHER)
    third.close()
