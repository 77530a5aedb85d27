"""Distrust begins at a moment that has passed, is never taken back, and is in the ledger."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import checkpoint, dsse, leaf
from compliance.ledger.actions.distrust_key import FIRST_MOMENT, distrust_key
from compliance.ledger.actions.publish_key import publish_key
from compliance.ledger.errors import KeyStateError
from compliance.ledger.models import PendingEntry, PublicKey

pytestmark = pytest.mark.django_db
ED25519 = Ed25519PrivateKey.generate().public_key()
AT = datetime(2026, 5, 1, 12, 0, 0, 5, tzinfo=UTC)


@pytest.fixture
def key_sha256() -> str:
    public_key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return publish_key(PublicKey.Purpose.EVIDENCE, dsse.public_key_pem(public_key).decode()).key_sha256


def test_it_refuses_a_key_that_was_never_published(key_sha256: str) -> None:
    with pytest.raises(KeyStateError, match="keys list"):
        distrust_key("ab" * 32, distrusted_from=AT)


def test_it_refuses_a_moment_to_come(key_sha256: str) -> None:
    with pytest.raises(KeyStateError, match="rotate"):
        distrust_key(key_sha256, distrusted_from=datetime.now(tz=UTC) + timedelta(hours=1))
    assert PublicKey.objects.get().distrusted_from is None


def test_it_refuses_a_moment_before_all_keys(key_sha256: str) -> None:
    with pytest.raises(KeyStateError, match="2000-01-01"):
        distrust_key(key_sha256, distrusted_from=FIRST_MOMENT - timedelta(seconds=1))
    distrust_key(key_sha256, distrusted_from=FIRST_MOMENT)


@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=1)], ids=["the same", "a day later"])
def test_it_refuses_to_take_distrust_back(later: timedelta, key_sha256: str) -> None:
    distrust_key(key_sha256, distrusted_from=AT)
    with pytest.raises(KeyStateError, match="never taken back"):
        distrust_key(key_sha256, distrusted_from=AT + later)
    assert PendingEntry.objects.filter(event_type="key.distrusted").count() == 1


def test_an_earlier_moment_replaces_a_later_one(key_sha256: str) -> None:
    distrust_key(key_sha256, distrusted_from=AT)
    distrust_key(key_sha256, distrusted_from=AT - timedelta(days=1))
    assert PublicKey.objects.get().distrusted_from == datetime(2026, 4, 30, 12, tzinfo=UTC)
    entries = PendingEntry.objects.filter(event_type="key.distrusted").order_by("pk")
    assert [leaf.parse(bytes(entry.leaf)).facts["distrusted_from"] for entry in entries] == [
        "2026-05-01T12:00:00Z",
        "2026-04-30T12:00:00Z",
    ]


def test_a_vkey_that_was_left_out_is_distrusted_with_the_others() -> None:
    rows = [publish_key(PublicKey.Purpose.CHECKPOINT, checkpoint.vkey(f"example.org/log/{n}", ED25519)) for n in (1, 2)]
    PublicKey.objects.filter(pk=rows[0].pk).update(distrusted_from=AT.replace(microsecond=0))
    distrust_key(rows[0].key_sha256, distrusted_from=AT + timedelta(days=1))
    assert set(PublicKey.objects.values_list("distrusted_from", flat=True)) == {AT.replace(microsecond=0)}


def test_a_retired_key_can_be_distrusted_for_a_time_before_it_retired(key_sha256: str) -> None:
    PublicKey.objects.update(valid_until=datetime(2026, 6, 1, tzinfo=UTC))
    distrust_key(key_sha256, distrusted_from=AT)
    assert PublicKey.objects.get().distrusted_from == AT.replace(microsecond=0)
