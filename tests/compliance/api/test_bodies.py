"""Whatever is posted: an answer below 500, a refusal as problem+json that changed no row and repeats nothing."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import ValidationError

from compliance.api.bodies import check
from compliance.api.subjects.serializers import SubmitBody
from compliance.requests.actions.submit import Submitted
from compliance.requests.models import DeletionRequest
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.api.caller import PROBLEM, Caller, anonymous, body_of, refused, staff, subject
from tests.compliance.api.rows import snapshot

pytestmark = pytest.mark.django_db

VALID = {"identifier": {"kind": "email", "value": cast.ALICE}, "ground": "art17_1_b", "regulation": "gdpr"}
RAW = json.dumps(VALID)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"{", id="half"),
        pytest.param(b" ", id="blank"),
        pytest.param(RAW.encode() + b"{}", id="two_values"),
        pytest.param(RAW.encode("utf-16"), id="utf_16"),
        pytest.param(b"\xef\xbb\xbf" + RAW.encode(), id="byte_order_mark"),
        pytest.param(RAW.replace("alice", "\xff").encode("latin-1"), id="not_utf_8"),
        pytest.param(RAW.replace("alice", "\\ud83d").encode(), id="half_a_surrogate_pair"),
        pytest.param(RAW.replace("alice", "\\u0000").encode(), id="nul"),
        pytest.param(RAW.replace("ground", "\\udc00").encode(), id="half_a_surrogate_pair_in_a_name"),
        pytest.param(RAW.replace('"gdpr"', "NaN").encode(), id="nan"),
        pytest.param(RAW.replace('"gdpr"', "-Infinity").encode(), id="infinity"),
        pytest.param(RAW.replace('"gdpr"', "1e999").encode(), id="more_than_a_double_holds"),
        pytest.param(RAW.replace('"gdpr"', "9" * 5000).encode(), id="long_number"),
        pytest.param(RAW.replace('"gdpr"', "'gdpr'").encode(), id="single_quotes"),
        pytest.param(RAW.replace("}", ",}").encode(), id="trailing_comma"),
        pytest.param(b'{"ground": "art17_1_a", ' + RAW[1:].encode(), id="a_member_twice"),
        pytest.param(RAW.replace('{"kind"', '{"kind": "phone", "kind"').encode(), id="a_nested_member_twice"),
        pytest.param(b"[" * 20_000 + b"]" * 20_000, id="nested_too_deep_to_read"),
        pytest.param(b'{"a":' * 9 + b"1" + b"}" * 9, id="nested_deeper_than_any_body"),
        pytest.param(b"identifier=alice", id="a_form"),
    ],
)
def test_it_refuses_what_is_not_plain_json(data: bytes) -> None:
    response = anonymous().send("submit", data=data)
    refused(response, 400, "body_not_readable")
    assert cast.MARK not in response.content.decode()
    assert not DeletionRequest.objects.exists()


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "a", "application/xml"]
)
def test_it_refuses_other_media_types(content_type: str) -> None:
    response = anonymous().send("submit", data=RAW.encode(), content_type=content_type)
    refused(response, 415, "unsupported_media_type")


def test_it_takes_json_whatever_the_parameters_and_the_accept_header() -> None:
    http = anonymous().http
    response = http.post(
        "/api/v1/requests", RAW, "application/json; charset=utf-8", headers={"Accept": "application/zip"}
    )
    assert (response.status_code, response["Content-Type"]) == (201, "application/json")


def test_it_refuses_a_body_that_is_too_large() -> None:
    data = RAW.replace("alice", "a" * 70_000).encode()
    refused(anonymous().send("submit", data=data), 413, "body_too_large")


def test_no_refusal_repeats_a_value_or_a_name() -> None:
    bodies: list[Any] = [
        {cast.ALICE: 1},
        {**VALID, cast.ALICE: 1},
        {**VALID, "ground": cast.ALICE},
        {**VALID, "regulation": [cast.ALICE]},
        {**VALID, "identifier": {"kind": cast.ALICE, "value": cast.ALICE}},
        {**VALID, "identifier": {cast.ALICE: cast.ALICE}},
        {**VALID, "identifier": cast.ALICE},
        [cast.ALICE],
        cast.ALICE,
    ]
    for body in bodies:
        response = anonymous().post("submit", body=body)
        assert (response.status_code, response["Content-Type"]) == (400, PROBLEM)
        assert cast.MARK not in response.content.decode()


@dataclass(frozen=True)
class Post:
    """An endpoint that takes POST: who may call it, in which state it works, and a body that it takes."""

    name: str
    caller: Callable[[Submitted], Caller]
    state: RequestState
    valid: Any

    @property
    def takes_an_id(self) -> bool:
        return self.name not in ("submit", "staff-tokens")


def _alice(alices: Submitted) -> Caller:
    return subject(alices.token)


def _dana(alices: Submitted) -> Caller:
    return staff(cast.dana())


def _bob(alices: Submitted) -> Caller:
    return staff(cast.bob())


def _nobody(alices: Submitted) -> Caller:
    return anonymous()


POSTS = (
    Post("submit", _nobody, RequestState.RECEIVED, VALID),
    Post("identity", _alice, RequestState.IDENTITY_PENDING, {"code": "123456"}),
    Post("identity-code", _alice, RequestState.IDENTITY_PENDING, {}),
    Post("withdraw", _alice, RequestState.UNDER_REVIEW, {}),
    Post("staff-tokens", _nobody, RequestState.RECEIVED, {}),
    Post("staff-approve", _dana, RequestState.UNDER_REVIEW, {"ground": "art17_1_b"}),
    Post("staff-refuse", _dana, RequestState.UNDER_REVIEW, {"reason": "art17_3_e"}),
    Post("staff-retry", _bob, RequestState.ATTENTION, {}),
    Post("staff-sign-off", _bob, RequestState.SIGNOFF, {}),
    Post("staff-withdraw", _bob, RequestState.UNDER_REVIEW, {}),
)

_TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["", "\x00", "email", "gdpr", "art17_1_b", "art17_3_e", "000000", cast.ALICE, "a" * 5000]),
)
_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.integers(min_value=10**40, max_value=10**60), _TEXTS
)
_JSON = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4), max_leaves=12
)


@st.composite
def _nearly(draw: st.DrawFn, valid: Any) -> Any:
    """A valid body with members left out, replaced, added, renamed, or changed inside."""
    if not isinstance(valid, dict):
        return draw(st.one_of(st.just(valid), _JSON))
    changed: dict[str, Any] = {}
    for name, value in valid.items():
        fate = draw(st.sampled_from(["keep", "keep", "change", "replace", "drop", "rename"]))
        if fate == "keep":
            changed[name] = value
        elif fate == "change":
            changed[name] = draw(_nearly(value))
        elif fate == "replace":
            changed[name] = draw(_JSON)
        elif fate == "rename":
            changed[draw(st.sampled_from([name.upper(), f"{name} ", "id", "state"]))] = value
    if draw(st.booleans()):
        changed[draw(_TEXTS)] = draw(_JSON)
    return changed


@st.composite
def _sent(draw: st.DrawFn, valid: Any) -> bytes:
    """Bytes: a body of any shape, one nearly right, or one with a few bytes changed."""
    body = draw(st.one_of(_JSON, _nearly(valid)))
    data = json.dumps(body, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 3]))):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(st.binary(max_size=3)) + data[at + draw(st.integers(0, 2)) :]
    return data


@contextmanager
def _undone() -> Iterator[None]:
    """What happens inside is rolled back: every example starts from the same rows."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _judge(response: HttpResponse, before: dict[str, list[tuple[Any, ...]]]) -> None:
    assert response.status_code < 500, response.content
    if response.status_code < 400:
        return
    assert response["Content-Type"] == PROBLEM
    assert body_of(response)["status"] == response.status_code
    # A wrong code that could be right counts as a try; nothing else may be touched.
    assert snapshot(with_tries=False) == before


