"""Keyed commitments: what is refused, HMAC against its definition, and what binds."""

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.evidence import canonical, commitment
from compliance.evidence.commitment import Openings, commit, parse_openings
from compliance.evidence.errors import MalformedFileError, OpeningError

KEY = bytes(range(32))
PAYLOAD = {"channel": "api", "scope": "all"}
OPENINGS = Openings(key=KEY, request=PAYLOAD, scope={"models": []})
KEYS = st.binary(min_size=32, max_size=32)
LABELS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12)
PAYLOADS = st.dictionaries(st.text(st.characters(codec="utf-8")), st.integers(-1000, 1000) | st.none())


@pytest.mark.parametrize("n_bytes", [0, 16, 31, 33, 64, 65])
def test_a_key_of_another_length_is_refused(n_bytes: int) -> None:
    """HMAC pads short keys with zeros and hashes long ones: two keys would then open one commitment."""
    with pytest.raises(ValueError, match="32 bytes"):
        commit(bytes(n_bytes), "request", PAYLOAD)


@pytest.mark.parametrize("label", ["", "a\x00b", "\x00"])
def test_a_label_that_could_run_into_the_payload_is_refused(label: str) -> None:
    with pytest.raises(ValueError, match="label"):
        commit(KEY, label, PAYLOAD)


def test_a_payload_without_canonical_form_is_refused() -> None:
    with pytest.raises(ValueError, match=r"2\*\*53"):
        commit(KEY, "request", {"n": 2**53})


BAD_OPENINGS: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"key",
    "a list": b"[]",
    "a member too few": canonical.dumps({"key": KEY.hex(), "request": {}}),
    "a member too many": canonical.dumps({"key": KEY.hex(), "request": {}, "scope": None, "name": "jane"}),
    "a short key": canonical.dumps({"key": "00", "request": {}, "scope": None}),
    "a key in capitals": canonical.dumps({"key": "AB" * 32, "request": {}, "scope": None}),
    "a key that is a list": canonical.dumps({"key": [], "request": {}, "scope": None}),
    "a request that is null": canonical.dumps({"key": KEY.hex(), "request": None, "scope": None}),
    "a scope that is a list": canonical.dumps({"key": KEY.hex(), "request": {}, "scope": []}),
    "a scope said twice": OPENINGS.to_bytes().replace(b'"scope":', b'"scope":null,"scope":'),
    "white space": OPENINGS.to_bytes() + b"\n",
}


@pytest.mark.parametrize("name", BAD_OPENINGS)
def test_malformed_openings_are_refused(name: str) -> None:
    with pytest.raises(MalformedFileError, match=r"openings\.json"):
        parse_openings(BAD_OPENINGS[name])


MISMATCHES: dict[str, tuple[Openings, str, str]] = {
    "another key": (Openings(key=bytes(32), request=PAYLOAD, scope=None), "request", commit(KEY, "request", PAYLOAD)),
    "another payload": (OPENINGS, "request", commit(KEY, "request", {})),
    "another label": (OPENINGS, "request", commit(KEY, "scope", PAYLOAD)),
    "the other payload": (OPENINGS, "scope", commit(KEY, "scope", PAYLOAD)),
    "no commitment": (OPENINGS, "request", ""),
    "none disclosed": (Openings(key=KEY, request=PAYLOAD, scope=None), "scope", commit(KEY, "scope", {})),
}


@pytest.mark.parametrize("name", MISMATCHES)
def test_openings_that_do_not_open_are_refused_without_telling_what_they_hold(name: str) -> None:
    openings, label, expected = MISMATCHES[name]
    with pytest.raises(OpeningError) as caught:
        openings.refuse_mismatch(label, expected)
    assert "channel" not in str(caught.value)
    assert openings.key.hex() not in str(caught.value)


def hmac_by_its_definition(key: bytes, message: bytes) -> str:
    """RFC 2104, section 2, for a key shorter than a block."""
    block = key + bytes(64 - len(key))
    inner = sha256(bytes(byte ^ 0x36 for byte in block) + message).digest()
    return sha256(bytes(byte ^ 0x5C for byte in block) + inner).hexdigest()


@given(KEYS, LABELS, PAYLOADS)
def test_a_commitment_is_the_hmac_of_label_zero_byte_and_canonical_payload(
    key: bytes, label: str, payload: dict[str, Any]
) -> None:
    message = label.encode() + b"\x00" + canonical.dumps(payload)
    assert commit(key, label, payload) == hmac_by_its_definition(key, message)


@given(KEYS, KEYS, LABELS, LABELS, PAYLOADS, PAYLOADS)
def test_different_keys_labels_or_payloads_never_share_a_commitment(
    key: bytes, other_key: bytes, label: str, other_label: str, payload: dict[str, Any], other: dict[str, Any]
) -> None:
    is_same = (key, label, payload) == (other_key, other_label, other)
    assert (commit(key, label, payload) == commit(other_key, other_label, other)) is is_same


@given(KEYS, PAYLOADS, st.none() | PAYLOADS)
def test_openings_are_read_back_as_they_were_written_and_open(
    key: bytes, request: dict[str, Any], scope: dict[str, Any] | None
) -> None:
    openings = Openings(key=key, request=request, scope=scope)
    assert parse_openings(openings.to_bytes()) == openings
    parse_openings(openings.to_bytes()).refuse_mismatch("request", commit(key, "request", request))


def test_each_new_key_is_another_one_of_the_right_length() -> None:
    keys = {commitment.new_key() for _ in range(100)}
    assert len(keys) == 100
    assert {len(key) for key in keys} == {commitment.KEY_BYTES}
