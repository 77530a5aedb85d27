"""The fast way to say yes to a leaf says yes to exactly what the slow way, building it again, says yes to.

The slow twin is written here once more: parse JSON, check every value by hand, write the canonical bytes, compare.
"""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compliance.evidence import canonical, dsse, leaf, rekord
from compliance.evidence.errors import LeafError
from compliance.evidence.leaf import FACTS, Event

from .story import new_signer
from .test_leaf import EVENT, KEY, any_event, events

ALPHABET = st.sampled_from(list(b'"{}[]:,0123456789abcdefABCDEFTZ-_.@ \n\\u\xc3\xa9\x00'))
SIGNER = new_signer()


def slow(data: bytes) -> Event | None:
    """The event of a leaf, by building it anew; None where these bytes are none."""
    try:
        value = canonical.loads(data)
        event = Event(
            type=value["type"],
            request=value["request"],
            previous=value["previous"],
            at=canonical.parse_time(value["at"]),
            actor_role=value["actor"]["role"],
            actor_id=value["actor"]["id"],
            facts=value["facts"],
        )
        return event if leaf.build(event) == data else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def fast(data: bytes) -> Event | None:
    try:
        return leaf.parse(data)
    except LeafError:
        return None


def mutated(data: st.DataObject, genuine: bytes) -> bytes:
    """Some bytes put in, taken out, changed or moved."""
    changed = bytearray(genuine)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(changed)))
        n_out = data.draw(st.integers(0, 3))
        changed[at : at + n_out] = bytes(data.draw(st.lists(ALPHABET, max_size=3)))
    return bytes(changed)


@pytest.mark.parametrize("event_type", FACTS)
@settings(max_examples=60)
@given(data=st.data())
def test_both_ways_accept_the_same_bytes(event_type: str, data: st.DataObject) -> None:
    genuine = leaf.build(data.draw(events(event_type)))
    assert fast(genuine) == slow(genuine) is not None
    changed = mutated(data, genuine)
    assert fast(changed) == slow(changed)


SAME_LENGTH = {
    "a digit beyond hex": (b"ab" * 32, b"gb" * 32),
    "capitals in a digest": (b"ab" * 32, b"AB" * 32),
    "another version of UUID": (b"-4000-8", b"-1000-8"),
    "another variant of UUID": (b"-4000-8", b"-4000-c"),
    "a month that is none": (b"2026-05-01", b"2026-13-01"),
    "a day that is none": (b"2026-05-01", b"2026-02-30"),
    "an hour that is none": (b"T12:00:00Z", b"T24:00:00Z"),
    "a leap second": (b"T12:00:00Z", b"T12:00:60Z"),
    "a year zero": (b"2026-05-01", b"0000-05-01"),
    "a leading zero": (b'"level":1', b'"level":01'),
    "a count of sixteen digits": (b'"level":1', b'"level":9007199254740991'),
    "a count beyond the exact numbers": (b'"level":1', b'"level":9007199254740992'),
    "a count with an exponent": (b'"level":1', b'"level":1e1'),
    "an escape": (b"email_code", b"\\u0065mail_code"),
    "an empty word": (b'"email_code"', b'""'),
    "a word of another list": (b'"email_code"', b'"art17_1_a"'),
    "a word that goes on": (b'"email_code"', b'"email_codes"'),
    "two words": (b'"email_code"', b'"email_code|email_code"'),
    "another role": (b'"subject"', b'"friend"'),
    "no previous event": (b'"' + b"ab" * 32 + b'"', b"null"),
    "no request": (b'"00000000-0000-4000-8000-000000000001"', b"null"),
    "another version": (b'"v":1', b'"v":2'),
    "a type with another dot": (b"request.identity", b"request_identity"),
}


@pytest.mark.parametrize("name", SAME_LENGTH)
def test_both_ways_decide_the_edges_alike(name: str) -> None:
    old, new = SAME_LENGTH[name]
    genuine = leaf.build(EVENT)
    assert old in genuine
    changed = genuine.replace(old, new)
    assert fast(changed) == slow(changed)


@pytest.mark.parametrize("purpose", ["evidence", "checkpoint", "session", ""])
def test_both_ways_know_the_purposes_of_keys(purpose: str) -> None:
    changed = leaf.build(KEY).replace(b'"purpose":"evidence"', f'"purpose":"{purpose}"'.encode())
    assert fast(changed) == slow(changed)
    assert (fast(changed) is not None) == (purpose in ("evidence", "checkpoint"))


