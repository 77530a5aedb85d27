"""Every refusal in one shape, also where no view is reached, and none that shows our inside."""

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpResponse
from django.test import Client, RequestFactory
from rest_framework import exceptions

from compliance.api import handlers
from compliance.api.clients.scopes import Scope, ScopeMissingError
from compliance.api.errors import problem_of
from compliance.api.idempotency import KeyInvalidError
from compliance.identity import errors as identity
from compliance.intake.errors import KeyReusedError
from compliance.ledger.actors import RoleError
from compliance.letters.errors import InvalidPartError, MissingPartError
from compliance.outbound import errors as outbound
from compliance.requests import errors as domain
from compliance.requests.identities import ShreddedError, VaultNotReadyError
from compliance.requests.models import SubjectVault
from compliance.requests.states import RequestState
from compliance.vault.errors import KeyServiceError, VaultError
from tests.compliance import cast
from tests.compliance.api.caller import body_of, refused, staff

DOMAIN = [kind for kind in vars(domain).values() if isinstance(kind, type) and issubclass(kind, domain.RequestError)]


@pytest.mark.parametrize("kind", DOMAIN)
def test_every_error_of_the_domain_has_its_status_and_code(kind: type[domain.RequestError]) -> None:
    problem = problem_of(kind("a sentence for people"))
    assert (problem.status, problem.code) == (kind.status, kind.code)
    assert (problem.detail == "a sentence for people") == (kind.status < 500)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        pytest.param(RoleError("This needs a role."), 403, "role_missing", id="role"),
        pytest.param(exceptions.NotAuthenticated(), 401, "not_authenticated", id="no_credentials"),
        pytest.param(exceptions.AuthenticationFailed(), 401, "authentication_failed", id="bad_credentials"),
        pytest.param(exceptions.PermissionDenied(), 403, "forbidden", id="permission"),
        pytest.param(PermissionDenied(), 403, "forbidden", id="djangos_permission"),
        pytest.param(Http404(), 404, "not_found", id="djangos_404"),
        pytest.param(exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed", id="method"),
        pytest.param(exceptions.UnsupportedMediaType("a/b"), 415, "unsupported_media_type", id="media_type"),
        pytest.param(exceptions.Throttled(), 429, "too_many_requests", id="throttled_without_a_time"),
        pytest.param(SuspiciousOperation(), 400, "bad_request", id="suspicious"),
        pytest.param(exceptions.ValidationError("no"), 400, "invalid_input", id="validation"),
        pytest.param(KeyError("alice@example.org"), 500, "internal_error", id="a_bug"),
    ],
)
def test_every_error_of_the_framework_has_a_status_and_a_code(error: Exception, status: int, code: str) -> None:
    problem = problem_of(error)
    assert (problem.status, problem.code) == (status, code)
    assert "alice" not in str(problem)


def test_a_throttled_caller_is_always_told_when_to_come_back() -> None:
    assert [problem_of(exceptions.Throttled(wait)).headers["Retry-After"] for wait in (None, 0.2, 7.1)] == [
        "60",
        "1",
        "8",
    ]


OUTBOUND = [
    kind for kind in vars(outbound).values() if isinstance(kind, type) and issubclass(kind, outbound.OutboundError)
]
#: Mistakes of ours, not of whoever calls.
OURS = {outbound.KindError, outbound.MessageError}


@pytest.mark.parametrize("kind", OUTBOUND)
def test_every_error_about_webhooks_has_its_status_and_code(kind: type[outbound.OutboundError]) -> None:
    problem = problem_of(kind("a sentence for people"))
    expected = (500, "internal_error") if kind in OURS else (kind.status, kind.code)
    assert (problem.status, problem.code) == expected
    assert (problem.detail == "a sentence for people") is (kind not in OURS)


ELSEWHERE: dict[str, tuple[Exception, int, str]] = {
    "no provider to sign in at": (identity.ProviderError("alice"), 503, "identity_provider_unavailable"),
    "a broken method": (identity.MethodError("alice"), 500, "identity_method_invalid"),
    "a method that is not offered": (identity.NotOfferedError("See docs."), 404, "identity_method_not_offered"),
    "no key service": (KeyServiceError("alice"), 503, "not_available"),
    "no key service, in the vault": (VaultNotReadyError("alice"), 503, "not_ready"),
    "nobody is known any more": (ShreddedError("alice"), 409, "shredded"),
    "a vault that does not open": (VaultError("alice"), 500, "internal_error"),
    "a letter without a part": (MissingPartError("refused", "facts"), 409, "letter_incomplete"),
    "a letter with a wrong part": (InvalidPartError("found 'alice'"), 500, "internal_error"),
    "a key used again": (KeyReusedError("Use a new key."), 422, "idempotency_key_reused"),
    "no key": (KeyInvalidError("Send another."), 400, "idempotency_key_invalid"),
    "no scope": (ScopeMissingError(Scope.AUDIT_READ), 403, "insufficient_scope"),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_every_error_of_other_packages_has_a_status_and_shows_nothing(name: str) -> None:
    error, status, code = ELSEWHERE[name]
    problem = problem_of(error)
    assert (problem.status, problem.code) == (status, code)
    assert "alice" not in str(problem)
    assert ("Retry-After" in problem.headers) is (status == 503)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS", "FOO"])
@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1/", "/api/v1/nothing", "/api/v2/requests", "/api/v1/requests/", "/api/v1/requests/abc"]
)
def test_what_is_no_endpoint_is_not_found(method: str, path: str) -> None:
    response = Client().generic(method, path)
    assert isinstance(response, HttpResponse)
    refused(response, 404, "not_found")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"])
def test_another_method_is_not_allowed_and_the_right_one_named(method: str) -> None:
    response = Client().generic(method, "/api/v1/requests")
    assert isinstance(response, HttpResponse)
    refused(response, 405, "method_not_allowed")
    assert response["Allow"] == "POST"


def test_a_host_that_is_not_ours_is_refused() -> None:
    response = Client().get("/api/v1/schema", headers={"host": "elsewhere.example"})
    assert isinstance(response, HttpResponse)
    refused(response, 400, "bad_request")


def test_errors_outside_any_view_have_the_same_shape_under_api_alone() -> None:
    for path, is_api in (("/api/v1/x", True), ("/requests/", False)):
        request = RequestFactory().get(path)
        answers = {
            400: handlers.bad_request(request, SuspiciousOperation()),
            403: handlers.forbidden(request, PermissionDenied()),
            404: handlers.not_found(request, Http404()),
            500: handlers.server_error(request),
        }
        for status, answer in answers.items():
            assert answer.status_code == status
            assert (answer["Content-Type"] == "application/problem+json") is is_api
            if is_api:
                assert body_of(answer)["status"] == status


@pytest.mark.django_db
def test_a_failure_of_ours_says_nothing_of_its_cause(caplog: pytest.LogCaptureFixture) -> None:
    alices = cast.brought_to(RequestState.UNDER_REVIEW)
    SubjectVault.objects.update(sealed_commitment_key=bytes(60))
    response = staff(cast.dana()).get("staff-scope", alices.request.pk)
    refused(response, 500, "internal_error")
    assert b"vault" not in response.content.lower()
    (record,) = [record for record in caplog.records if record.name == "compliance.api.errors"]
    assert "unexpected VaultError" in record.getMessage()
    assert "does not open" not in record.getMessage(), "the words of an exception may quote a value"
