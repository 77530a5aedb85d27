"""Who may call what: every endpoint with every person, as one table."""

import base64
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern

from compliance.api.clients.scopes import Scope
from compliance.api.urls import urlpatterns
from compliance.controllers.actions.register_controller import register_controller
from compliance.ledger.actors import SYSTEM, Role
from compliance.requests.actions.submit import Submitted
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.api import caller, things
from tests.compliance.api.caller import PROBLEM, Caller
from tests.compliance.api.rows import snapshot

pytestmark = pytest.mark.django_db

#: The client holds every role; its token has the scope requests:read alone.
PEOPLE = ("anonymous", "stranger", "subject", "operator", "dpo", "auditor", "client")
ANYONE = (200,) * 7
SUBJECT = (401, 404, 200, 401, 401, 401, 401)
READERS = (401, 401, 401, 200, 200, 403, 200)
STAFF = (401, 401, 401, 200, 200, 403, 403)
CREATORS = (401, 401, 401, 201, 201, 403, 403)
STARTERS = (401, 401, 401, 202, 202, 403, 403)
REGISTRARS = (401, 401, 401, 403, 201, 403, 403)
WATCHERS = (401, 401, 401, 200, 200, 200, 403)
DPO = (401, 401, 401, 403, 200, 403, 403)
AUDIT = (401, 401, 401, 403, 200, 200, 403)
GROUND = {"ground": "art17_1_b"}
EXCEPTION = {"reason": "art17_3_e", "words": "A suit is pending."}
ACKNOWLEDGEMENT = {"token": "guessed", "notice_sha256": "ab" * 32, "result": "done"}
WEBHOOK = {"name": "erp", "url": "https://erp.example/hook"}
RECIPIENT = {"name": "Contoso", "models": ["spam-filter"]}
TODAY = datetime.now(tz=UTC).date().isoformat()
ON_PAPER = {"result": "done", "document_sha256": "ab" * 32}
IMPOSSIBLE = {"reason": "impossible", "words": "It was dissolved."}
NEW = {"identifier": {"kind": "email", "value": cast.CHARLIE}}


@dataclass(frozen=True)
class Endpoint:
    """One method of one endpoint, the state in which it works, and the status that each person gets."""

    method: str
    name: str
    statuses: tuple[int, ...]
    state: RequestState = RequestState.UNDER_REVIEW
    body: Any = None
    is_about_a_request: bool = True
    is_about_a_model: bool = False
    # Makes what else the address names.
    thing: Callable[[], uuid.UUID] | None = None
    # What Dana did to the model before.
    prepared: Callable[[uuid.UUID, uuid.UUID], object] | None = None

    @property
    def key(self) -> str:
        return f"{self.method} {self.name}"


