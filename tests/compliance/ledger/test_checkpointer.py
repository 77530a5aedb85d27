"""A checkpoint is signed for what is committed, and never for a log that was cut or changed."""

import pytest
from django.conf import settings
from django.db import connection

from compliance.evidence import checkpoint
from compliance.ledger import append_only, checkpointer, keys
from compliance.ledger.models import HashTile, LogHead, SignedCheckpoint
from compliance.ledger.sequencer import sequence_batch
from tests.compliance import cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _log_with_entries() -> None:
    cast.ask()
    cast.run_ledger()


def test_it_refuses_a_log_that_is_shorter_than_what_was_signed() -> None:
    LogHead.objects.update(size=1)
    with pytest.raises(checkpointer.LogForkError, match="backup"):
        checkpointer.sign_checkpoint(keys.ledger_key())
    assert SignedCheckpoint.objects.count() == 1


def test_it_refuses_a_log_whose_first_entries_changed() -> None:
    tile = HashTile.objects.get(level=0, index=0)
    tile.hashes = bytes(32) + bytes(tile.hashes)[32:]
    tile.save()
    cast.ask(cast.CHARLIE)
    sequence_batch()
    with pytest.raises(checkpointer.LogForkError, match="changed"):
        checkpointer.sign_checkpoint(keys.ledger_key())


def test_nothing_new_is_not_signed_again() -> None:
    assert checkpointer.sign_checkpoint(keys.ledger_key()) is None


def test_the_newest_checkpoint_verifies_under_the_published_key() -> None:
    cast.ask(cast.CHARLIE)
    cast.run_ledger()
    newest = checkpointer.latest()
    assert newest is not None
    vkey = checkpoint.vkey(settings.LEDGER_ORIGIN, keys.ledger_key().public_key())
    opened = checkpoint.open_note(bytes(newest.note), [vkey])
    assert (opened.size, opened.root.hex()) == (newest.size, newest.root_sha256)
    assert opened.size == LogHead.objects.get().size


def test_a_lost_checkpoint_table_is_rebuilt_from_the_log_and_not_forked() -> None:
    before = checkpointer.latest()
    assert before is not None
    append_only.execute(connection, append_only.remove_statements(connection.vendor))
    SignedCheckpoint.objects.all().delete()
    append_only.execute(connection, append_only.install_statements(connection.vendor))
    again = checkpointer.sign_checkpoint(keys.ledger_key())
    assert again is not None
    assert (again.size, again.root_sha256) == (before.size, before.root_sha256)
