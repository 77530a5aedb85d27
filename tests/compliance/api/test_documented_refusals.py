"""Every status that the schema names for an operation is one that the operation gives: each is provoked here."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import resolve
from rest_framework.throttling import ScopedRateThrottle

from compliance.evidence.errors import TrustFileError
from compliance.ledger.actors import SYSTEM
from compliance.requests.actions.shred import shred
from compliance.requests.models import Letter
from tests.compliance import cast
from tests.compliance.api import caller
from tests.compliance.api.caller import PROBLEM, Caller
from tests.compliance.api.schema_of_the_api import Operation, operations
from tests.compliance.api.test_authorisation import TABLE, Endpoint, Scene, scene_of

pytestmark = pytest.mark.django_db
KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
#: Their refusals are provoked by tests/compliance/recipients and by test_client_tokens.py.
ELSEWHERE = {"recipient-acknowledgement", "client-tokens"}
_PASSWORD = "Basic Ym9iOng="
NOBODY = uuid.UUID("00000000-0000-4000-8000-00000000beef")


def _endpoint(operation: Operation) -> Endpoint:
    address = operation.path
    for name in ("request_id", "model_id", "webhook_id", "delivery_id", "notice_id", "recipient_id"):
        address = address.replace(f"{{{name}}}", str(NOBODY))
    key = f"{operation.method} {resolve(address).url_name}"
    return next(endpoint for endpoint in TABLE if endpoint.key == key)


def _documented() -> list[Any]:
    """Each operation with each status that is a refusal."""
    described = [(_endpoint(operation), status) for operation in operations() for status in operation.refusals]
    return [
        pytest.param(endpoint, status, id=f"{endpoint.key} {status}")
        for endpoint, status in described
        if endpoint.name not in ELSEWHERE
    ]


class Attempt:
    """One operation on one scene, called in ways that go wrong."""

    def __init__(self, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
        self.endpoint, self.monkeypatch = endpoint, monkeypatch
        self.scene: Scene = scene_of(endpoint)
        staff_only = endpoint.name.startswith(("staff-", "audit-"))
        self.who: Caller = self.scene.people["dpo" if staff_only else "subject"]()

    def call(self, who: Caller | None = None, ids: tuple[uuid.UUID, ...] | None = None, **more: Any) -> HttpResponse:
        """The operation, as it is meant but for what is given."""
        body = {"code": self.scene.code} if self.endpoint.name == "identity" else self.endpoint.body
        body = more.pop("body", body)
        sender = who or self.who
        args = self.ids if ids is None else ids
        if self.endpoint.method == "GET":
            return sender.get(self.endpoint.name, *args, **more)
        if self.endpoint.method == "DELETE":
            return sender.delete(self.endpoint.name, *args)
        if "content_type" in more:
            return sender.send(self.endpoint.name, *args, data=b"<a/>", **more)
        return sender.post(self.endpoint.name, *args, body=body, **more)

    @property
    def ids(self) -> tuple[uuid.UUID, ...]:
        """What the address names."""
        ids: tuple[uuid.UUID, ...] = (self.scene.alices.request.pk,) if self.endpoint.is_about_a_request else ()
        ids += (self.scene.model,) if self.endpoint.is_about_a_model else ()
        return ids if self.scene.thing is None else (*ids, self.scene.thing)

    def invalid(self) -> HttpResponse:
        """400."""
        if self.endpoint.method == "GET":
            return self.call(cursor="x")
        if self.endpoint.name == "staff-tokens":
            return self.call(Caller(_PASSWORD), body={})
        return self.call(body={"unknown": "member"})

    def unauthenticated(self) -> HttpResponse:
        """401."""
        return self.call(caller.anonymous())

    def forbidden(self) -> HttpResponse:
        """403."""
        return self.call(caller.staff(cast.staff("nobody")))

    def missing(self) -> HttpResponse:
        """404."""
        return self.call(ids=(NOBODY,) * len(self.ids))

    def conflicting(self) -> HttpResponse:
        """409."""
        return CONFLICTS.get(self.endpoint.name, _done_before)(self)

    def of_another_type(self) -> HttpResponse:
        """415."""
        return self.call(content_type="text/xml")

    def under_a_used_key(self) -> HttpResponse:
        """422."""
        assert self.call(key=KEY).status_code == 201
        other = (
            {"text": "It still does."}
            if self.endpoint.name == "complaint"
            else {"identifier": {"kind": "email", "value": "other@example.org"}}
        )
        return self.call(key=KEY, body=other)

    def too_often(self) -> HttpResponse:
        """429."""
        for scope in tuple(ScopedRateThrottle.THROTTLE_RATES):
            self.monkeypatch.setitem(ScopedRateThrottle.THROTTLE_RATES, scope, "1/hour")
        if self.endpoint.key == "POST staff-tokens":
            user = cast.bob()
            user.set_password("x")
            user.save()
            return [self.call(Caller(_PASSWORD)) for _ in range(2)][-1]
        if self.endpoint.key == "DELETE staff-tokens":
            return [self.call(self.scene.people["operator"]()) for _ in range(2)][-1]
        return [self.call() for _ in range(2)][-1]


PROVOKED: dict[int, Callable[[Attempt], HttpResponse]] = {
    400: Attempt.invalid,
    401: Attempt.unauthenticated,
    403: Attempt.forbidden,
    404: Attempt.missing,
    409: Attempt.conflicting,
    415: Attempt.of_another_type,
    422: Attempt.under_a_used_key,
    429: Attempt.too_often,
}


def _done_before(attempt: Attempt) -> HttpResponse:
    """Most things are done once."""
    first = attempt.call()
    assert first.status_code < 400, first.content
    return attempt.call()


def _closed_before(attempt: Attempt) -> HttpResponse:
    cast.take_back(attempt.scene.alices.request.pk)
    return attempt.call()


def _shredded_before(attempt: Attempt) -> HttpResponse:
    cast.take_back(attempt.scene.alices.request.pk)
    return _shredded(attempt)


def _shredded(attempt: Attempt) -> HttpResponse:
    _shred(attempt.scene.alices.request.pk)
    return attempt.call()


def _open_again(attempt: Attempt) -> HttpResponse:
    other = cast.ask(cast.ALICE)
    return attempt.call(caller.subject(other.token), ids=(other.request.pk,))


def _disabled(attempt: Attempt) -> HttpResponse:
    attempt.who.post("staff-webhook-disable", *attempt.ids)
    return attempt.call()


def _retired(attempt: Attempt) -> HttpResponse:
    attempt.who.post("staff-recipient-retire", *attempt.ids)
    return attempt.call()


def _entry_waits(attempt: Attempt) -> HttpResponse:
    cast.take_back(attempt.scene.alices.request.pk)
    return attempt.call()


def _no_key(attempt: Attempt) -> HttpResponse:
    attempt.monkeypatch.setattr("compliance.api.audit.views.current_trust", _raise_untrusted)
    return attempt.call()


def _raise_untrusted() -> None:
    raise TrustFileError("No key was published yet.")


def _no_checkpoint(attempt: Attempt) -> HttpResponse:
    attempt.monkeypatch.setattr("compliance.ledger.checkpointer.latest", lambda: None)
    return attempt.call()


CONFLICTS: dict[str, Callable[[Attempt], HttpResponse]] = {
    "complaint": _open_again,
    "staff-except": _closed_before,
    "staff-include": _closed_before,
    "staff-hold": _closed_before,
    "staff-release": _closed_before,
    "identity-code": _closed_before,
    "staff-unveil": _shredded_before,
    "staff-scope": _shredded_before,
    "staff-webhook-rotate": _disabled,
    "staff-webhook-test": _disabled,
    "staff-recipient-change": _retired,
    "audit-bundle": _entry_waits,
    "audit-trust": _no_key,
    "audit-checkpoint": _no_checkpoint,
}


@pytest.mark.parametrize(("endpoint", "status"), _documented())
def test_it_is_given(endpoint: Endpoint, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = Attempt(endpoint, monkeypatch)
    response = PROVOKED[status](attempt)
    assert response.status_code == status, response.content
    assert response["Content-Type"] == PROBLEM
    assert json.loads(response.content)["status"] == status
    if status == 429:
        assert int(response["Retry-After"]) > 0


def _shred(request_id: uuid.UUID) -> None:
    Letter.objects.filter(request=request_id).delete()
    shred(request_id, actor=SYSTEM)
