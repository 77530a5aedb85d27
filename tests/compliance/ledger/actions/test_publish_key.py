"""A key is published once, and the ledger says so."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import DatabaseError

from compliance.evidence import checkpoint, dsse, leaf
from compliance.evidence.errors import EvidenceError
from compliance.ledger.actions import publish_key as module
from compliance.ledger.actions.distrust_key import distrust_key
from compliance.ledger.actions.publish_key import publish_key
from compliance.ledger.actions.retire_key import retire_key
from compliance.ledger.models import PendingEntry, PublicKey

pytestmark = pytest.mark.django_db
EVIDENCE, CHECKPOINT = PublicKey.Purpose.EVIDENCE, PublicKey.Purpose.CHECKPOINT
P256 = ec.generate_private_key(ec.SECP256R1()).public_key()
ED25519 = Ed25519PrivateKey.generate().public_key()
PEM = dsse.public_key_pem(P256).decode()
VKEY = checkpoint.vkey("example.org/log/2026", ED25519)


@pytest.mark.parametrize(
    ("purpose", "text"),
    [
        pytest.param(EVIDENCE, "", id="nothing"),
        pytest.param(EVIDENCE, VKEY, id="a vkey as evidence key"),
        pytest.param(EVIDENCE, dsse.public_key_pem(ED25519).decode(), id="an Ed25519 key as evidence key"),
        pytest.param(CHECKPOINT, PEM, id="a PEM as vkey"),
        pytest.param(CHECKPOINT, VKEY.replace("2026", "2027"), id="a vkey whose key id is another name's"),
    ],
)
def test_it_refuses_what_is_no_key_of_that_purpose(purpose: PublicKey.Purpose, text: str) -> None:
    with pytest.raises(EvidenceError):
        publish_key(purpose, text)
    assert not PublicKey.objects.exists()


def test_a_key_without_its_entry_is_not_published(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> str:
        raise DatabaseError("full disk")

    monkeypatch.setattr(module, "record_event", fail)
    with pytest.raises(DatabaseError):
        publish_key(EVIDENCE, PEM)
    assert not PublicKey.objects.exists()


def test_publishing_twice_makes_one_row_and_one_entry() -> None:
    assert publish_key(EVIDENCE, PEM) == publish_key(EVIDENCE, PEM)
    row = PublicKey.objects.get()
    assert (row.key_sha256, row.text, row.valid_until) == (dsse.public_key_sha256(P256), PEM, None)
    event = leaf.parse(bytes(PendingEntry.objects.get().leaf))
    assert (event.type, event.facts) == ("key.published", {"purpose": "evidence", "key_sha256": row.key_sha256})


def test_one_key_has_a_row_for_each_log_that_it_signs() -> None:
    other = checkpoint.vkey("example.org/log/2027", ED25519)
    publish_key(CHECKPOINT, VKEY)
    publish_key(CHECKPOINT, other)
    assert set(PublicKey.objects.values_list("key_sha256", "text")) == {
        (dsse.public_key_sha256(ED25519), VKEY),
        (dsse.public_key_sha256(ED25519), other),
    }


def test_what_was_said_of_a_key_holds_for_the_next_log_that_it_signs() -> None:
    publish_key(CHECKPOINT, VKEY)
    key_sha256 = dsse.public_key_sha256(ED25519)
    at = datetime(2026, 5, 1, 12, tzinfo=UTC)
    distrust_key(key_sha256, distrusted_from=at)
    retire_key(key_sha256, valid_until=at + timedelta(hours=1))
    row = publish_key(CHECKPOINT, checkpoint.vkey("example.org/log/2027", ED25519))
    assert (row.distrusted_from, row.valid_until) == (at, at + timedelta(hours=1))
    other = publish_key(CHECKPOINT, checkpoint.vkey("example.org/log/2027", Ed25519PrivateKey.generate().public_key()))
    assert (other.distrusted_from, other.valid_until) == (None, None)


def test_a_key_is_valid_a_little_before_it_is_published_for_a_clock_that_is_behind() -> None:
    row = publish_key(EVIDENCE, PEM)
    assert row.published_at - row.valid_from == module.CLOCK_TOLERANCE
    assert row.valid_from.microsecond == 0
