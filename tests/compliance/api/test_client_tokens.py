"""Machine clients: who gets an access token, what it opens, and what ends it."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from oauth2_provider.models import AccessToken, Application, RefreshToken
from rest_framework.throttling import ScopedRateThrottle

from compliance.api.clients.actions.register import Registered, register
from compliance.api.clients.models import ApiClient
from compliance.api.clients.scopes import Scope
from compliance.ledger.actors import Role
from tests.compliance import cast
from tests.compliance.api.caller import Caller, access_token, body_of, client, refused, token_response
from workers import sweep

pytestmark = pytest.mark.django_db
READ, WRITE, AUDIT = Scope.REQUESTS_READ, Scope.REQUESTS_WRITE, Scope.AUDIT_READ
FORM = "application/x-www-form-urlencoded"
GRANT = "grant_type=client_credentials"


def _registered(*scopes: Scope, roles: tuple[Role, ...] = (Role.OPERATOR,)) -> Registered:
    return register("erp", [role.value for role in roles], [scope.value for scope in scopes or (READ,)])


BAD_FORMS = {
    "no grant": ("", 400, "invalid_request"),
    "a password": ("grant_type=password&username=bob&password=x", 400, "unsupported_grant_type"),
    "a code": ("grant_type=authorization_code&code=x", 400, "unsupported_grant_type"),
    "a member twice": (f"{GRANT}&{GRANT}", 400, "invalid_request"),
    "a NUL": (f"{GRANT}&scope=requests%00read", 400, "invalid_request"),
    "no ASCII": (f"{GRANT}&scope=%FF", 400, "invalid_request"),
    "a scope of others": (f"{GRANT}&scope=requests:write", 400, "invalid_scope"),
    "a scope that there is not": (f"{GRANT}&scope=everything", 400, "invalid_scope"),
}


@pytest.mark.parametrize("name", BAD_FORMS)
def test_what_is_no_request_for_a_token_is_refused(name: str) -> None:
    registered = _registered()
    form, status, error = BAD_FORMS[name]
    credentials = f"client_id={registered.client_id}&client_secret={registered.secret}"
    response = Caller().send("client-tokens", data=f"{credentials}&{form}".encode(), content_type=FORM)
    assert (response.status_code, body_of(response)["error"]) == (status, error)
    assert not AccessToken.objects.exists()


BAD_CREDENTIALS = {
    "nothing": "",
    "another scheme": "Bearer abc",
    "no base64": "Basic ???",
    "not ASCII": "Basic /w==",
    "a NUL": "Basic YQBiOmM=",
    "nobody": "Basic bm9ib2R5OnNlY3JldA==",
}


@pytest.mark.parametrize("name", BAD_CREDENTIALS)
def test_who_is_no_client_is_refused(name: str) -> None:
    _registered()
    response = Caller(BAD_CREDENTIALS[name]).send("client-tokens", data=GRANT.encode(), content_type=FORM)
    assert (response.status_code, body_of(response)["error"]) == (401, "invalid_client")
    assert response["WWW-Authenticate"].startswith("Basic")


def test_a_wrong_secret_is_refused_and_a_query_is_not_read() -> None:
    registered = _registered()
    assert token_response(registered.client_id, "wrong").status_code == 401
    response = Caller().send("client-tokens", data=GRANT.encode(), content_type=FORM, client_secret="x")
    assert body_of(response)["error"] == "invalid_request"


def test_requests_for_tokens_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ScopedRateThrottle.THROTTLE_RATES, "client_token", "2/minute")
    answers = [token_response("nobody", "x") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    refused(answers[2], 429, "too_many_requests")
    assert answers[2]["Retry-After"]


def test_a_token_is_shown_once_and_stored_as_a_digest() -> None:
    registered = _registered(READ, WRITE)
    response = token_response(registered.client_id, registered.secret)
    made = body_of(response)
    assert (made["token_type"], made["expires_in"], made["scope"]) == ("Bearer", 3600, "requests:read requests:write")
    assert "no-store" in response["Cache-Control"]
    rows = f"{AccessToken.objects.values_list()}{Application.objects.values_list()}"
    assert made["access_token"] not in rows
    assert registered.secret not in rows
    assert not RefreshToken.objects.exists()


def test_a_token_acts_in_the_roles_of_its_account() -> None:
    erp = client(READ, WRITE, roles=(Role.OPERATOR,))
    asked = erp.post("staff-requests", body={"identifier": {"kind": "email", "value": cast.ALICE}})
    assert asked.status_code == 201
    pk = body_of(asked)["id"]
    assert body_of(erp.get("staff-request", pk))["channel"] == "portal"
    cast.prove(pk)
    refused(erp.post("staff-approve", pk, body={"ground": "art17_1_b"}), 403, "role_missing")
    question = erp.post("staff-question", pk, body={"question": cast.QUESTION})
    assert question.status_code == 200
    entry = body_of(erp.get("staff-request", pk))["timeline"][-1]
    assert entry["actor_role"] == "operator"


@pytest.mark.parametrize(
    ("scope", "send", "name", "needed"),
    [
        pytest.param(WRITE, "get", "staff-requests", READ, id="reading"),
        pytest.param(READ, "post", "staff-requests", WRITE, id="writing"),
        pytest.param(READ, "get", "audit-requests", AUDIT, id="auditing"),
        pytest.param(READ, "get", "staff-webhooks", Scope.WEBHOOKS_MANAGE, id="webhooks"),
    ],
)
def test_a_scope_that_is_missing_is_named(scope: Scope, send: str, name: str, needed: Scope) -> None:
    response = getattr(client(scope), send)(name)
    problem = refused(response, 403, "insufficient_scope")
    assert needed.value in problem["detail"]
    assert response["WWW-Authenticate"] == f'Bearer realm="api", error="insufficient_scope", scope="{needed.value}"'


def test_unveiling_takes_a_scope_of_its_own() -> None:
    alices = cast.ask()
    body = {"reason": "audit"}
    refused(client(WRITE).post("staff-unveil", alices.request.pk, body=body), 403, "insufficient_scope")
    unveiler = client(Scope.IDENTITIES_UNVEIL, name="unveiler")
    assert body_of(unveiler.post("staff-unveil", alices.request.pk, body=body)) == {"identifier": cast.ALICE}


def _expire(_: Registered) -> None:
    AccessToken.objects.update(expires=datetime.now(tz=UTC) - timedelta(seconds=1))


def _delete(_: Registered) -> None:
    AccessToken.objects.all().delete()


def _close(registered: Registered) -> None:
    User.objects.filter(pk=registered.client.user_id).update(is_active=False)


def _rotate(_: Registered) -> None:
    call_command("api_clients", "rotate", "erp", stdout=io.StringIO())


def _revoke(_: Registered) -> None:
    call_command("api_clients", "revoke", "erp", stdout=io.StringIO())


@pytest.mark.parametrize("end", [_expire, _delete, _close, _rotate, _revoke])
def test_a_token_ends(end: object) -> None:
    registered = _registered()
    erp = Caller(f"Bearer {access_token(registered, READ)}")
    assert erp.get("staff-requests").status_code == 200
    assert callable(end)
    end(registered)
    response = erp.get("staff-requests")
    refused(response, 401, "authentication_failed")
    assert 'Bearer realm="api", error="invalid_token"' in response["WWW-Authenticate"]


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("Bearer", id="nothing"),
        pytest.param("Bearer ", id="empty"),
        pytest.param("Bearer abc", id="unknown"),
        pytest.param("Bearer a b", id="two_words"),
        pytest.param("Bearer " + "a" * 5000, id="long"),
        pytest.param("Bearer ä", id="no_ascii"),
    ],
)
def test_what_is_no_access_token_is_refused(header: str) -> None:
    refused(Caller(header).get("staff-requests"), 401, "authentication_failed")


def test_without_credentials_both_kinds_of_tokens_are_named() -> None:
    assert Caller().get("staff-requests")["WWW-Authenticate"] == 'Token, Bearer realm="api"'


def test_the_secret_that_was_rotated_makes_no_token_and_the_new_one_does() -> None:
    registered = _registered()
    out = io.StringIO()
    call_command("api_clients", "rotate", "erp", stdout=out)
    secret = out.getvalue().split()[5]
    assert token_response(registered.client_id, registered.secret).status_code == 401
    assert token_response(registered.client_id, secret).status_code == 200


def test_a_revoked_client_gets_no_token_and_its_name_is_used_up() -> None:
    registered = _registered()
    _revoke(registered)
    assert token_response(registered.client_id, registered.secret).status_code == 401
    with pytest.raises(CommandError, match="was used"):
        call_command("api_clients", "add", "erp", "--role", "operator", "--scope", "requests:read")
    client_row = ApiClient.objects.get()
    assert (client_row.application, client_row.user.is_active) == (None, False)


REFUSED = {
    "an unknown role": ["add", "erp", "--role", "subject", "--scope", "requests:read"],
    "an unknown scope": ["add", "erp", "--role", "operator", "--scope", "all"],
    "a name with a colon": ["add", "e:rp", "--role", "operator", "--scope", "requests:read"],
    "nobody to rotate": ["rotate", "crm"],
    "nobody to revoke": ["revoke", "crm"],
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_done_is_said_in_a_sentence(name: str) -> None:
    with pytest.raises(CommandError, match=r"\w+.*\.$"):
        call_command("api_clients", *REFUSED[name])
    assert not ApiClient.objects.exists()


def test_the_command_shows_clients_without_their_secrets() -> None:
    out = io.StringIO()
    call_command("api_clients", "list", stdout=out)
    assert "There is no client" in out.getvalue()
    added = io.StringIO()
    call_command("api_clients", "add", "erp", "--role", "operator", "--scope", "requests:read", stdout=added)
    secret = added.getvalue().split()[5]
    assert "not shown again" in added.getvalue()
    out = io.StringIO()
    call_command("api_clients", "list", "--json", stdout=out)
    (row,) = json.loads(out.getvalue())
    assert (row["name"], row["roles"], row["scopes"]) == ("erp", ["operator"], ["requests:read"])
    plain = io.StringIO()
    call_command("api_clients", "list", stdout=plain)
    assert row["client_id"] in plain.getvalue()
    assert secret not in plain.getvalue() + out.getvalue()


def test_the_sweep_deletes_tokens_that_have_ended_and_no_others() -> None:
    registered = _registered()
    ended, valid = (access_token(registered, READ) for _ in range(2))
    AccessToken.objects.filter(pk=AccessToken.objects.earliest("pk").pk).update(expires=datetime.now(tz=UTC))
    sweep.sweep()
    assert AccessToken.objects.count() == 1
    assert Caller(f"Bearer {valid}").get("staff-requests").status_code == 200
    assert Caller(f"Bearer {ended}").get("staff-requests").status_code == 401
