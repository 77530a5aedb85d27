"""What the ledger says about its keys, the trust file must say, and of no later time."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import canonical, checkpoint, cosignature, dsse, ledger_events
from compliance.evidence.errors import KeyValidityError
from compliance.evidence.leaf import Event
from compliance.evidence.position import Position
from compliance.evidence.trust import EvidenceKey, Trust

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FACTS = {"key.retired": "valid_until", "key.distrusted": "distrusted_from"}
EVIDENCE = ec.generate_private_key(ec.SECP256R1()).public_key()
LOG = Ed25519PrivateKey.generate().public_key()
VKEY = checkpoint.vkey("example.org/log/2026", LOG)
POLICY = f"witness w {cosignature.vkey('witness.example', LOG)}\nquorum w\n"


def told(event_type: str, at: datetime = AT, *, is_log: bool = False) -> tuple[Position, Event]:
    """An entry about the key of the evidence, or of the log."""
    purpose, key = ("checkpoint", LOG) if is_log else ("evidence", EVIDENCE)
    facts = {
        "purpose": purpose,
        "key_sha256": dsse.public_key_sha256(key),
        FACTS[event_type]: canonical.format_time(at),
    }
    return Position(1, 7), Event(event_type, None, None, AT, "system", "", facts)


def trusting(policy: str | None = None, *, ends: Mapping[str, datetime] | None = None) -> Trust:
    """Trust in both keys."""
    ends = ends or {}
    key = EvidenceKey.of(EVIDENCE, valid_until=ends.get("valid_until"), distrusted_from=ends.get("distrusted_from"))
    return Trust(AT, (VKEY,), (key,), witness_policy_text=policy)


@pytest.mark.parametrize("event_type", FACTS)
@pytest.mark.parametrize(
    "difference", [pytest.param(SECOND, id="a second later"), pytest.param(timedelta(days=9999), id="years later")]
)
def test_a_trust_file_that_tells_a_later_time_is_refused(event_type: str, difference: timedelta) -> None:
    trust = trusting(ends={FACTS[event_type]: AT + difference})
    with pytest.raises(KeyValidityError, match=r"Entry 7 of log 1.*later time.*newer one"):
        ledger_events.refuse_untold_keys([told(event_type)], trust)


@pytest.mark.parametrize("event_type", FACTS)
def test_a_trust_file_that_tells_the_other_end_alone_is_refused(event_type: str) -> None:
    (other,) = set(FACTS.values()) - {FACTS[event_type]}
    with pytest.raises(KeyValidityError):
        ledger_events.refuse_untold_keys([told(event_type)], trusting(ends={other: AT}))


@pytest.mark.parametrize("event_type", FACTS)
def test_of_several_entries_the_earliest_time_counts(event_type: str) -> None:
    entries = [told(event_type), told(event_type, AT - SECOND)]
    with pytest.raises(KeyValidityError):
        ledger_events.refuse_untold_keys(entries, trusting(ends={FACTS[event_type]: AT}))
    ledger_events.refuse_untold_keys(entries, trusting(ends={FACTS[event_type]: AT - SECOND}))


@pytest.mark.parametrize("event_type", FACTS)
def test_a_trust_file_that_knows_of_an_earlier_time_is_newer_than_the_ledger_shown(event_type: str) -> None:
    ledger_events.refuse_untold_keys([told(event_type)], trusting(ends={FACTS[event_type]: AT - SECOND}))


@pytest.mark.parametrize("policy", [None, "quorum none\n"], ids=["no policy", "a policy that asks nobody"])
def test_a_distrusted_log_key_must_not_be_relied_on_alone(policy: str | None) -> None:
    with pytest.raises(KeyValidityError, match=r"key\.distrusted"):
        ledger_events.refuse_untold_keys([told("key.distrusted", is_log=True)], trusting(policy))


@pytest.mark.parametrize(
    ("event_type", "trust"),
    [
        pytest.param("key.distrusted", trusting(POLICY), id="beside witnesses"),
        pytest.param("key.distrusted", Trust(AT, (), ()), id="a trust file that leaves it out"),
        pytest.param("key.retired", trusting(), id="a log key that gave way to another"),
    ],
)
def test_a_log_key_may_be_named(event_type: str, trust: Trust) -> None:
    ledger_events.refuse_untold_keys([told(event_type, is_log=True)], trust)
