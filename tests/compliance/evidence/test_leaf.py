"""The allow-list of the ledger: every event type is read back as written, and nothing else gets in."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.evidence import canonical, leaf
from compliance.evidence.errors import LeafError
from compliance.evidence.leaf import FACTS, ROLES, WITHOUT_REQUEST, WORDS, Event, FactValue

from .story import some_id

DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
IDS = st.uuids(version=4).map(str)
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "sha256": DIGESTS,
    "uuid": IDS,
    "plug-in": st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True),
    "version": st.from_regex(r"[0-9]{1,4}(\.[0-9]{1,4}){0,2}", fullmatch=True),
    "count": st.integers(0, canonical.MAX_INT),
    "time": st.datetimes(datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2100-01-01")).map(
        lambda at: canonical.format_time(at.replace(microsecond=0, tzinfo=UTC))
    ),
    "date": st.dates().map(date.isoformat),
    "list of uuid": st.lists(IDS, max_size=8),
    "list of sha256": st.lists(DIGESTS, max_size=8),
    **{kind: st.sampled_from(sorted(words)) for kind, words in WORDS.items()},
}
TIMES = st.datetimes(datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2100-01-01")).map(
    lambda at: at.replace(microsecond=0, tzinfo=UTC)
)


@st.composite
def events(draw: st.DrawFn, event_type: str) -> Event:
    """Any event of a type that the schema allows."""
    is_own = event_type in WITHOUT_REQUEST
    facts = {fact: draw(KINDS[kind]) for fact, kind in FACTS[event_type].items()}
    return Event(
        type=event_type,
        request=None if is_own else draw(IDS),
        previous=None if is_own or event_type == "request.received" else draw(DIGESTS),
        at=draw(TIMES),
        actor_role=draw(st.sampled_from(sorted(ROLES))),
        actor_id=draw(IDS),
        facts=facts,
    )


EVENT = Event(
    type="request.identity_confirmed",
    request=some_id(1),
    previous="ab" * 32,
    at=datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC),
    actor_role="subject",
    actor_id=some_id(2),
    facts={"method": "email_code", "level": 1},
)
KEY = Event(
    type="key.published",
    request=None,
    previous=None,
    at=EVENT.at,
    actor_role="system",
    actor_id=some_id(2),
    facts={"purpose": "evidence", "key_sha256": "0" * 64},
)


def facts(**changes: Any) -> dict[str, Any]:
    return {"facts": {**EVENT.facts, **changes}}


NOT_ALLOWED: dict[str, dict[str, Any]] = {
    "an unknown type": {"type": "request.forgotten"},
    "a type that is no string": {"type": ["request.withdrawn"]},
    "no request": {"request": None},
    "a request that is an address": {"request": "jane@example.org"},
    "a request of another version of UUID": {"request": "3f2a8c1e-9f0b-1c6d-8e2a-1b3c5d7e9f00"},
    "no previous event": {"previous": None},
    "a previous event that is free text": {"previous": "the one before"},
    "a previous event in capitals": {"previous": "AB" * 32},
    "a time without a zone": {"at": datetime.fromisoformat("2026-05-01")},
    "a time with a fraction of a second": {"at": datetime(2026, 5, 1, microsecond=1, tzinfo=UTC)},
    "an unknown role": {"actor_role": "friend"},
    "a role that is a list": {"actor_role": ["dpo"]},
    "an actor by name": {"actor_id": "jane"},
    "no facts": {"facts": {}},
    "facts that are a list": {"facts": ["email_code"]},
    "a fact too few": {"facts": {"method": "email_code"}},
    "a fact too many": facts(remark="none"),
    "a fact of another name": {"facts": {"method": "email_code", "Level": 1}},
    "a method that is an address": facts(method="jane@example.org"),
    "a method that is a sentence": facts(method="she called us"),
    "a method that is a number": facts(method=1),
    "a method that is a list": facts(method=["email_code"]),
    "a level that is true": facts(level=True),
    "a level below zero": facts(level=-1),
    "a level with a fraction": facts(level=1.0),
    "a level beyond the exact numbers": facts(level=2**53),
    "a level in words": facts(level="1"),
}


@pytest.mark.parametrize("name", NOT_ALLOWED)
def test_what_is_not_on_the_allow_list_is_never_written(name: str) -> None:
    with pytest.raises(LeafError):
        leaf.build(EVENT._replace(**NOT_ALLOWED[name]))


NOT_ALLOWED_FOR_KEYS: dict[str, dict[str, Any]] = {
    "a request": {"request": some_id(1)},
    "a previous event": {"previous": "0" * 64},
    "another purpose": {"facts": {"purpose": "session", "key_sha256": "0" * 64}},
}


@pytest.mark.parametrize("name", NOT_ALLOWED_FOR_KEYS)
def test_an_event_of_no_request_takes_no_request(name: str) -> None:
    with pytest.raises(LeafError):
        leaf.build(KEY._replace(**NOT_ALLOWED_FOR_KEYS[name]))


def test_the_first_event_of_a_request_follows_nothing() -> None:
    received = {"channel": "api", "regulation": "gdpr", "ground": "art17_1_a", "commitment": "0" * 64}
    with pytest.raises(LeafError, match="previous"):
        leaf.build(EVENT._replace(type="request.received", facts=received))


def test_a_leaf_that_is_longer_than_the_limit_is_never_written() -> None:
    jobs = [some_id(number) for number in range(2000)]
    planned: dict[str, FactValue] = {"policy_sha256": "0" * 64, "jobs": jobs}
    with pytest.raises(LeafError, match="at most 65535 bytes"):
        leaf.build(EVENT._replace(type="request.planned", facts=planned))


def test_a_request_that_concerns_hundreds_of_models_can_be_completed() -> None:
    digests = [f"{number:064x}" for number in range(400)]
    listed: dict[str, FactValue] = {"evidence": digests, "versions": digests}
    completed = EVENT._replace(type="request.completed", facts=listed)
    assert leaf.parse(leaf.build(completed)) == completed


WRITTEN = leaf.build(EVENT)
NO_LEAVES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"hello",
    "a list": b"[]",
    "no members": b"{}",
    "white space": WRITTEN + b"\n",
    "a member too many": WRITTEN.replace(b'{"actor"', b'{"a":1,"actor"'),
    "a member too many in the actor": WRITTEN.replace(b'"role":', b'"name":"jane","role":'),
    "an actor that is a word": canonical.dumps({**canonical.loads(WRITTEN), "actor": "jane"}),
    "a member twice": WRITTEN.replace(b'"v":1', b'"v":1,"v":1'),
    "another version": WRITTEN.replace(b'"v":1', b'"v":2'),
    "another spelling of the time": WRITTEN.replace(b"12:00:00Z", b"12:00:00+00:00"),
    "two megabytes": WRITTEN + b" " * 2_000_000,
    "nesting without end": b"[" * 2000,
}


@pytest.mark.parametrize("name", NO_LEAVES)
def test_what_build_would_not_write_is_never_read(name: str) -> None:
    assert NO_LEAVES[name] != WRITTEN
    with pytest.raises(LeafError):
        leaf.parse(NO_LEAVES[name])


@pytest.mark.parametrize("event_type", FACTS)
@settings(max_examples=25)
@given(data=st.data())
def test_every_type_of_event_is_read_back_as_it_was_written(event_type: str, data: st.DataObject) -> None:
    event = data.draw(events(event_type))
    written = leaf.build(event)
    assert leaf.parse(written) == event
    assert leaf.build(leaf.parse(written)) == written
    assert len(written) <= leaf.MAX_LEAF_BYTES


# What a name, a birth date and an address become when they are squeezed into a code.
SQUEEZED = "anna.schmidt-1984-03-12-hauptstr-1-example.com"
FREE_TEXT = st.one_of(
    st.text(min_size=1).filter(lambda text: re.fullmatch("[a-z0-9_.]+", text) is None),
    st.just(SQUEEZED),
    st.emails(),
    st.text(max_size=20).map(lambda text: f"{text}@"),
    st.just("Jane Doe"),
)
PLACES: dict[str, Callable[[Event, Any], Event]] = {
    "request": lambda event, value: event._replace(request=value),
    "previous": lambda event, value: event._replace(previous=value),
    "role": lambda event, value: event._replace(actor_role=value),
    "actor": lambda event, value: event._replace(actor_id=value),
    "name of a fact": lambda event, value: event._replace(facts={**event.facts, value: 1}),
}


@pytest.mark.parametrize("event_type", FACTS)
@settings(max_examples=25)
@given(data=st.data(), words=FREE_TEXT)
def test_no_free_text_enters_any_fact_and_no_refusal_repeats_it(
    event_type: str, data: st.DataObject, words: str
) -> None:
    event = data.draw(events(event_type))
    for fact, kind in FACTS[event_type].items():
        value = [words] if kind.startswith("list of") else words
        with pytest.raises(LeafError) as caught:
            leaf.build(event._replace(facts={**event.facts, fact: value}))
        assert len(words) < 8 or words not in str(caught.value)


@pytest.mark.parametrize("place", PLACES)
@given(words=FREE_TEXT)
def test_no_free_text_enters_anywhere_else_and_no_refusal_repeats_it(place: str, words: str) -> None:
    with pytest.raises(LeafError) as caught:
        leaf.build(PLACES[place](EVENT, words))
    assert len(words) < 8 or words not in str(caught.value)


OPEN_FACTS = {("job.started", "method"), ("job.started", "method_version"), ("model.registered", "family")}


@pytest.mark.parametrize("event_type", FACTS)
@pytest.mark.parametrize("word", ["anna_schmidt", "anna", "1984.03.12", "4915112345678", SQUEEZED])
def test_a_name_or_a_number_fits_into_facts_that_name_plug_ins_alone(event_type: str, word: str) -> None:
    """Every other word is one of a closed list: this is all that is left open, and the module says so."""
    for fact, kind in FACTS[event_type].items():
        is_open = (event_type, fact) in OPEN_FACTS and word not in ("4915112345678", SQUEEZED)
        if is_open:
            assert kind in ("plug-in", "version")
        else:
            with pytest.raises(LeafError):
                leaf.build(any_event(event_type, **{fact: word}))


def any_event(event_type: str, **changes: FactValue) -> Event:
    """An event of this type with the first word of every list."""
    plain: dict[str, FactValue] = {
        "sha256": "0" * 64,
        "uuid": some_id(3),
        "count": 1,
        "time": "2026-05-01T12:00:00Z",
        "date": "2026-05-01",
        "plug-in": "acu",
        "version": "1",
        "list of uuid": [],
        "list of sha256": [],
        **{kind: min(words) for kind, words in WORDS.items()},
    }
    is_own = event_type in WITHOUT_REQUEST
    previous = None if is_own or event_type == "request.received" else "ab" * 32
    given = {fact: plain[kind] for fact, kind in FACTS[event_type].items()} | changes
    return EVENT._replace(type=event_type, request=None if is_own else some_id(1), previous=previous, facts=given)


@pytest.mark.parametrize("event_type", FACTS)
def test_the_same_event_without_the_name_is_written(event_type: str) -> None:
    assert leaf.parse(leaf.build(any_event(event_type))) == any_event(event_type)


@pytest.mark.parametrize(("kind", "words"), WORDS.items())
def test_no_list_has_a_word_in_which_there_is_room_for_more(kind: str, words: frozenset[str]) -> None:
    """Words need no escape in JSON, in an expression or in SQL, and are codes."""
    assert words and all(re.fullmatch("[a-z][a-z0-9_]*", word) for word in words), kind


def test_every_kind_of_fact_is_one_of_those_tested_here() -> None:
    assert {kind for expected in FACTS.values() for kind in expected.values()} == set(KINDS)


def test_the_bytes_of_a_leaf_are_those_that_older_leaves_have() -> None:
    """Leaves are never rewritten: a change of these bytes would be another version of the format."""
    assert WRITTEN == (
        b'{"actor":{"id":"00000000-0000-4000-8000-000000000002","role":"subject"},"at":"2026-05-01T12:00:00Z",'
        b'"facts":{"level":1,"method":"email_code"},"previous":"' + b"ab" * 32 + b'",'
        b'"request":"00000000-0000-4000-8000-000000000001","type":"request.identity_confirmed","v":1}'
    )