TABLE = (
    Endpoint("POST", "submit", (201,) * 7, body=NEW, is_about_a_request=False),
    Endpoint("GET", "request", SUBJECT),
    Endpoint("POST", "identity", SUBJECT, RequestState.IDENTITY_PENDING, body={"code": "right"}),
    Endpoint("POST", "identity-code", (401, 404, 202, 401, 401, 401, 401), RequestState.IDENTITY_PENDING),
    Endpoint("POST", "withdraw", SUBJECT),
    Endpoint("POST", "answer", SUBJECT, RequestState.INFO_REQUESTED, body={"answer": "As Ally."}),
    Endpoint(
        "POST", "complaint", (401, 404, 201, 401, 401, 401, 401), RequestState.REFUSED, body={"text": "It knows me."}
    ),
    # Nobody among these holds the token of a notice: tests/compliance/recipients has who does.
    Endpoint("POST", "recipient-acknowledgement", (404,) * 7, body=ACKNOWLEDGEMENT),
    Endpoint("POST", "staff-tokens", (401,) * 7, is_about_a_request=False),
    Endpoint("DELETE", "staff-tokens", (401, 401, 401, 204, 204, 204, 401), is_about_a_request=False),
    Endpoint("GET", "staff-models", READERS, is_about_a_request=False),
    Endpoint("GET", "staff-requests", READERS, is_about_a_request=False),
    Endpoint("POST", "staff-requests", CREATORS, body=NEW, is_about_a_request=False),
    Endpoint("GET", "staff-request", READERS),
    Endpoint("GET", "staff-scope", READERS),
    Endpoint("POST", "staff-approve", DPO, body=GROUND),
    Endpoint("POST", "staff-refuse", DPO, body={"reason": "art17_3_e"}),
    Endpoint("POST", "staff-question", STAFF, body={"question": cast.QUESTION}),
    Endpoint("POST", "staff-answer", STAFF, RequestState.INFO_REQUESTED, body={"answer": "By telephone."}),
    Endpoint("POST", "staff-extend", DPO, body={"reason": "complexity"}),
    Endpoint("GET", "staff-notes", READERS, RequestState.INFO_REQUESTED),
    Endpoint("POST", "staff-except", DPO, body=EXCEPTION, is_about_a_model=True),
    Endpoint("POST", "staff-include", DPO, is_about_a_model=True, prepared=cast.leave_out),
    Endpoint("POST", "staff-hold", STAFF, body={"reason": "legal_claims"}, is_about_a_model=True),
    Endpoint("POST", "staff-release", STAFF, is_about_a_model=True, prepared=cast.hold),
    Endpoint("POST", "staff-retry", STAFF, RequestState.ATTENTION),
    Endpoint("POST", "staff-sign-off", STAFF, RequestState.SIGNOFF),
    Endpoint("POST", "staff-withdraw", STAFF),
    Endpoint("POST", "staff-identity", STAFF, RequestState.IDENTITY_PENDING, body={"means": "video_call"}),
    Endpoint("POST", "staff-unveil", DPO, body={"reason": "correspondence"}),
    Endpoint("GET", "staff-webhooks", STAFF, is_about_a_request=False),
    Endpoint("POST", "staff-webhooks", CREATORS, body=WEBHOOK, is_about_a_request=False),
    Endpoint("GET", "staff-webhook", STAFF, is_about_a_request=False, thing=things.webhook),
    Endpoint("POST", "staff-webhook-rotate", STAFF, is_about_a_request=False, thing=things.webhook),
    Endpoint("POST", "staff-webhook-test", STARTERS, is_about_a_request=False, thing=things.webhook),
    Endpoint("POST", "staff-webhook-disable", STAFF, is_about_a_request=False, thing=things.webhook),
    Endpoint("GET", "staff-deliveries", STAFF, is_about_a_request=False),
    Endpoint("GET", "staff-delivery-alarms", STAFF, is_about_a_request=False),
    Endpoint("POST", "staff-redeliver", STARTERS, is_about_a_request=False, thing=things.ended_delivery),
    Endpoint("GET", "staff-recipients", WATCHERS, is_about_a_request=False),
    Endpoint("POST", "staff-recipients", REGISTRARS, body=RECIPIENT, is_about_a_request=False),
    Endpoint("GET", "staff-recipient", WATCHERS, is_about_a_request=False, thing=things.recipient),
    Endpoint(
        "POST",
        "staff-recipient-change",
        DPO,
        body={"is_public": True},
        is_about_a_request=False,
        thing=things.recipient,
    ),
    Endpoint("POST", "staff-recipient-retire", DPO, is_about_a_request=False, thing=things.recipient),
    Endpoint("GET", "staff-recipient-notices", WATCHERS, is_about_a_request=False, thing=things.recipient),
    Endpoint("GET", "staff-request-notices", WATCHERS),
    Endpoint("POST", "staff-notice-send-again", STARTERS, is_about_a_request=False, thing=things.given_up_notice),
    Endpoint(
        "POST",
        "staff-notice-told",
        STAFF,
        body={"told_date": TODAY},
        is_about_a_request=False,
        thing=things.owed_notice,
    ),
    Endpoint(
        "POST", "staff-notice-acknowledged", STAFF, body=ON_PAPER, is_about_a_request=False, thing=things.told_notice
    ),
    Endpoint(
        "POST", "staff-notice-impossible", DPO, body=IMPOSSIBLE, is_about_a_request=False, thing=things.owed_notice
    ),
    Endpoint("GET", "audit-requests", AUDIT, is_about_a_request=False),
    Endpoint("GET", "audit-bundle", AUDIT),
    Endpoint("GET", "audit-keys", AUDIT, is_about_a_request=False),
    Endpoint("GET", "audit-trust", AUDIT, is_about_a_request=False),
    Endpoint("GET", "audit-checkpoint", AUDIT, is_about_a_request=False),
    # By its own id and secret, in a form; tests/compliance/api/test_client_tokens.py has who gets one.
    Endpoint("POST", "client-tokens", (415,) * 7, body={}, is_about_a_request=False),
    Endpoint("GET", "schema", ANYONE, is_about_a_request=False),
)


@dataclass(frozen=True)
class Scene:
    """Alice's request in the state that an endpoint needs, and everybody who might call it."""

    alices: Submitted
    model: uuid.UUID
    code: str
    thing: uuid.UUID | None
    people: dict[str, Callable[[], Caller]] = field(default_factory=dict)


def scene_of(endpoint: Endpoint) -> Scene:
    """What an endpoint needs, and who may call it."""
    state, model = endpoint.state, cast.model_of("spam-filter", cast.ALICE).pk
    alices, charlies = cast.brought_to(state), cast.ask(cast.CHARLIE)
    if endpoint.prepared is not None:
        endpoint.prepared(alices.request.pk, model)
    thing = None if endpoint.thing is None else endpoint.thing()
    code = cast.mail_code(alices.request.pk) if state == RequestState.IDENTITY_PENDING else ""
    cast.run_ledger()
    people: dict[str, Callable[[], Caller]] = {
        "anonymous": caller.anonymous,
        "stranger": lambda: caller.subject(charlies.token),
        "subject": lambda: caller.subject(alices.token),
        "operator": lambda: caller.staff(cast.bob()),
        # Not Dana, who decided: a decider may not sign off, which has a test of its own.
        "dpo": lambda: caller.staff(cast.staff("doris", Role.DPO)),
        "auditor": lambda: caller.staff(cast.audrey()),
        "client": lambda: caller.client(Scope.REQUESTS_READ),
    }
    return Scene(alices, model, code, thing, people)


