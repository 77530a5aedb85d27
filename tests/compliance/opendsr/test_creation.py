"""A create request is read in one way or refused by the name of a member, and nothing of it is repeated."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.opendsr import creation
from compliance.opendsr.creation import CreateRequest
from compliance.opendsr.dialect import DIALECTS, OPENDSR_2, OPENGDPR_1, Dialect
from compliance.opendsr.errors import MessageError, Reason
from compliance.opendsr.vocabulary import Regulation

from . import messages
from .authority import DOMAIN
from .messages import CALLBACK_URL, PERSONAL, email, encoded, without


def parse(value: object, dialect: Dialect = OPENDSR_2) -> CreateRequest:
    return creation.parse(encoded(value), dialect, DOMAIN)


def changed(**members: Any) -> dict[str, Any]:
    return {**messages.creation(), **members}


def identified(*identities: Any) -> dict[str, Any]:
    return changed(subject_identities=list(identities))


FIRST = "subject_identities[0]"
REFUSED: dict[str, tuple[Any, str, Reason]] = {
    "no regulation": (without(messages.creation(), "regulation"), "regulation", Reason.MISSING),
    "regulation null": (changed(regulation=None), "regulation", Reason.MISSING),
    "regulation unknown": (changed(regulation=PERSONAL), "regulation", Reason.WRONG_VALUE),
    "regulation in capitals": (changed(regulation="GDPR"), "regulation", Reason.WRONG_VALUE),
    "regulation a number": (changed(regulation=1), "regulation", Reason.WRONG_TYPE),
    "no id": (without(messages.creation(), "subject_request_id"), "subject_request_id", Reason.MISSING),
    "id in capitals": (
        changed(subject_request_id=messages.REQUEST_ID.upper()),
        "subject_request_id",
        Reason.WRONG_VALUE,
    ),
    "id of version 1": (
        changed(subject_request_id="a7551968-d5d6-11b2-9831-815ac9017798"),
        "subject_request_id",
        Reason.WRONG_VALUE,
    ),
    "id without hyphens": (changed(subject_request_id="a" * 32), "subject_request_id", Reason.WRONG_VALUE),
    "no type": (without(messages.creation(), "subject_request_type"), "subject_request_type", Reason.MISSING),
    "type unknown": (changed(subject_request_type="deletion"), "subject_request_type", Reason.WRONG_VALUE),
    "no identities": (without(messages.creation(), "subject_identities"), "subject_identities", Reason.MISSING),
    "identities empty": (identified(), "subject_identities", Reason.MISSING),
    "identities an object": (changed(subject_identities=email()), "subject_identities", Reason.WRONG_TYPE),
    "too many identities": (identified(*[email()] * 101), "subject_identities", Reason.TOO_LARGE),
    "identity a string": (identified(PERSONAL), FIRST, Reason.WRONG_TYPE),
    "second identity wrong": (identified(email(), [PERSONAL]), "subject_identities[1]", Reason.WRONG_TYPE),
    "identity with another member": (identified({**email(), PERSONAL: 1}), FIRST, Reason.UNKNOWN_MEMBER),
    "identity without type": (
        identified(without(email(), "identity_type")),
        f"{FIRST}.identity_type",
        Reason.MISSING,
    ),
    "identity type unknown": (
        identified({**email(), "identity_type": "phone"}),
        f"{FIRST}.identity_type",
        Reason.WRONG_VALUE,
    ),
    "identity format unknown": (
        identified(email(identity_format="sha512")),
        f"{FIRST}.identity_format",
        Reason.WRONG_VALUE,
    ),
    "identity value empty": (identified(email("")), f"{FIRST}.identity_value", Reason.WRONG_VALUE),
    "identity value a number": (
        identified({**email(), "identity_value": 7}),
        f"{FIRST}.identity_value",
        Reason.WRONG_TYPE,
    ),
    "identity value with NUL": (identified(email("jane\0")), f"{FIRST}.identity_value", Reason.WRONG_VALUE),
    "identity value with a line break": (identified(email("jane\n")), f"{FIRST}.identity_value", Reason.WRONG_VALUE),
    "identity value half a surrogate": (identified(email("\ud800")), f"{FIRST}.identity_value", Reason.WRONG_VALUE),
    "identity value too long": (identified(email("x" * 513)), f"{FIRST}.identity_value", Reason.TOO_LARGE),
    "SHA-256 in clear": (identified(email(identity_format="sha256")), f"{FIRST}.identity_value", Reason.WRONG_VALUE),
    "SHA-256 of SHA-1's size": (identified(email("a" * 40, "sha256")), f"{FIRST}.identity_value", Reason.WRONG_VALUE),
    "SHA-1 of MD5's size": (identified(email("a" * 32, "sha1")), f"{FIRST}.identity_value", Reason.WRONG_VALUE),
    "MD5 with another letter": (identified(email("g" * 32, "md5")), f"{FIRST}.identity_value", Reason.WRONG_VALUE),
    "MD5 that grows in lower case": (identified(email("İ" * 32, "md5")), f"{FIRST}.identity_value", Reason.WRONG_VALUE),
    "no time": (without(messages.creation(), "submitted_time"), "submitted_time", Reason.MISSING),
    "time a number": (changed(submitted_time=1_777_777_777), "submitted_time", Reason.WRONG_TYPE),
    "version a number": (changed(api_version=2.0), "api_version", Reason.WRONG_TYPE),
    "version a word": (changed(api_version=PERSONAL), "api_version", Reason.WRONG_VALUE),
    "callbacks a string": (changed(status_callback_urls=CALLBACK_URL), "status_callback_urls", Reason.WRONG_TYPE),
    "too many callbacks": (changed(status_callback_urls=[CALLBACK_URL] * 11), "status_callback_urls", Reason.TOO_LARGE),
    "callback null": (changed(status_callback_urls=[None]), "status_callback_urls[0]", Reason.WRONG_TYPE),
    "extensions an array": (changed(extensions=[PERSONAL]), "extensions", Reason.WRONG_TYPE),
    "our extension a string": (changed(extensions={DOMAIN: PERSONAL}), f"extensions.{DOMAIN}", Reason.WRONG_TYPE),
    "our extension with half a surrogate": (
        changed(extensions={DOMAIN: {"note": "\udfff"}}),
        f"extensions.{DOMAIN}",
        Reason.WRONG_VALUE,
    ),
    "our extension with no number": (
        changed(extensions={DOMAIN: {"note": float("1e400")}}),
        "body",
        Reason.NOT_JSON,
    ),
    "an array": ([messages.creation()], "body", Reason.NOT_JSON),
    "a string": (PERSONAL, "body", Reason.NOT_JSON),
    "null": (None, "body", Reason.NOT_JSON),
}


def everything_said(error: BaseException) -> str:
    """What any log of this error could hold: itself and what it was raised from or during."""
    parts, each = [], error
    while each is not None:
        parts.append(f"{each!r} {each} {vars(each)}")
        each = each.__cause__ or each.__context__  # type: ignore[assignment]
    return " ".join(parts)


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses_by_the_name_of_the_member_and_repeats_nothing(name: str) -> None:
    value, member, reason = REFUSED[name]
    with pytest.raises(MessageError) as caught:
        parse(value)
    assert (caught.value.member, caught.value.reason) == (member, reason)
    assert str(caught.value).startswith(f"{member}: expected ")
    assert PERSONAL not in everything_said(caught.value)


TIMES = [
    pytest.param("2026-04-30", id="a day"),
    pytest.param("2026-04-30T09:15:00", id="no zone"),
    pytest.param("2026-04-30 09:15:00Z", id="a space"),
    pytest.param("2026-04-30T09:15Z", id="no seconds"),
    pytest.param("2026-04-30T09:15:00.Z", id="no fraction after the point"),
    pytest.param("2026-02-30T09:15:00Z", id="no such day"),
    pytest.param("2026-04-30T24:00:00Z", id="no such hour"),
    pytest.param("2016-12-31T23:59:60Z", id="a leap second"),
    pytest.param("2026-04-30T09:15:00+25:00", id="no such zone"),
    pytest.param("0001-01-01T00:00:00+01:00", id="before the first year"),
    pytest.param("٢٠٢٦-04-30T09:15:00Z", id="other digits"),
    pytest.param("20260430T091500Z", id="the basic format"),
    pytest.param("2026-04-30T09:15:00Z\n", id="a line break"),
]


@pytest.mark.parametrize("text", TIMES)
def test_it_refuses_what_is_no_time(text: str) -> None:
    with pytest.raises(MessageError, match="submitted_time: expected an RFC 3339 time"):
        parse(changed(submitted_time=text))


URLS = [
    pytest.param("", id="nothing"),
    pytest.param("controller.example/callbacks", id="no scheme"),
    pytest.param("http://controller.example/", id="not over TLS"),
    pytest.param("ftp://controller.example/", id="another scheme"),
    pytest.param("https:///callbacks", id="no host"),
    pytest.param("https://jane:secret@controller.example/", id="a user"),
    pytest.param("https://controller.example/#part", id="a fragment"),
    pytest.param("https://controller.example/\r\nX: y", id="a line break"),
    pytest.param("https://controller.example:jane/", id="a port that is none"),
    pytest.param("https://[controller/", id="half an address"),
    pytest.param("https://controller.example/" + "x" * 2048, id="too long"),
]


@pytest.mark.parametrize("url", URLS)
def test_it_refuses_an_address_that_callbacks_cannot_go_to(url: str) -> None:
    with pytest.raises(MessageError) as caught:
        parse(changed(status_callback_urls=[CALLBACK_URL, url]))
    assert (caught.value.member, caught.value.reason) == ("status_callback_urls[1]", Reason.WRONG_VALUE)
    assert "jane" not in everything_said(caught.value)


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "cut off": encoded(messages.creation())[:-1],
    "a comma too many": encoded(messages.creation()).replace(b"\n}", b",\n}"),
    "two bodies": encoded(messages.creation()) * 2,
    "not UTF-8": encoded(messages.creation()).replace(b"jane", b"\xff\xfe"),
    "UTF-16": json.dumps(messages.creation()).encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + encoded(messages.creation()),
    "a member twice": encoded(messages.creation())[:-2] + b',"regulation":"ccpa"}',
    "a member twice, deep down": encoded(messages.creation())[:-2] + b',"x":[{"y":{"z":1,"z":2}}]}',
    "NaN": encoded(messages.creation())[:-2] + b',"x":NaN}',
    "a number without end": encoded(messages.creation())[:-2] + b',"x":' + b"9" * 5000 + b"}",
    "nested without end": b'{"x":' + b"[" * 90_000 + b"]" * 90_000 + b"}",
}


@pytest.mark.parametrize("name", BODIES)
def test_it_refuses_a_body_that_two_programs_could_read_in_two_ways(name: str) -> None:
    with pytest.raises(MessageError) as caught:
        creation.parse(BODIES[name], OPENDSR_2, DOMAIN)
    assert (caught.value.member, caught.value.reason) == ("body", Reason.NOT_JSON)
    assert PERSONAL not in everything_said(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b" " * (2**18 + 1), id="too many bytes"),
        pytest.param(b'{"x":' + b"[" * 32 + b"]" * 32 + b"}", id="too many levels"),
    ],
)
def test_it_refuses_a_body_that_is_too_large(body: bytes) -> None:
    with pytest.raises(MessageError) as caught:
        creation.parse(body, OPENDSR_2, DOMAIN)
    assert (caught.value.member, caught.value.reason) == ("body", Reason.TOO_LARGE)


def test_our_extension_holds_numbers_that_a_double_holds() -> None:
    body = encoded(changed(extensions={DOMAIN: {"number": 1}})).replace(b'"number": 1', b'"number": 1e400')
    with pytest.raises(MessageError) as caught:
        creation.parse(body, OPENDSR_2, DOMAIN)
    assert caught.value.member == f"extensions.{DOMAIN}"


def test_unknown_members_and_other_processors_extensions_are_kept_nowhere() -> None:
    plain, laden = (
        messages.creation(),
        changed(group_id=PERSONAL, extensions={"other.example": {"note": PERSONAL}, "another.example": 7}),
    )
    assert parse(laden) == parse(plain)
    assert parse(plain).extension == {}


def test_our_own_extension_is_handed_on_as_it_is() -> None:
    ours = {"property_id": "1234", "list": [1, {"a": None}]}
    assert parse(changed(extensions={DOMAIN: ours, "other.example": {}})).extension == ours


@pytest.mark.parametrize("show", [repr, str, lambda request: logging.Formatter().format(record_of(request))])
def test_a_request_shows_nothing_of_the_person(show: Callable[[CreateRequest], str]) -> None:
    request = parse(changed(extensions={DOMAIN: {"note": PERSONAL}}))
    assert request.identities[0].value == PERSONAL
    assert PERSONAL not in show(request)


def record_of(request: CreateRequest) -> logging.LogRecord:
    return logging.LogRecord("test", logging.ERROR, "", 0, "%s", (request,), None)


def test_the_earlier_version_has_no_regulation_and_means_the_gdpr() -> None:
    old = without(messages.creation(), "regulation")
    assert parse(old, OPENGDPR_1).regulation is Regulation.GDPR
    assert parse(changed(regulation="ccpa"), OPENGDPR_1).regulation is Regulation.CCPA
    with pytest.raises(MessageError, match="regulation"):
        parse(changed(regulation="lgpd"), OPENGDPR_1)


def test_optional_members_may_be_absent_or_null() -> None:
    optional = ("api_version", "status_callback_urls", "extensions")
    bare = {name: value for name, value in messages.creation().items() if name not in optional}
    request = parse(bare)
    assert request == parse({**bare, **dict.fromkeys(optional)})
    assert (request.api_version, request.status_callback_urls, request.extension) == (None, (), {})


def test_a_second_mention_of_an_address_or_an_identity_asks_for_nothing_more() -> None:
    request = parse(changed(status_callback_urls=[CALLBACK_URL] * 3, subject_identities=[email(), email()]))
    assert request.status_callback_urls == (CALLBACK_URL,)
    assert [identity.value for identity in request.identities] == [PERSONAL]


def test_a_digest_has_one_spelling_and_a_raw_value_keeps_its_own() -> None:
    request = parse(identified(email("AB" * 32, "sha256"), email("Jane@Person.Example")))
    assert [identity.value for identity in request.identities] == ["ab" * 32, "Jane@Person.Example"]


def test_times_of_any_zone_are_read_as_utc() -> None:
    at = datetime(2026, 4, 30, 9, 15, tzinfo=UTC)
    for text in (
        "2026-04-30T09:15:00Z",
        "2026-04-30t09:15:00z",
        "2026-04-30T11:15:00+02:00",
        "2026-04-30T09:15:00-00:00",
    ):
        assert parse(changed(submitted_time=text)).submitted_at == at
    fraction = parse(changed(submitted_time="2026-04-30T09:15:00.1234567899Z")).submitted_at
    assert fraction == at.replace(microsecond=123_456)


def test_plain_http_is_for_those_who_ask_for_it() -> None:
    body = encoded(changed(status_callback_urls=["http://127.0.0.1:8000/callbacks"]))
    request = creation.parse(body, OPENDSR_2, DOMAIN, {"http", "https"})
    assert request.status_callback_urls == ("http://127.0.0.1:8000/callbacks",)


@given(request=messages.requests, dialect=st.sampled_from(DIALECTS))
def test_what_is_written_is_read_back(request: CreateRequest, dialect: Dialect) -> None:
    assert creation.parse(request.to_bytes(DOMAIN), dialect, DOMAIN) == request


@given(body=st.binary(max_size=200))
def test_any_bytes_are_a_request_or_a_refusal(body: bytes) -> None:
    with pytest.raises(MessageError):
        creation.parse(body, OPENDSR_2, DOMAIN)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@given(name=st.sampled_from([*messages.creation(), "extensions"]), value=JSON)
def test_any_value_of_any_member_is_read_or_refused_under_its_name(name: str, value: object) -> None:
    member = refused_member(changed(**{name: value}))
    assert member in (None, "body", name) or member.startswith((f"{name}[", f"{name}."))


def refused_member(value: object) -> str | None:
    try:
        parse(value)
    except MessageError as error:
        return error.member
    return None
