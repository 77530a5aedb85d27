"""An entry and the change it records commit together or not at all."""

import uuid

import pytest
from django.db import connection, transaction

from compliance.evidence import leaf as leaves
from compliance.evidence.errors import LeafError
from compliance.evidence.merkle import leaf_hash
from compliance.ledger.actors import SYSTEM
from compliance.ledger.models import PendingEntry
from compliance.ledger.record import NoTransactionError, record_event

FACTS: dict[str, leaves.FactValue] = {"model": str(uuid.UUID(int=1, version=4)), "family": "analytic_classifier"}


@pytest.mark.django_db(transaction=True)
def test_it_refuses_to_write_outside_a_transaction() -> None:
    with pytest.raises(NoTransactionError, match=r"model\.registered"):
        record_event("model.registered", actor=SYSTEM, facts=FACTS)
    assert not PendingEntry.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({**FACTS, "family": "Jane Doe"}, id="a name where a code belongs"),
        pytest.param({**FACTS, "family": "jane@example.org"}, id="an address where a code belongs"),
        pytest.param({**FACTS, "note": "free text"}, id="a fact that is not on the list"),
        pytest.param({"model": FACTS["model"]}, id="a fact is missing"),
    ],
)
def test_it_refuses_what_is_not_on_the_allow_list(facts: dict[str, leaves.FactValue]) -> None:
    with pytest.raises(LeafError) as refused, transaction.atomic():
        record_event("model.registered", actor=SYSTEM, facts=facts)
    assert "jane" not in str(refused.value).lower()
    assert not PendingEntry.objects.exists()


@pytest.mark.django_db
def test_a_rolled_back_change_leaves_no_entry() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        record_event("model.registered", actor=SYSTEM, facts=FACTS)
        raise RuntimeError
    assert not PendingEntry.objects.exists()


@pytest.mark.django_db
def test_the_leaf_is_canonical_and_its_hash_is_returned() -> None:
    digest = record_event("model.registered", actor=SYSTEM, facts=FACTS)
    row = PendingEntry.objects.get()
    event = leaves.parse(bytes(row.leaf))
    assert (event.type, event.actor_role, dict(event.facts)) == ("model.registered", "system", FACTS)
    assert digest == row.leaf_sha256 == leaf_hash(bytes(row.leaf)).hex()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite syncs every commit, as the settings say")
@pytest.mark.django_db(transaction=True)
def test_an_entry_is_durable_whatever_the_default_of_the_account_is() -> None:
    """A receipt must not be lost in a crash of the database after it was given out."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER ROLE CURRENT_USER SET synchronous_commit = off")
    try:
        for shown in ("off", "on"):
            connection.close()
            with transaction.atomic(), connection.cursor() as cursor:
                if shown == "on":
                    for _ in range(2):
                        record_event(
                            "key.published", actor=SYSTEM, facts={"purpose": "evidence", "key_sha256": "0" * 64}
                        )
                cursor.execute("SHOW synchronous_commit")
                assert cursor.fetchone() == (shown,)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER ROLE CURRENT_USER RESET synchronous_commit")
        connection.close()
