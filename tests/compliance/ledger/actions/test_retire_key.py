"""A key goes out of use with its entry, once, for all logs that it signed."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import checkpoint, dsse, leaf
from compliance.ledger.actions.publish_key import publish_key
from compliance.ledger.actions.retire_key import retire_key
from compliance.ledger.errors import KeyStateError
from compliance.ledger.models import PendingEntry, PublicKey

pytestmark = pytest.mark.django_db
ED25519 = Ed25519PrivateKey.generate().public_key()
AT = datetime(2026, 5, 1, 12, 0, 0, 999_999, tzinfo=UTC)


@pytest.fixture
def key_sha256() -> str:
    public_key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return publish_key(PublicKey.Purpose.EVIDENCE, dsse.public_key_pem(public_key).decode()).key_sha256


def test_it_refuses_a_key_that_was_never_published(key_sha256: str) -> None:
    with pytest.raises(KeyStateError, match="keys list"):
        retire_key("ab" * 32, valid_until=AT)
    assert not PendingEntry.objects.filter(event_type="key.retired").exists()


def test_it_refuses_to_move_the_end_of_a_key(key_sha256: str) -> None:
    retire_key(key_sha256, valid_until=AT)
    with pytest.raises(KeyStateError, match="already"):
        retire_key(key_sha256, valid_until=datetime(2030, 1, 1, tzinfo=UTC))
    assert PublicKey.objects.get().valid_until == AT.replace(microsecond=0)
    assert PendingEntry.objects.filter(event_type="key.retired").count() == 1


def test_an_earlier_end_replaces_a_later_one(key_sha256: str) -> None:
    retire_key(key_sha256, valid_until=AT)
    retire_key(key_sha256, valid_until=AT - timedelta(days=1))
    assert PublicKey.objects.get().valid_until == datetime(2026, 4, 30, 12, tzinfo=UTC)
    assert PendingEntry.objects.filter(event_type="key.retired").count() == 2


def test_a_vkey_that_was_left_open_ends_no_later_than_the_others() -> None:
    rows = [publish_key(PublicKey.Purpose.CHECKPOINT, checkpoint.vkey(f"example.org/log/{n}", ED25519)) for n in (1, 2)]
    PublicKey.objects.filter(pk=rows[0].pk).update(valid_until=AT.replace(microsecond=0))
    retire_key(rows[0].key_sha256, valid_until=AT + timedelta(days=1))
    assert set(PublicKey.objects.values_list("valid_until", flat=True)) == {AT.replace(microsecond=0)}


def test_row_and_entry_say_the_same_second(key_sha256: str) -> None:
    retire_key(key_sha256, valid_until=AT)
    event = leaf.parse(bytes(PendingEntry.objects.get(event_type="key.retired").leaf))
    assert event.facts == {"purpose": "evidence", "key_sha256": key_sha256, "valid_until": "2026-05-01T12:00:00Z"}
    assert PublicKey.objects.get().valid_until == AT.replace(microsecond=0)


def test_all_vkeys_of_a_log_key_end_in_one_entry() -> None:
    public_key = Ed25519PrivateKey.generate().public_key()
    for year in (2025, 2026):
        publish_key(PublicKey.Purpose.CHECKPOINT, checkpoint.vkey(f"example.org/log/{year}", public_key))
    retire_key(dsse.public_key_sha256(public_key), valid_until=AT)
    assert set(PublicKey.objects.values_list("valid_until", flat=True)) == {AT.replace(microsecond=0)}
    assert PendingEntry.objects.filter(event_type="key.retired").count() == 1
