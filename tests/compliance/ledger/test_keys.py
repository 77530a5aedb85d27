"""Keys are made once, kept from others, and published in the ledger."""

import io
import stat

import pytest
from django.conf import settings
from django.core.management import call_command

from compliance.ledger import keys
from compliance.ledger.models import LedgerEntry, PendingEntry, PublicKey, SignedCheckpoint

pytestmark = pytest.mark.django_db


def test_keys_are_made_once_and_readable_by_their_owner_alone() -> None:
    keys.create_missing()
    before = settings.LEDGER_KEY_PATH.read_bytes()
    assert keys.create_missing() == []
    assert settings.LEDGER_KEY_PATH.read_bytes() == before
    for path in (settings.LEDGER_KEY_PATH, settings.EVIDENCE_KEY_PATH):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_publishing_twice_makes_one_entry_each() -> None:
    call_command("create_keys", stdout=io.StringIO())
    call_command("create_keys", stdout=io.StringIO())
    assert sorted(PublicKey.objects.values_list("purpose", flat=True)) == ["checkpoint", "evidence"]
    assert PendingEntry.objects.filter(event_type="key.published").count() == 2


def test_the_sequencer_command_empties_the_outbox_and_signs_once() -> None:
    call_command("create_keys", stdout=io.StringIO())
    call_command("sequencer", once=True, stdout=io.StringIO())
    assert not PendingEntry.objects.exists()
    assert SignedCheckpoint.objects.get().size == LedgerEntry.objects.count() == 2
