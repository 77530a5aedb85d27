"""One spelling for every value: what else is refused, and the published vectors of RFC 8785."""

import json
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compliance.evidence import canonical

OTHER_SPELLINGS: dict[str, bytes] = {
    "nothing": b"",
    "white space": b'{"a": 1}',
    "a final newline": b"{}\n",
    "two documents": b"{}{}",
    "keys in another order": b'{"b":1,"a":2}',
    "a key twice": b'{"a":1,"a":1}',
    "a key twice with two values": b'{"a":1,"a":2}',
    "an escaped letter": b'"\\u0041"',
    "an escaped slash": b'"\\/"',
    "a capital in an escape": b'"\\u000F"',
    "half a surrogate pair": b'"\\ud800"',
    "a fraction of nothing": b"1.0",
    "an exponent of nothing": b"1e0",
    "a capital exponent": b"1E+30",
    "a plus sign": b"+1",
    "a leading zero": b"01",
    "a negative zero": b"-0",
    "a negative zero with a fraction": b"-0.0",
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "a number beyond doubles": b"1e999",
    "a whole number beyond doubles": b"9" * 400,
    "digits beyond the limit of Python": b"9" * 5000,
    "a whole number between doubles": b"9007199254740993",
    "single quotes": b"{'a':1}",
    "a comment": b"{}//",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "no UTF-8": b'"\xff"',
    "nesting without end": b"[" * 100_000,
    "nesting without end, closed": b"[" * 100_000 + b"]" * 100_000,
}


@pytest.mark.parametrize("name", OTHER_SPELLINGS)
def test_another_spelling_of_json_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="canonical JSON"):
        canonical.loads(OTHER_SPELLINGS[name])


def endless() -> list[Any]:
    loop: list[Any] = []
    loop.append(loop)
    return loop


NO_JSON: dict[str, Any] = {
    "NaN": float("nan"),
    "infinity": float("inf"),
    "an integer that JSON readers round": 2**53,
    "its negative": -(2**53),
    "half a surrogate pair": "\ud800",
    "half a surrogate pair in a key": {"\ud800": 1},
    "bytes": b"a",
    "a set": {"a"},
    "a key that is a number": {1: 1},
    "a list that holds itself": endless(),
}


@pytest.mark.parametrize("name", NO_JSON)
def test_a_value_without_canonical_form_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"JSON|JCS|codepoints|keys|unsupported|canonical"):
        canonical.dumps(NO_JSON[name])


BAD_BASE64: dict[str, object] = {
    "no padding": "YQ",
    "too much padding": "YWI==",
    "spare bits": "YR==",
    "white space": "YWJj\n",
    "the alphabet of URLs": "-_-_",
    "a letter outside ASCII": "YWJjＡ===",
    "a lone surrogate": "\ud800",
    "bytes": b"YWJj",
    "a number": 5,
    "null": None,
}


@pytest.mark.parametrize("name", BAD_BASE64)
def test_another_spelling_of_base64_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="base64"):
        canonical.decode_base64(BAD_BASE64[name])


BAD_TIMES: dict[str, object] = {
    "no zone": "2026-05-01T12:00:00",
    "another spelling of UTC": "2026-05-01T12:00:00+00:00",
    "a fraction": "2026-05-01T12:00:00.5Z",
    "small letters": "2026-05-01t12:00:00z",
    "a space": "2026-05-01 12:00:00Z",
    "missing digits": "2026-5-1T12:00:00Z",
    "no such day": "2026-02-30T12:00:00Z",
    "a leap second": "2026-06-30T23:59:60Z",
    "other digits": "٢٠٢٦-05-01T12:00:00Z",
    "a final newline": "2026-05-01T12:00:00Z\n",
    "a number": 1777636800,
    "null": None,
}


@pytest.mark.parametrize("name", BAD_TIMES)
def test_another_spelling_of_a_time_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="2026-05-01T12:00:00Z"):
        canonical.parse_time(BAD_TIMES[name])


@pytest.mark.parametrize(
    "at",
    [
        pytest.param(datetime.fromisoformat("2026-05-01"), id="without a zone"),
        pytest.param(datetime(2026, 5, 1, microsecond=1, tzinfo=UTC), id="with a fraction of a second"),
    ],
)
def test_a_time_that_is_not_exact_has_no_spelling(at: datetime) -> None:
    with pytest.raises(ValueError, match="expected a time"):
        canonical.format_time(at)


WORDS: dict[str, tuple[object, bool]] = {
    "a word": ("art17_1_b", True),
    "one letter": ("a", True),
    "64 letters": ("a" * 64, True),
    "65 letters": ("a" * 65, False),
    "nothing": ("", False),
    "a capital": ("GDPR", False),
    "a space": ("jane doe", False),
    "an address": ("jane@example.org", False),
    "an umlaut": ("löschung", False),
    "a final newline": ("gdpr\n", False),
    "a leading dot": (".gdpr", False),
    "a number": (17, False),
    "null": (None, False),
}


@pytest.mark.parametrize("name", WORDS)
def test_codes_are_short_lower_case_words(name: str) -> None:
    value, is_code = WORDS[name]
    assert canonical.is_code(value) is is_code