@settings(max_examples=300)
@given(data=st.data())
def test_facts_of_one_type_are_no_facts_of_another(data: st.DataObject) -> None:
    """The type stands behind the facts: the expression of another type must not match."""
    first, second = (data.draw(st.sampled_from(sorted(FACTS))) for _ in range(2))
    genuine = leaf.build(data.draw(events(first)))
    changed = genuine.replace(f'"type":"{first}"'.encode(), f'"type":"{second}"'.encode())
    assert fast(changed) == slow(changed)


PLUGINS = {
    "one letter": ("a", "1", True),
    "32 letters": ("a" * 32, "1", True),
    "33 letters": ("a" * 33, "1", False),
    "a capital": ("Acu", "1", False),
    "a digit first": ("1acu", "1", False),
    "an underscore first": ("_acu", "1", False),
    "a dot": ("anna.schmidt", "1", False),
    "a hyphen": ("anna-schmidt", "1", False),
    "no name": ("", "1", False),
    "three numbers": ("acu", "1.22.3333", True),
    "four numbers": ("acu", "1.2.3.4", False),
    "five digits": ("acu", "12345", False),
    "five digits behind a dot": ("acu", "1.12345", False),
    "a dot first": ("acu", ".1", False),
    "a dot last": ("acu", "1.", False),
    "two dots": ("acu", "1..2", False),
    "a letter": ("acu", "1a", False),
    "a letter between": ("acu", "1.a.1", False),
    "no number": ("acu", "", False),
    "a dot alone": ("acu", ".", False),
}


def started(method: str, version: str) -> bytes:
    """The leaf of a job that runs this method, whether it is allowed or not."""
    event = any_event("job.started", method="acu", method_version="1")
    names = b'"method":"%s","method_version":"%s"' % (method.encode(), version.encode())
    return leaf.build(event).replace(b'"method":"acu","method_version":"1"', names)


@pytest.mark.parametrize("name", PLUGINS)
def test_both_ways_know_the_names_and_versions_of_plug_ins(name: str) -> None:
    method, version, is_allowed = PLUGINS[name]
    changed = started(method, version)
    assert fast(changed) == slow(changed)
    assert (fast(changed) is not None) is is_allowed


def test_a_count_of_sixteen_digits_is_read() -> None:
    big = EVENT._replace(facts={**EVENT.facts, "level": canonical.MAX_INT})
    assert fast(leaf.build(big)) == big


# --- The entry of signed evidence -----------------------------------------------------------------------------------


def slow_rekord(data: bytes) -> bytes | None:
    """The body, by building it anew; None where these bytes are none."""
    try:
        value: Any = canonical.loads(data)
        parts = value["spec"]["hashedRekordV002"]
        digest, signature, key = (
            canonical.decode_base64(text)
            for text in (
                parts["data"]["digest"],
                parts["signature"]["content"],
                parts["signature"]["verifier"]["publicKey"]["rawBytes"],
            )
        )
        public_key = dsse.load_public_key_der(key)
        keyid = dsse.public_key_sha256(public_key)
        again = rekord.HashedRekord(digest, signature, public_key, keyid).to_bytes()
        return again if again == data and len(digest) == 32 and signature else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def fast_rekord(data: bytes) -> bytes | None:
    try:
        return rekord.parse_hashedrekord(data).to_bytes()
    except LeafError:
        return None


BODY = rekord.hashedrekord(SIGNER.sign(b"{}"), SIGNER.public_key_pem)


@settings(max_examples=500)
@given(st.data())
def test_both_ways_accept_the_same_entries_of_evidence(data: st.DataObject) -> None:
    assert fast_rekord(BODY) == slow_rekord(BODY) == BODY
    changed = mutated(data, BODY)
    assert fast_rekord(changed) == slow_rekord(changed)


@settings(max_examples=200)
@given(digest=st.binary(min_size=30, max_size=34), signature=st.binary(max_size=80))
@example(digest=bytes(32), signature=b"")
def test_both_ways_accept_the_same_digests_and_signatures(digest: bytes, signature: bytes) -> None:
    body = rekord.HashedRekord(digest, signature, SIGNER.public_key, SIGNER.keyid).to_bytes()
    assert fast_rekord(body) == slow_rekord(body)
    assert (fast_rekord(body) is None) == (len(digest) != 32 or not signature)
