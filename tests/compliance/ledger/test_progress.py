"""How far an entry is: each step, what takes it back, and what is said without witnesses."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pytest_django import Settings

from compliance.evidence import cosignature, witness_policy
from compliance.evidence.witness_policy import Group, Witness, WitnessPolicy
from compliance.ledger import hold, logs
from compliance.ledger.models import CheckpointTimestamp, Cosignature, SignedCheckpoint
from compliance.ledger.progress import EntryState, Witnessing, progress
from tests.compliance.evidence import stamping
from tests.compliance.evidence.stamping import Authority
from tests.compliance.ledger.growing import grow_to, position_all, write

pytestmark = pytest.mark.django_db
NAMES = ("dpo.example", "auditor.example", "network.example")
KEYS = {name: Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number, name in enumerate(NAMES)}
NOW = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.fixture
def policy(settings: Settings, tmp_path: Path) -> WitnessPolicy:
    """Two of three."""
    members = tuple(Witness(name, cosignature.vkey(name, key.public_key())) for name, key in KEYS.items())
    policy = WitnessPolicy((), members, (Group("two", 2, NAMES),), "two")
    settings.WITNESS_POLICY_PATH = tmp_path / "policy"
    settings.WITNESS_POLICY_PATH.write_text(witness_policy.write(policy))
    return policy


def cosign(head: SignedCheckpoint, *names: str) -> None:
    for name in names:
        line = cosignature.cosign(bytes(head.note), name, KEYS[name], NOW)
        Cosignature.objects.create(checkpoint=head, witness=name, line=line, cosigned_at=NOW)


@pytest.fixture(autouse=True)
def authority(settings: Settings, tmp_path: Path) -> Authority:
    """The time stamp authority of this installation."""
    made = stamping.new_authority()
    settings.TSA_CERTIFICATES_PATH = tmp_path / "authority.pem"
    settings.TSA_CERTIFICATES_PATH.write_text("".join(made.pems))
    return made


def stamp(head: SignedCheckpoint, authority: Authority) -> None:
    token = authority.stamp(bytes(head.note), NOW)
    CheckpointTimestamp.objects.create(checkpoint=head, token=token, stamped_at=NOW)


def states(*positions: int | None) -> list[EntryState]:
    found = progress()
    return [found.state_of(position) for position in positions]


def test_an_empty_ledger_has_no_progress() -> None:
    assert progress().logs == ()
    assert progress().witnessing is Witnessing.NO_POLICY
    assert states(None) == [EntryState.RECEIVED]


def test_each_entry_is_at_the_step_that_its_place_has_reached(policy: WitnessPolicy, authority: Authority) -> None:
    heads = [grow_to(size) for size in (4, 6, 8)]
    write(2)
    position_all()
    cosign(heads[1], *NAMES[:2])
    stamp(heads[0], authority)
    expected = [EntryState.TIMESTAMPED] * 4 + [EntryState.WITNESSED] * 2
    expected += [EntryState.CHECKPOINTED] * 2 + [EntryState.POSITIONED] * 2
    assert states(*range(10)) == expected
    assert progress().witnessing is Witnessing.BEHIND


def test_a_quorum_that_is_not_met_leaves_a_checkpoint_unwitnessed(policy: WitnessPolicy, authority: Authority) -> None:
    head = grow_to(4)
    cosign(head, NAMES[0])
    stamp(head, authority)
    assert progress().witnessing is Witnessing.UNWITNESSED
    assert states(0) == [EntryState.CHECKPOINTED], "a time stamp does not stand in for witnesses"
    cosign(head, NAMES[2])
    assert progress().witnessing is Witnessing.COMPLETE
    assert states(0) == [EntryState.TIMESTAMPED]


def test_a_row_with_a_line_that_does_not_verify_counts_for_nothing(policy: WitnessPolicy) -> None:
    head, other = grow_to(4), grow_to(5)
    cosign(head, NAMES[0])
    line = cosignature.cosign(bytes(other.note), NAMES[1], KEYS[NAMES[1]], NOW)
    Cosignature.objects.create(checkpoint=head, witness=NAMES[1], line=line, cosigned_at=NOW)
    assert progress().witnessing is Witnessing.UNWITNESSED


def test_a_row_that_is_no_token_of_the_authority_counts_for_nothing(
    policy: WitnessPolicy, authority: Authority
) -> None:
    head, other = grow_to(4), grow_to(5)
    cosign(other, *NAMES)
    for token in (
        b"token",
        authority.stamp(bytes(head.note), NOW),
        stamping.new_authority().stamp(bytes(other.note), NOW),
    ):
        CheckpointTimestamp.objects.create(checkpoint=other, token=token, stamped_at=NOW)
    assert states(0) == [EntryState.WITNESSED]
    stamp(other, authority)
    assert states(0) == [EntryState.TIMESTAMPED]


def test_a_hold_is_said() -> None:
    grow_to(4)
    assert progress().held == ""
    hold.begin("The guard is missing.")
    assert progress().held == "The guard is missing."


def test_without_a_policy_nothing_is_witnessed_and_that_is_said(settings: Settings, authority: Authority) -> None:
    settings.WITNESS_POLICY_PATH = None
    head = grow_to(4)
    cosign(head, *NAMES)
    assert progress().witnessing is Witnessing.NO_POLICY
    assert states(0) == [EntryState.CHECKPOINTED]
    stamp(head, authority)
    assert states(0) == [EntryState.TIMESTAMPED]


def test_a_policy_without_a_quorum_asks_for_nothing(settings: Settings, tmp_path: Path) -> None:
    settings.WITNESS_POLICY_PATH = tmp_path / "policy"
    settings.WITNESS_POLICY_PATH.write_text("quorum none\n")
    cosign(grow_to(4), *NAMES)
    assert progress().witnessing is Witnessing.NO_POLICY
    assert states(0) == [EntryState.CHECKPOINTED]


def test_a_policy_that_cannot_be_read_is_said_and_nothing_is_claimed(
    settings: Settings, tmp_path: Path, authority: Authority
) -> None:
    settings.WITNESS_POLICY_PATH = tmp_path / "policy"
    head = grow_to(4)
    cosign(head, *NAMES)
    stamp(head, authority)
    assert progress().witnessing is Witnessing.BROKEN_POLICY
    assert states(0) == [EntryState.CHECKPOINTED]


def test_each_log_has_steps_of_its_own(policy: WitnessPolicy) -> None:
    last = grow_to(4)
    logs.freeze()
    write(2)
    position_all()
    head = grow_to(7)
    assert head.log_id == last.log_id + 1
    cosign(head, *NAMES)
    assert states(3, 4, 6) == [EntryState.CHECKPOINTED, EntryState.WITNESSED, EntryState.WITNESSED]
    cosign(last, *NAMES)
    assert states(3) == [EntryState.WITNESSED]
    assert [log.first_position for log in progress(since=4).logs] == [4]
