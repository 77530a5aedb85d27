"""A refusal on the wire: a code, a sentence, no data."""

import json
from collections.abc import Iterator

import pytest

from compliance.opendsr import error_object, errors
from compliance.opendsr.errors import MessageError, OpenDsrError, Reason, RevokedError

from .messages import encoded

WRONG = [
    pytest.param({}, "error", id="nothing"),
    pytest.param({"error": "no"}, "error", id="a text"),
    pytest.param({"error": {"message": "no"}}, "error.code", id="no code"),
    pytest.param({"error": {"code": 1000}}, "error.code", id="no status"),
    pytest.param({"error": {"code": "400"}}, "error.code", id="a text for a code"),
    pytest.param({"error": {"code": 400, "errors": {}}}, "error.errors", id="no array"),
    pytest.param({"error": {"code": 400, "errors": [1]}}, "error.errors[0]", id="no object"),
]


@pytest.mark.parametrize(("value", "member"), WRONG)
def test_it_refuses_what_is_no_error_object(value: object, member: str) -> None:
    with pytest.raises(MessageError) as caught:
        error_object.parse(encoded(value))
    assert caught.value.member == member


def test_a_refused_message_names_its_member() -> None:
    body = error_object.of(MessageError("subject_request_id", Reason.MISSING, "a string")).to_bytes()
    sentence = "subject_request_id: expected a string; found nothing."
    detail = {"domain": "validation", "reason": "missing", "message": sentence}
    assert json.loads(body) == {"error": {"code": 400, "message": sentence, "errors": [detail]}}


def test_another_refusal_has_its_own_status_and_code() -> None:
    found = error_object.of(RevokedError("It was revoked."))
    assert (found.status, found.details[0].domain, found.details[0].reason) == (401, "protocol", "revoked")
    assert error_object.parse(found.to_bytes()) == found


def test_members_that_are_optional_are_empty() -> None:
    found = error_object.parse(encoded({"error": {"code": 400, "message": None}}))
    assert (found.status, found.message, found.details) == (400, "", ())
    assert error_object.parse(found.to_bytes().replace(b'""', b"null")) == found


def refusals() -> Iterator[type[OpenDsrError]]:
    for value in vars(errors).values():
        if isinstance(value, type) and issubclass(value, OpenDsrError):
            yield value


def test_each_refusal_has_a_code_of_its_own() -> None:
    codes = [refusal.code for refusal in refusals()]
    assert len(codes) == len(set(codes)) > 20
    assert {refusal.status for refusal in refusals()} == {202, 400, 401}
