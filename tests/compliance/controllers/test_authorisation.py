"""Who may call what through OpenDSR: every address with every person, as one table. The API's own is beside its tests."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from compliance.api.clients.scopes import Scope
from compliance.api.opendsr.openapi import OPENAPI_PATH
from compliance.api.opendsr.urls import UNVERSIONED, urlpatterns
from compliance.controllers.served import CERTIFICATE_PATH
from compliance.ledger.actors import Role
from compliance.opendsr.dialect import DIALECTS
from tests.compliance import cast
from tests.compliance.api import caller as api
from tests.compliance.api.rows import snapshot
from tests.compliance.controllers.caller import Caller, creation
from tests.compliance.controllers.installation import registered
from tests.compliance.opendsr.messages import encoded

pytestmark = pytest.mark.django_db
PEOPLE: dict[str, Callable[[], str]] = {
    "anonymous": lambda: "",
    "subject": lambda: f"Subject {cast.ask(cast.CHARLIE).token}",
    "operator": lambda: f"Token {cast.staff_token(cast.bob())}",
    "dpo": lambda: f"Token {cast.staff_token(cast.staff('doris', Role.DPO))}",
    "auditor": lambda: f"Token {cast.staff_token(cast.audrey())}",
    "client": lambda: api.client(*Scope).authorization,
    "another controller": lambda: f"Bearer {registered('stranger').token}",
}
OWN = "controller"
#: What the controller itself gets, at the addresses of its request and at those that make one.
OF_A_REQUEST = {("GET", "{path}/{id}"): 200, ("GET", "{path}/{id}/evidence"): 404, ("DELETE", "{path}/{id}"): 202}
OF_NONE = {("POST", "{path}"): 201}
PATHS = (*(dialect.requests_path for dialect in DIALECTS), UNVERSIONED)
PUBLIC = (CERTIFICATE_PATH, OPENAPI_PATH, *(dialect.discovery_path for dialect in DIALECTS))


def _call(method: str, path: str, authorization: str) -> Any:
    headers = {"Authorization": authorization} if authorization else {}
    options: dict[str, Any] = {}
    if method == "POST":
        options = {"data": encoded(_body(path)), "content_type": "application/json"}
    return getattr(Client(), method.lower())(path, headers=headers, **options)


def _body(path: str) -> dict[str, Any]:
    return creation() if path.startswith("/v2") else creation(api_version="1.0")


@pytest.mark.parametrize(("method", "pattern"), [*OF_A_REQUEST, *OF_NONE])
@pytest.mark.parametrize("person", [*PEOPLE, OWN])
def test_only_a_controller_is_let_in_and_only_to_its_own(method: str, pattern: str, person: str) -> None:
    token = registered().token
    authorization = f"Bearer {token}" if person == OWN else PEOPLE[person]()
    for path in PATHS:
        request_id = Caller(token).created()
        before = snapshot()
        answer = _call(method, pattern.format(path=path, id=request_id), authorization)
        if person == OWN or (person == "another controller" and (method, pattern) in OF_NONE):
            assert answer.status_code == (OF_A_REQUEST | OF_NONE)[method, pattern], answer.content
            # There is none before the request is completed; to another controller there is no such request.
            assert ("no_results" in answer.content.decode()) == pattern.endswith("/evidence")
            continue
        assert answer.status_code == (404 if person == "another controller" else 401), answer.content
        assert "no_results" not in answer.content.decode()
        assert snapshot() == before


@pytest.mark.parametrize("path", PUBLIC)
@pytest.mark.parametrize("person", PEOPLE)
def test_what_is_public_is_so_for_everybody(path: str, person: str) -> None:
    assert _call("GET", path, PEOPLE[person]()).status_code == 200


def test_the_tables_name_every_address() -> None:
    # The last one is whatever is no address.
    assert len(urlpatterns) == len(PUBLIC) + 3 * len(PATHS) + 1