IDS: dict[str, tuple[object, bool]] = {
    "version 4": ("3f2a8c1e-9f0b-4c6d-8e2a-1b3c5d7e9f00", True),
    "version 1": ("3f2a8c1e-9f0b-1c6d-8e2a-1b3c5d7e9f00", False),
    "another variant": ("3f2a8c1e-9f0b-4c6d-ce2a-1b3c5d7e9f00", False),
    "capitals": ("3F2A8C1E-9F0B-4C6D-8E2A-1B3C5D7E9F00", False),
    "no hyphens": ("3f2a8c1e9f0b4c6d8e2a1b3c5d7e9f00", False),
    "braces": ("{3f2a8c1e-9f0b-4c6d-8e2a-1b3c5d7e9f00}", False),
    "a URN": ("urn:uuid:3f2a8c1e-9f0b-4c6d-8e2a-1b3c5d7e9f00", False),
    "other digits": ("٣f2a8c1e-9f0b-4c6d-8e2a-1b3c5d7e9f00", False),
    "a final newline": ("3f2a8c1e-9f0b-4c6d-8e2a-1b3c5d7e9f00\n", False),
    "null": (None, False),
}


@pytest.mark.parametrize("name", IDS)
def test_ids_are_random_uuids_in_one_spelling(name: str) -> None:
    value, is_id = IDS[name]
    assert canonical.is_uuid4(value) is is_id


@pytest.mark.parametrize("value", [0, 1, 2**53 - 1])
def test_counts_are_whole_numbers_that_json_keeps(value: int) -> None:
    assert canonical.is_count(value)


@pytest.mark.parametrize("value", [-1, 2**53, 1.0, True, "1", None])
def test_other_values_are_no_counts(value: object) -> None:
    assert not canonical.is_count(value)


@pytest.mark.parametrize("value", ["0" * 63, "0" * 65, "A" * 64, "0" * 64 + "\n", "٠" * 64, 0, None])
def test_other_values_are_no_digests(value: object) -> None:
    assert not canonical.is_sha256(value)


# RFC 8785, section 3.2.2 (input) and 3.2.4 (output).
SAMPLE = rb"""{
  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}"""
CANONICAL_SAMPLE = (
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
    '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
).encode()


def test_the_sample_of_rfc_8785_has_its_published_form() -> None:
    assert canonical.dumps(json.loads(SAMPLE)) == CANONICAL_SAMPLE
    assert canonical.loads(CANONICAL_SAMPLE) == json.loads(SAMPLE)


# RFC 8785, appendix B: a double as the hexadecimal form of its bits → its spelling.
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


@pytest.mark.parametrize("bits", NUMBERS)
def test_numbers_are_spelled_as_rfc_8785_says_and_read_back(bits: str) -> None:
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical.dumps(value) == NUMBERS[bits].encode()
    assert canonical.loads(NUMBERS[bits].encode()) == value


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_written_is_read_back_and_written_the_same(value: Any) -> None:
    written = canonical.dumps(value)
    assert canonical.loads(written) == value
    assert canonical.dumps(canonical.loads(written)) == written


# Doubles of random bits: most are beyond the numbers that people write, and both spellings of exponents occur.
DOUBLES = st.integers(0, 2**64 - 1).map(lambda bits: float(struct.unpack(">d", struct.pack(">Q", bits))[0]))
# Strings that hold what looks like a number between two signs of JSON.
NUMBERLIKE = st.text(st.sampled_from(':,[]{}"\\0123456789.eE+-'), max_size=12)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | DOUBLES
    | st.sampled_from([1.0, -1.0, 1e16, 9999999999999998.0, 1e21, 1e-4, 0.00011, 1e-6, 1e-7, 5e-324, -0.0, 0.1])
    | st.floats()
    | st.text()
    | NUMBERLIKE,
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | NUMBERLIKE, inner) | st.lists(inner).map(tuple),
    max_leaves=20,
)


def spelling(dumps: Callable[[Any], bytes], value: Any) -> bytes | None:
    """What a writer makes of a value; None where it refuses."""
    try:
        return dumps(value)
    except ValueError:
        return None


@settings(max_examples=1000)
@given(ANYTHING)
@example([":1.0,", 1.0])
@example({":1e+16,": [1e16, "[1.0]"]})
@example({"\U0001f600": 1, "\uffff": 2})
@example(["\ud800", 1.0])
def test_every_value_is_written_as_the_reference_library_writes_it(value: Any) -> None:
    """rfc8785 is the slow twin: another author's code, kept for tests alone."""
    assert spelling(canonical.dumps, value) == spelling(rfc8785.dumps, value)


@settings(max_examples=1000)
@given(DOUBLES)
def test_every_double_is_written_as_the_reference_library_writes_it(value: float) -> None:
    for document in (value, [value], {"a": value, "b": 1.0}):
        assert spelling(canonical.dumps, document) == spelling(rfc8785.dumps, document)


@given(st.binary())
def test_bytes_are_read_back_from_base64(data: bytes) -> None:
    assert canonical.decode_base64(canonical.encode_base64(data)) == data


@given(
    st.datetimes(datetime.fromisoformat("0002-01-01"), datetime.fromisoformat("9998-12-31")).map(
        lambda at: at.replace(microsecond=0)
    ),
    st.integers(-23, 23),
)
def test_times_are_read_back_in_utc_whatever_zone_they_came_in(at: datetime, hours: int) -> None:
    zoned = at.replace(tzinfo=timezone(timedelta(hours=hours)))
    assert canonical.parse_time(canonical.format_time(zoned)) == zoned


def test_the_digest_is_that_of_the_canonical_bytes() -> None:
    """SHA-256 of `{"a":1}`, by `printf '{"a":1}' | sha256sum`."""
    assert canonical.digest({"a": 1}) == "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"


@given(st.text(min_size=8, max_size=40).filter(lambda text: text.strip() == text))
def test_no_refusal_repeats_what_it_refuses(secret: str) -> None:
    for refuse in (canonical.decode_base64, canonical.parse_time):
        with pytest.raises(ValueError, match="expected") as caught:
            refuse(f"{secret}!")
        assert secret not in str(caught.value)
