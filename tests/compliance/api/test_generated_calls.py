"""Calls that the schema allows, and calls that it forbids, made up by schemathesis for every operation and person.

Whatever is sent, the answer is one that the schema describes, and never a failure of ours. The calls are the same each
time; `API_EXAMPLES` makes more of them and `API_SEED` others (`make fuzz`).
"""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks, openapi
from schemathesis.specs.openapi import checks as openapi_checks

from compliance.api.clients.scopes import Scope
from compliance.ledger.actors import Role
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.api import caller, things
from tests.compliance.api.schema_of_the_api import operations, schema

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
N_EXAMPLES = int(os.environ.get("API_EXAMPLES", "4"))
SEED = int(os.environ.get("API_SEED", "2016679"))
#: How often an address names something that is there, of ten times.
N_KNOWN_OF_TEN = 8
CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
]
STATES = (
    RequestState.RECEIVED,
    RequestState.IDENTITY_PENDING,
    RequestState.UNDER_REVIEW,
    RequestState.INFO_REQUESTED,
    RequestState.ATTENTION,
    RequestState.SIGNOFF,
    RequestState.REFUSED,
)


@contextmanager
def _one_connection() -> Iterator[None]:
    """A server gives its connection back after a request; here the test's own transaction is in it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def _names(*, subject_id: uuid.UUID | None) -> dict[str, list[uuid.UUID]]:
    """What addresses can name, by the parameter; for a subject, nothing but their own request."""
    models = [cast.model_of(name, cast.ALICE).pk for name in ("spam-filter", "ranking")]
    requests = [cast.brought_to(state).request.pk for state in STATES]
    webhook, delivery = things.webhook(), things.ended_delivery_of_another()
    recipient, notice = things.recipient(), things.given_up_notice()
    cast.run_ledger()
    return {
        "request_id": [subject_id] if subject_id else requests,
        "model_id": models,
        "webhook_id": [webhook],
        "delivery_id": [delivery],
        "recipient_id": [recipient],
        "notice_id": [notice],
    }


def _anonymous() -> tuple[Callable[[], str], uuid.UUID | None]:
    return (lambda: ""), None


def _subject() -> tuple[Callable[[], str], uuid.UUID | None]:
    alices = cast.brought_to(RequestState.INFO_REQUESTED, "subject@example.org")
    return (lambda: f"Subject {alices.token}"), alices.request.pk


def _staff(role: Role) -> Callable[[], tuple[Callable[[], str], uuid.UUID | None]]:
    # A new token each time: one of the operations ends it.
    return lambda: ((lambda: f"Token {cast.staff_token(cast.staff(f'a-{role}', role))}"), None)


def _client() -> tuple[Callable[[], str], uuid.UUID | None]:
    authorization = caller.client(*Scope).authorization
    return (lambda: authorization), None


PEOPLE = {
    "anonymous": _anonymous,
    "subject": _subject,
    "operator": _staff(Role.OPERATOR),
    "dpo": _staff(Role.DPO),
    "auditor": _staff(Role.AUDITOR),
    "client": _client,
}


@pytest.mark.parametrize("person", PEOPLE)
def test_no_call_gets_an_answer_that_the_schema_does_not_describe(person: str) -> None:
    authorization, subject_id = PEOPLE[person]()
    names, called = _names(subject_id=subject_id), set()
    loaded = openapi.from_dict(schema())
    loaded.app = WSGIHandler()
    for result in loaded.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]  # a schema that is invalid fails here, too
        with _one_connection():
            _call(operation, authorization, names)
        called.add(f"{operation.method.upper()} {operation.path}")
    assert called == {operation.name for operation in operations()}


def _call(operation: Any, authorization: Callable[[], str], names: dict[str, list[uuid.UUID]]) -> None:
    good, bad = (operation.as_strategy(mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE))

    @seed(SEED)
    @hypothesis_settings(
        max_examples=N_EXAMPLES,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(good, bad), choice=st.integers(0, 9))
    def send(case: Any, choice: int) -> None:
        if choice < N_KNOWN_OF_TEN:
            case.path_parameters = {**case.path_parameters, **dict(_chosen(case.path_parameters, names, choice))}
        headers = {"Authorization": authorization()} if authorization() else {}
        response = case.call(headers=headers)
        case.validate_response(response, checks=CHECKS)

    send()


def _chosen(parameters: dict[str, Any], names: dict[str, list[uuid.UUID]], choice: int) -> Iterator[tuple[str, str]]:
    for name in parameters:
        yield name, str(names[name][choice % len(names[name])])
