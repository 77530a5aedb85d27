"""What is refused at the addresses of OpenDSR, and in which words; then what is answered."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from compliance.controllers.models import ControllerRequest
from compliance.ledger.actors import SYSTEM
from compliance.opendsr import error_object, responses, signatures
from compliance.opendsr.dialect import OPENDSR_2, OPENGDPR_1
from compliance.requests.actions.shred import shred
from compliance.requests.identities import VaultNotReadyError
from compliance.requests.models import DeletionRequest
from compliance.requests.queries import timeline
from tests.compliance import cast
from tests.compliance.controllers.caller import Caller, creation, email, members_of
from tests.compliance.controllers.installation import registered, row_of
from tests.compliance.opendsr.authority import DOMAIN, Authority, rsa_key
from tests.compliance.opendsr.messages import encoded, without

pytestmark = pytest.mark.django_db
OTHER = "other.example"


@pytest.fixture
def caller() -> Caller:
    return Caller(registered().token)


BODIES: dict[str, dict[str, Any]] = {
    "a law that is missing": without(creation(), "regulation"),
    "a time in the future": creation(submitted_time="2999-01-01T00:00:00Z"),
    "a time before the law": creation(submitted_time="2018-05-24T23:59:59Z"),
    "a time that no zone has": creation(submitted_time="0001-01-01T00:00:00Z"),
    "no address": creation(subject_identities=[email(f"{cast.MARK} is no address")]),
    "two addresses": creation(subject_identities=[email(cast.ALICE), email(cast.CHARLIE)]),
    "another kind alone": creation(subject_identities=[{**email(), "identity_type": "controller_customer_id"}]),
    "a wish that is unknown": creation(extensions={DOMAIN: {cast.MARK: 1}}),
    "a ground that is none": creation(extensions={DOMAIN: {"ground": cast.MARK}}),
    "a language without letters": creation(extensions={DOMAIN: {"locale": "tlh"}}),
    "a callback elsewhere": creation(status_callback_urls=[f"https://{OTHER}/{cast.MARK}"]),
    "a callback beside the host": creation(status_callback_urls=[f"https://127.0.0.1.{OTHER}/"]),
    "a callback with a person in it": creation(status_callback_urls=[f"http://127.0.0.1/?{cast.ALICE}"]),
    "a callback with a person in disguise": creation(
        status_callback_urls=[f"http://127.0.0.1/?{cast.ALICE.upper().replace('@', '%40')}"]
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_what_cannot_be_done_is_refused_and_nothing_of_it_kept_or_repeated(name: str, caller: Caller) -> None:
    answer = caller.create(BODIES[name])
    assert answer.status_code == 400, answer.content
    assert cast.MARK not in answer.content.decode()
    assert error_object.parse(answer.content).details
    assert not DeletionRequest.objects.exists()
    assert not ControllerRequest.objects.exists()


def test_a_body_that_is_not_said_to_be_json_is_refused(caller: Caller) -> None:
    assert caller.create(creation(), content_type="text/plain").status_code == 400


def test_a_body_of_the_largest_size_is_read_and_a_larger_one_is_not(caller: Caller, settings: Settings) -> None:
    body = encoded(creation())
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = len(body)
    assert caller.create(body).status_code == 201
    answer = caller.create(encoded(creation()) + b" ")
    assert (answer.status_code, members_of(answer)["error"]["errors"][0]["reason"]) == (400, "too_large")


def test_an_id_with_another_body_is_refused_and_with_the_same_bytes_it_is_answered_again(caller: Caller) -> None:
    body = encoded(creation())
    first, again = caller.create(body), caller.create(body)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    other = caller.create(body + b"\n")
    assert (other.status_code, members_of(other)["error"]["errors"][0]["reason"]) == (
        400,
        "duplicate_subject_request_id",
    )
    assert DeletionRequest.objects.count() == 1


def test_once_the_identity_is_shredded_an_id_is_used_up(caller: Caller) -> None:
    body = encoded(creation())
    caller.create(body)
    row = ControllerRequest.objects.get()
    cast.say_no(row.request_id)
    shred(row.request_id, actor=SYSTEM)
    assert caller.create(body).status_code == 400
    assert caller.ask(str(row.subject_request_id)).status_code == 200


def test_an_error_that_nobody_expected_tells_nothing(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise RuntimeError(cast.ALICE)

    monkeypatch.setattr("compliance.api.opendsr.views.receive", fail)
    answer = caller.create(creation())
    assert (answer.status_code, members_of(answer)["error"]["code"]) == (500, 500)
    assert cast.MARK not in answer.content.decode()


def test_a_key_service_that_does_not_answer_is_told_as_a_pause(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(*args: object, **options: object) -> None:
        raise VaultNotReadyError("The key service does not answer.")

    monkeypatch.setattr("compliance.controllers.actions.receive.submit", wait)
    answer = caller.create(creation())
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@hypothesis_settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    name=st.sampled_from([*creation(), "status_callback_urls", "extensions"]),
    value=JSON | JSON.map(lambda each: [each]),
)
def test_whatever_stands_in_a_member_is_taken_in_or_refused_by_name(name: str, value: Any, caller: Caller) -> None:
    answer = caller.create({**creation(), name: value})
    assert answer.status_code in (201, 400)
    if answer.status_code == 400:
        assert members_of(answer)["error"]["message"].partition(":")[0].startswith((name, "body"))


def test_where_a_controllers_word_is_not_enough_the_request_waits_for_the_person(
    caller: Caller, settings: Settings
) -> None:
    settings.IDENTITY_LEVEL = 3
    request_id = caller.created()
    assert row_of(request_id).request.state == "received"
    assert members_of(caller.ask(request_id))["request_status"] == "pending"
    assert caller.cancel(request_id).status_code == 202


@pytest.mark.parametrize("path", ["/v2/requests", "/v1/opengdpr_requests", "/opengdpr_requests"])
def test_each_route_signs_in_the_words_of_its_version(path: str, caller: Caller) -> None:
    dialect = OPENDSR_2 if path.startswith("/v2") else OPENGDPR_1
    asked = creation()
    answer = caller.client.post(
        path, encoded(asked), content_type="application/json", headers={"Authorization": f"bearer {caller.token}"}
    )
    told = caller.get(f"{path}/{asked['subject_request_id']}")
    for signed in (answer, told):
        assert signed[dialect.domain_header] == DOMAIN
        assert signatures.verify(signed.content, signed[dialect.signature_header], rsa_key().public_key())
        assert signed["Cache-Control"] == "no-store"
    assert members_of(told)["api_version"] == dialect.api_version


def test_a_request_is_acknowledged_with_its_echo_and_its_time(caller: Caller) -> None:
    body = encoded(creation())
    told = members_of(caller.create(body))
    row = ControllerRequest.objects.select_related("request").get()
    assert base64.b64decode(told["encoded_request"]) == body
    assert told["controller_id"] == str(row.controller_id)
    assert told["expected_completion_time"] > told["received_time"]
    assert told["extensions"][DOMAIN]["due_time"] == told["expected_completion_time"]
    assert told["expected_completion_time"][:10] == row.request.due_date.isoformat()


def test_one_address_in_two_spellings_is_one_and_other_kinds_are_told(caller: Caller) -> None:
    md5 = email("a" * 32, "md5")
    asked = creation(subject_identities=[md5, email(cast.ALICE.upper()), email(cast.ALICE)])
    told = members_of(caller.create(asked))
    ignored = [{"identity_type": "email", "identity_format": "md5"}]
    assert told["extensions"][DOMAIN]["ignored_identities"] == ignored
    status = members_of(caller.ask(asked["subject_request_id"]))
    assert status["extensions"][DOMAIN]["ignored_identities"] == ignored


def test_wishes_are_taken_from_our_extension_alone(caller: Caller) -> None:
    caller.created(extensions={DOMAIN: {"ground": "art17_1_c", "locale": "de"}, OTHER: {"ground": 7}})
    request = DeletionRequest.objects.get()
    assert (request.ground, request.locale) == ("art17_1_c", "de")


def test_a_request_arrives_vouched_for_with_the_time_at_which_the_person_asked(caller: Caller) -> None:
    caller.created(submitted_time="2026-11-01T08:30:00+01:00", regulation="ccpa")
    request = DeletionRequest.objects.get()
    assert (request.state, request.channel, request.regulation) == ("under_review", "opendsr", "ccpa")
    assert request.submitted_at == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)
    confirmed = timeline(request.pk)[1]
    row = ControllerRequest.objects.get()
    assert (confirmed.event_type, confirmed.actor_role) == ("request.identity_confirmed", "controller")
    assert (confirmed.actor_id, confirmed.facts["method"]) == (str(row.controller_id), "controller")


def test_a_pending_request_is_cancelled_by_its_controller(caller: Caller) -> None:
    request_id = caller.created()
    answer = caller.cancel(request_id)
    told = members_of(answer)
    assert (answer.status_code, told["subject_request_id"], told["api_version"]) == (202, request_id, "2.0")
    assert signatures.verify(answer.content, answer["X-OpenDSR-Signature"], rsa_key().public_key())
    assert members_of(caller.ask(request_id))["request_status"] == "cancelled"
    again = caller.cancel(request_id)
    assert (again.status_code, members_of(again)["error"]["errors"][0]["reason"]) == (400, "not_pending")


def test_what_is_public_needs_no_token(authority: Authority) -> None:
    anybody = Caller()
    assert members_of(anybody.get("/v2/discovery")) == {
        "api_version": "2.0",
        "supported_identities": [{"identity_type": "email", "identity_format": "raw"}],
        "supported_subject_request_types": ["erasure"],
        "processor_certificate": f"https://{DOMAIN}/v2/certificate",
    }
    assert members_of(anybody.get("/v1/discovery"))["api_version"] == "1.0"
    pem = anybody.get("/v2/certificate")
    assert pem["Content-Type"] == "application/x-pem-file"
    assert pem.content.count(b"BEGIN CERTIFICATE") == 2
    assert b"PRIVATE" not in pem.content
    assert responses.NO_STORE["Cache-Control"] not in pem["Cache-Control"]