def _call(endpoint: Endpoint, scene: Scene, person: Caller) -> HttpResponse:
    args: tuple[uuid.UUID, ...] = (scene.alices.request.pk,) if endpoint.is_about_a_request else ()
    args += (scene.model,) if endpoint.is_about_a_model else ()
    args += () if scene.thing is None else (scene.thing,)
    body = {"code": scene.code} if endpoint.name == "identity" else endpoint.body
    if endpoint.method == "POST":
        return person.post(endpoint.name, *args, body=body)
    return person.get(endpoint.name, *args) if endpoint.method == "GET" else person.delete(endpoint.name, *args)


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("endpoint", [pytest.param(endpoint, id=endpoint.key) for endpoint in TABLE])
def test_it_lets_in_exactly_these(endpoint: Endpoint, person: str) -> None:
    scene = scene_of(endpoint)
    who = scene.people[person]()
    before = snapshot()
    response = _call(endpoint, scene, who)
    expected = endpoint.statuses[PEOPLE.index(person)]
    assert response.status_code == expected, response.content
    if expected >= 400:
        assert response["Content-Type"] == PROBLEM
        assert snapshot() == before
    if expected == 401:
        assert response["WWW-Authenticate"]


def test_a_controller_of_opendsr_is_nobody_here() -> None:
    """Its own addresses have a table in tests/compliance/controllers."""
    token = register_controller("acme", ("acme.example",), actor=SYSTEM).token
    before = snapshot()
    for endpoint in TABLE:
        if endpoint.name == "submit":
            continue
        ids = [uuid.uuid4() for is_there in _parts(endpoint) if is_there]
        who = Caller(f"Bearer {token}")
        if endpoint.method == "POST":
            answer = who.post(endpoint.name, *ids, body=endpoint.body)
        else:
            answer = (who.get if endpoint.method == "GET" else who.delete)(endpoint.name, *ids)
        # A token that is none is refused also where none is needed, but for the addresses that look at none.
        expected = endpoint.statuses[0] if endpoint.name in ("recipient-acknowledgement", "client-tokens") else 401
        assert answer.status_code == expected, (endpoint.key, answer.content)
    assert snapshot() == before


def _parts(endpoint: Endpoint) -> tuple[bool, ...]:
    return endpoint.is_about_a_request, endpoint.is_about_a_model, endpoint.thing is not None


def test_the_table_names_every_endpoint_and_method() -> None:
    served = {f"{method} {pattern.name}" for pattern in urlpatterns for method in _methods(pattern)}
    assert served == {endpoint.key for endpoint in TABLE}


def _methods(pattern: URLPattern) -> set[str]:
    view: Any = vars(pattern.callback)["view_class"]
    return {method.upper() for method in ("get", "post", "put", "patch", "delete") if hasattr(view, method)}


@pytest.mark.parametrize("name", ["staff-approve", "staff-sign-off", "staff-request", "audit-bundle"])
def test_no_role_learns_which_ids_exist(name: str) -> None:
    """Without a role the answer is the same for a request and for none."""
    alices = cast.ask()
    stranger = caller.staff(cast.staff("nobody"))
    send = stranger.get if name in ("staff-request", "audit-bundle") else stranger.post
    unknown = "00000000-0000-4000-8000-00000000beef"
    answers = [send(name, alices.request.pk), send(name, unknown)]
    assert answers[0].content == answers[1].content
    caller.refused(answers[0], 403, "role_missing")


def test_an_account_that_was_closed_is_not_let_in() -> None:
    dana = caller.staff(cast.dana())
    user = cast.dana()
    user.is_active = False
    user.save()
    caller.refused(dana.get("staff-requests"), 401, "authentication_failed")


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("Token", id="nothing"),
        pytest.param("Token abc", id="unknown"),
        pytest.param("Token a b", id="two_words"),
        pytest.param("Token \udcff\udcfe", id="not_text"),
        pytest.param("Token " + "a" * 5000, id="long"),
        pytest.param(f"Token {base64.b64encode(b'dana:x').decode()}", id="a_password"),
    ],
)
def test_a_staff_token_that_is_none_is_refused(header: str) -> None:
    header = header.encode("utf-8", "surrogateescape").decode("latin-1")
    caller.refused(Caller(header).get("staff-requests"), 401, "authentication_failed")


def test_a_session_changes_nothing_without_its_csrf_token() -> None:
    alices = cast.brought_to(RequestState.UNDER_REVIEW)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.dana(), backend="django.contrib.auth.backends.ModelBackend")
    before = snapshot()
    response = Caller(http=browser).post("staff-approve", alices.request.pk, body=GROUND)
    caller.refused(response, 403, "forbidden")
    assert snapshot() == before
