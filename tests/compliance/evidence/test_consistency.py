"""A proof between any two checkpoints of one log; and every way in which it must not convince anybody."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from compliance.evidence import checkpoint, consistency, merkle, tiles, witness_client
from compliance.evidence.checkpoint import Checkpoint
from compliance.evidence.consistency import ConsistencyProof
from compliance.evidence.errors import ConsistencyError, ExitCode

from . import rfc6962

ORIGIN = "example.org/log/2026"
LEAVES = [merkle.leaf_hash(b"%d" % number) for number in range(600)]
TILES = tiles.append(0, LEAVES, lambda level, index: b"")
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def read_tile(level: int, index: int) -> bytes:
    return TILES.get((level, index), b"")


def head(size: int, origin: str = ORIGIN) -> Checkpoint:
    return Checkpoint(origin=origin, size=size, root=merkle.root_of(LEAVES[:size]))


def note(size: int) -> bytes:
    return checkpoint.sign(head(size), ORIGIN, KEY)


def other(size: int) -> Checkpoint:
    """A head over other entries."""
    return Checkpoint(origin=ORIGIN, size=size, root=merkle.root_of(LEAVES[1 : size + 1]))


PROVEN = consistency.path_between(300, 500, read_tile)


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        pytest.param(other(300), head(500), PROVEN, id="another old log"),
        pytest.param(head(300), other(500), PROVEN, id="another new log"),
        pytest.param(head(300), head(500), PROVEN[:-1], id="a hash too few"),
        pytest.param(head(300), head(500), [*PROVEN, bytes(32)], id="a hash too many"),
        pytest.param(head(300), head(500), [PROVEN[0][:31], *PROVEN[1:]], id="a short hash"),
        pytest.param(head(300), head(500), PROVEN[::-1], id="hashes in another order"),
        pytest.param(head(299), head(500), PROVEN, id="another size"),
        pytest.param(head(500), head(300), PROVEN, id="backwards"),
        pytest.param(head(300), other(300), [], id="one size, two roots"),
        pytest.param(head(300), head(300), PROVEN, id="one size, and a path"),
        pytest.param(head(300, "example.org/log/2025"), head(500), PROVEN, id="two logs"),
        pytest.param(Checkpoint(ORIGIN, 0, bytes(32)), head(500), [], id="an empty log with a root"),
        pytest.param(head(0), Checkpoint(ORIGIN, 0, bytes(32)), [], id="two empty logs, two roots"),
        pytest.param(head(0), head(500), PROVEN, id="a path from the empty log"),
    ],
)
def test_it_refuses_what_does_not_prove_that_the_log_only_grew(
    old: Checkpoint, new: Checkpoint, path: list[bytes]
) -> None:
    with pytest.raises(ConsistencyError) as refusal:
        consistency.verify(old, new, path)
    assert refusal.value.code is ExitCode.CONSISTENCY


@pytest.mark.parametrize(("old", "new"), [(5, 3), (-1, 3), (300, 601)])
def test_it_makes_no_proof_of_impossible_sizes(old: int, new: int) -> None:
    with pytest.raises(ConsistencyError):
        consistency.path_between(old, new, read_tile)


def test_it_hands_out_no_proof_between_heads_that_are_not_of_these_tiles() -> None:
    with pytest.raises(ConsistencyError, match="does not extend"):
        consistency.prove(other(300), head(500), note(500), read_tile)


def without_blank(data: bytes) -> bytes:
    return data.replace(b"\n\n", b"\n", 1)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: without_blank(without_blank(data)), id="no empty line"),
        pytest.param(lambda data: data.replace(b"old 300", b"old 0300"), id="a zero in front"),
        pytest.param(lambda data: data.replace(b"old 300", b"old -300"), id="a negative size"),
        pytest.param(lambda data: data.replace(b"old 300", b"300"), id="no word"),
        pytest.param(lambda data: data.replace(b"old 300\n", b"old 300\nAAAA\n"), id="a short hash"),
        pytest.param(lambda data: data.replace(b"old 300\n", b"old 300\n!\n"), id="no base64"),
        pytest.param(lambda data: data.replace(b"old 300\n", b"old 300\n" + b"A" * 5000 + b"\n"), id="too long"),
        pytest.param(lambda data: data.replace(b"old 300\n", "old 300\né\n".encode()), id="not ASCII"),
        pytest.param(lambda data: data.replace(b"old 300\n", b"old 300\n" + b"A\n" * 64), id="too many lines"),
    ],
)
def test_it_refuses_a_file_that_is_no_proof(damage: Callable[[bytes], bytes]) -> None:
    data = consistency.prove(head(300), head(500), note(500), read_tile)
    assert damage(data) != data
    with pytest.raises(ConsistencyError):
        consistency.parse(damage(data))


@given(st.data())
def test_any_two_checkpoints_of_a_log_are_proven_as_the_rfc_does(data: st.DataObject) -> None:
    new = data.draw(st.integers(0, len(LEAVES)))
    old = data.draw(st.integers(0, new))
    written = consistency.prove(head(old), head(new), note(new), read_tile)
    read = consistency.parse(written)
    assert read == ConsistencyProof(old, tuple(read.path), note(new))
    assert list(read.path) == (rfc6962.consistency_path(old, LEAVES[:new]) if old else [])
    assert checkpoint.open_note(read.note, [checkpoint.vkey(ORIGIN, KEY.public_key())]) == head(new)
    consistency.verify(head(old), head(new), read.path)


def test_the_file_is_what_a_witness_is_sent() -> None:
    path = consistency.path_between(300, 500, read_tile)
    assert consistency.write(300, path, note(500)) == witness_client.request_body(300, path, note(500))
