"""Answers and callbacks: what a processor writes a controller reads back, and other processors' spellings too."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.evidence import canonical
from compliance.opendsr import callbacks, responses
from compliance.opendsr.callbacks import Callback
from compliance.opendsr.errors import MessageError, Reason
from compliance.opendsr.outcome import Outcome
from compliance.opendsr.responses import Acknowledgement, Cancellation, StatusReport
from compliance.opendsr.statuses import RequestStatus

from . import messages
from .authority import DOMAIN
from .messages import CALLBACK_URL, PERSONAL, REQUEST_ID, encoded, without

SENT = b'{"sent": true}'
ACKNOWLEDGED = {
    "controller_id": "example",
    "subject_request_id": REQUEST_ID,
    "expected_completion_time": "2026-05-30T12:00:00Z",
    "received_time": "2026-04-30T12:00:00Z",
    "encoded_request": canonical.encode_base64(SENT),
}
CANCELLED = {"controller_id": "example", "subject_request_id": REQUEST_ID, "received_time": "2026-04-30T12:00:00Z"}
STATUS = {
    "controller_id": "example",
    "subject_request_id": REQUEST_ID,
    "expected_completion_time": "2026-05-30T12:00:00Z",
    "request_status": "pending",
}
CALLED = {**STATUS, "status_callback_url": CALLBACK_URL}
READERS: dict[str, tuple[dict[str, Any], Callable[[bytes], object]]] = {
    "201": (ACKNOWLEDGED, lambda body: responses.parse_acknowledgement(body, SENT, DOMAIN)),
    "200": (STATUS, lambda body: responses.parse_status(body, DOMAIN)),
    "202": (CANCELLED, responses.parse_cancellation),
    "callback": (CALLED, lambda body: callbacks.parse(body, DOMAIN)),
}
REQUIRED = [(kind, member) for kind, (value, _) in READERS.items() for member in value if member != "encoded_request"]


@pytest.mark.parametrize(("kind", "member"), REQUIRED)
def test_it_refuses_an_answer_without_a_required_member(kind: str, member: str) -> None:
    value, read = READERS[kind]
    for broken, reason in ((without(value, member), Reason.MISSING), ({**value, member: 7}, Reason.WRONG_TYPE)):
        with pytest.raises(MessageError) as caught:
            read(encoded(broken))
        assert (caught.value.member, caught.value.reason) == (member, reason)


ECHOES = [
    pytest.param(None, id="nothing"),
    pytest.param("", id="empty"),
    pytest.param(canonical.encode_base64(SENT + b" "), id="another body"),
    pytest.param(canonical.encode_base64(SENT) + "\n", id="another spelling"),
    pytest.param(7, id="a number"),
]


@pytest.mark.parametrize("echo", ECHOES)
def test_it_refuses_an_acknowledgement_of_something_else(echo: object) -> None:
    with pytest.raises(MessageError, match="encoded_request"):
        responses.parse_acknowledgement(encoded({**ACKNOWLEDGED, "encoded_request": echo}), SENT, DOMAIN)


WRONG = [
    pytest.param("request_status", "failed", id="a status that there is not"),
    pytest.param("request_status", "Pending", id="a status in capitals"),
    pytest.param("results_url", "http://results.example/", id="results not over TLS"),
    pytest.param("results_count", -1, id="fewer results than none"),
    pytest.param("results_count", True, id="a truth for a count"),
    pytest.param("api_version", PERSONAL, id="a version that is none"),
    pytest.param("extensions", PERSONAL, id="extensions that are none"),
]


@pytest.mark.parametrize(("member", "value"), WRONG)
def test_it_refuses_a_status_with_a_wrong_member(member: str, value: object) -> None:
    with pytest.raises(MessageError) as caught:
        responses.parse_status(encoded({**STATUS, member: value}), DOMAIN)
    assert caught.value.member == member
    assert PERSONAL not in str(caught.value)


OUTCOMES = [
    pytest.param({"refusal_code": PERSONAL}, "refusal_code", id="a sentence for a code"),
    pytest.param({"evidence_sha256": "AB" * 32}, "evidence_sha256", id="a digest in capitals"),
    pytest.param({"due_time": "soon"}, "due_time", id="a time that is none"),
    pytest.param({"result": PERSONAL}, "result", id="a sentence for a result"),
    pytest.param({"exceptions": ["ok", PERSONAL]}, "exceptions", id="a sentence for an exception"),
    pytest.param({"exceptions": "art17_3_e"}, "exceptions", id="an exception outside an array"),
    pytest.param({"ignored_identities": [PERSONAL]}, "ignored_identities[0]", id="text for a kind"),
    pytest.param(
        {"ignored_identities": [{"identity_type": PERSONAL}]}, "ignored_identities[0].identity_type", id="no kind"
    ),
]


@pytest.mark.parametrize(("own", "member"), OUTCOMES)
def test_it_refuses_an_outcome_with_a_wrong_member(own: dict[str, Any], member: str) -> None:
    with pytest.raises(MessageError) as caught:
        responses.parse_status(encoded({**STATUS, "extensions": {DOMAIN: own}}), DOMAIN)
    assert caught.value.member == f"extensions.{DOMAIN}.{member}"
    assert PERSONAL not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [{"refusal_code": PERSONAL}, {"result": PERSONAL}, {"exceptions": (PERSONAL,)}, {"evidence_sha256": "ab"}],
    ids=lambda given: next(iter(given)),
)
def test_an_outcome_holds_codes_and_digests_alone(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must (each )?be") as caught:
        Outcome(**given)
    assert PERSONAL not in str(caught.value)


def test_what_there_is_not_is_null_and_the_echo_is_the_raw_body() -> None:
    report = responses.parse_status(encoded(STATUS), DOMAIN)
    written = json.loads(report.to_bytes(DOMAIN))
    assert written == {**STATUS, "results_url": None, "results_count": None, "api_version": None}
    acknowledgement = responses.parse_acknowledgement(encoded(ACKNOWLEDGED), SENT, DOMAIN)
    assert json.loads(acknowledgement.to_bytes(SENT, DOMAIN)) == ACKNOWLEDGED
    assert (
        canonical.decode_base64(json.loads(acknowledgement.to_bytes(b"\xff jane", DOMAIN))["encoded_request"])
        == b"\xff jane"
    )


@pytest.mark.parametrize(
    ("spelling", "status"), [("in-progress", RequestStatus.IN_PROGRESS), ("canceled", RequestStatus.CANCELLED)]
)
def test_other_spellings_are_read_and_never_written(spelling: str, status: RequestStatus) -> None:
    report = responses.parse_status(encoded({**STATUS, "request_status": spelling}), DOMAIN)
    assert report.status is status
    assert json.loads(report.to_bytes(DOMAIN))["request_status"] == status.value


def test_another_processors_extension_is_not_taken_for_an_outcome() -> None:
    foreign = {"other.example": {"refusal_code": 7}}
    assert responses.parse_status(encoded({**STATUS, "extensions": foreign}), DOMAIN).outcome is None


@given(report=messages.reports)
def test_a_status_that_is_written_is_read_back(report: StatusReport) -> None:
    assert responses.parse_status(report.to_bytes(DOMAIN), DOMAIN) == report


@given(report=messages.reports, url=messages.urls)
def test_a_callback_that_is_written_is_read_back(report: StatusReport, url: str) -> None:
    callback = Callback(replace(report, api_version=None), url)
    assert callbacks.parse(callback.to_bytes(DOMAIN), DOMAIN) == callback


@given(
    sent=st.binary(max_size=60),
    values=st.tuples(messages.texts, messages.uuids, messages.times, messages.times, st.none() | messages.outcomes),
)
def test_an_acknowledgement_that_is_written_is_read_back(sent: bytes, values: tuple[Any, ...]) -> None:
    fields = ("controller_id", "subject_request_id", "expected_completion_at", "received_at", "outcome")
    acknowledgement = Acknowledgement(**dict(zip(fields, values, strict=True)))
    assert responses.parse_acknowledgement(acknowledgement.to_bytes(sent, DOMAIN), sent, DOMAIN) == acknowledgement


@given(name=messages.texts, request_id=messages.uuids, at=messages.times)
def test_a_cancellation_that_is_written_is_read_back(name: str, request_id: Any, at: Any) -> None:
    cancellation = Cancellation(controller_id=name, subject_request_id=request_id, received_at=at)
    assert responses.parse_cancellation(cancellation.to_bytes()) == cancellation
