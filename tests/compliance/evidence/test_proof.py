"""Proof files: read back as written, refused in any other spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.evidence import proof
from compliance.evidence.errors import ProofError

HASH = st.binary(min_size=32, max_size=32)
GOOD = proof.write(7, [bytes(32), bytes(range(32))], b"note\n", hint=bytes(32))

BAD = {
    "empty": b"",
    "no checkpoint": GOOD.split(b"\n\n")[0],
    "another version": GOOD.replace(b"@v1", b"@v2"),
    "no index": GOOD.replace(b"index 7\n", b""),
    "a leading zero": GOOD.replace(b"index 7", b"index 07"),
    "a negative index": GOOD.replace(b"index 7", b"index -7"),
    "an index of other digits": GOOD.replace(b"index 7", "index ٧".encode()),
    "a short hash": GOOD.replace(b"AAECAwQ", b"AwQ"),
    "spare bits": GOOD.replace(b"Hh8=", b"Hh9="),
    "extra after the index": proof.write(7, [], b"note\n").replace(b"index 7", b"index 7\nextra AAAA"),
    "a hint of another length": GOOD.replace(b"extra ", b"extra AAAA"),
    "a carriage return": GOOD.replace(b"index 7\n", b"index 7\r\n"),
    "two megabytes": GOOD + b"x" * 2_000_000,
}


@pytest.mark.parametrize("name", BAD)
def test_a_malformed_proof_is_refused(name: str) -> None:
    assert BAD[name] != GOOD
    with pytest.raises(ProofError):
        proof.parse(BAD[name])


@given(st.integers(0, 2**60), st.lists(HASH, max_size=5), st.binary(), st.none() | HASH)
def test_a_proof_is_read_back_as_it_was_written(index: int, path: list[bytes], note: bytes, hint: bytes | None) -> None:
    parsed = proof.parse(proof.write(index, path, note, hint))
    assert parsed == proof.Proof(index=index, path=tuple(path), checkpoint=note, hint=hint)


def test_the_lines_are_those_of_the_specification() -> None:
    written = proof.write(7, [bytes(32)], b"origin\n", hint=bytes(32)).decode()
    zeros = "A" * 43 + "="
    assert written == f"c2sp.org/tlog-proof@v1\nextra {zeros}\nindex 7\n{zeros}\n\norigin\n"