@pytest.mark.parametrize("post", [pytest.param(post, id=post.name) for post in POSTS])
def test_anything_posted_is_taken_or_refused_without_a_trace(post: Post) -> None:
    cast.model_of("spam-filter", cast.ALICE)
    alices = cast.brought_to(post.state)
    caller = post.caller(alices)
    args = (alices.request.pk,) if post.takes_an_id else ()
    before = snapshot(with_tries=False)
    statuses: set[int] = set()

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(data=_sent(post.valid))
    def check(data: bytes) -> None:
        with _undone():
            response = caller.send(post.name, *args, data=data)
            statuses.add(response.status_code)
            _judge(response, before)

    check()
    assert 400 in statuses, "the bodies never reached the check of bodies"


@pytest.mark.parametrize("post", [pytest.param(post, id=post.name) for post in POSTS if post.name != "staff-tokens"])
def test_the_valid_body_of_the_property_above_is_taken(post: Post) -> None:
    cast.model_of("spam-filter", cast.ALICE)
    alices = cast.brought_to(post.state)
    valid = {"code": cast.mail_code(alices.request.pk)} if post.name == "identity" else post.valid
    args = (alices.request.pk,) if post.takes_an_id else ()
    assert post.caller(alices).post(post.name, *args, body=valid).status_code in (200, 201, 202)


def test_one_reader_for_all_calls_keeps_nothing_of_any() -> None:
    people = [f"person-{number}@example.org" for number in range(200)]

    def read_one(person: str) -> dict[str, Any]:
        extra = {"locale": "de"} if person.endswith("0@example.org") else {}
        return check(SubmitBody, {"identifier": {"kind": "email", "value": person}, **extra})

    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(read_one, people))
    for person, found in zip(people, read, strict=True):
        fresh = SubmitBody(data={"identifier": {"kind": "email", "value": person}})
        fresh.is_valid(raise_exception=True)
        assert found | {"locale": "en"} == fresh.validated_data
        assert found["locale"] == ("de" if person.endswith("0@example.org") else "en")
    with pytest.raises(ValidationError, match="Expected one of"):
        check(SubmitBody, {"identifier": {"kind": "email", "value": people[0]}, "locale": "xx"})
    assert read_one(people[0]) == read[0]
