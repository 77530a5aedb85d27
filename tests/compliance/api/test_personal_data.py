"""The marked address goes in once, and is found nowhere but in letters: no answer, log, ledger row or other row has it."""

import base64
import logging
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.http import HttpResponse

from compliance.ledger.models import LedgerEntry, PendingEntry
from compliance.requests import identities
from compliance.requests.models import SubjectVault
from tests.compliance import cast
from tests.compliance.api.caller import Caller, anonymous, body_of, staff, subject

pytestmark = pytest.mark.django_db

_KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
_SPELLINGS = (
    cast.MARK.encode(),
    cast.MARK.upper().encode(),
    cast.MARK.encode().hex().encode(),
    base64.b64encode(cast.MARK.encode())[:-3],
    cast.MARK.encode("utf-16-le"),
)


def _holds_the_mark(data: bytes) -> bool:
    return any(spelling in data for spelling in _SPELLINGS)


def _told() -> Iterator[HttpResponse]:
    """Every endpoint once or more, over the whole life of Alice's request."""
    dana, bob, audrey = staff(cast.dana()), staff(cast.bob()), staff(cast.audrey())
    asked = {"identifier": {"kind": "email", "value": cast.ALICE}}
    received = anonymous().post("submit", body=asked, key=_KEY)
    yield received
    yield anonymous().post("submit", body=asked, key=_KEY)
    yield anonymous().post("submit", body={**asked, "locale": "de"}, key=_KEY)
    yield anonymous().post("submit", body=asked, key=f'"{cast.ALICE}')
    receipt = body_of(received)
    alice, pk = subject(receipt["status_token"]), receipt["id"]
    yield alice.post("identity-code", pk)
    code = cast.mail_code(pk)
    yield alice.post("identity", pk, body={"code": "000000" if code != "000000" else "111111"})
    yield alice.post("identity", pk, body={"code": code})
    yield alice.post("complaint", pk, body={"text": cast.ALICE})
    yield bob.post("staff-identity", pk, body={"means": cast.ALICE})
    yield dana.post("staff-unveil", pk, body={"reason": cast.ALICE})
    yield from _about_webhooks(bob)
    yield from _read(alice, dana, audrey, pk)
    yield dana.post("staff-approve", pk, body={"ground": "art17_1_b"})
    cast.make_plan(pk)
    cast.break_down(pk)
    yield from _read(alice, dana, audrey, pk)
    yield bob.post("staff-retry", pk)
    cast.work(pk)
    yield dana.post("staff-sign-off", pk)
    yield bob.post("staff-sign-off", pk)
    cast.run_ledger()
    yield from _read(alice, dana, audrey, pk)
    yield alice.post("withdraw", pk)
    yield bob.post("staff-refuse", pk, body={"reason": cast.ALICE})


def _about_webhooks(bob: Caller) -> Iterator[HttpResponse]:
    made = bob.post("staff-webhooks", body={"name": "crm", "url": "https://receiver.example/hook"})
    yield made
    yield bob.post("staff-webhooks", body={"name": cast.ALICE, "url": f"mailto:{cast.ALICE}"})
    yield bob.post("staff-webhook-test", body_of(made)["id"])
    for name in ("staff-webhooks", "staff-deliveries", "staff-delivery-alarms"):
        yield bob.get(name)
    yield bob.get("staff-deliveries", cursor=cast.ALICE)
    yield bob.get("staff-requests", id_prefix=cast.ALICE)


def _read(alice: Caller, dana: Caller, audrey: Caller, pk: str) -> Iterator[HttpResponse]:
    yield alice.get("request", pk)
    for name in ("staff-request", "staff-scope"):
        yield dana.get(name, pk)
    for name in ("staff-requests", "staff-models"):
        yield dana.get(name)
    for name in ("audit-requests", "audit-keys", "audit-trust", "audit-checkpoint"):
        yield audrey.get(name)
    yield audrey.get("audit-bundle", pk)


def test_the_marked_address_is_in_no_answer_log_or_row(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    cast.model_of("spam-filter", cast.ALICE, cast.CHARLIE)
    answers = list(_told())
    assert {answer.status_code for answer in answers} >= {200, 201, 202, 400, 403, 409}
    for answer in answers:
        assert not _holds_the_mark(answer.serialize())
    assert identities.identifier(SubjectVault.objects.get()) == cast.ALICE, "the search looks for what is there"
    assert not _holds_the_mark(caplog.text.encode())
    assert LedgerEntry.objects.count() > 10
    leaves = [bytes(leaf) for log in (LedgerEntry, PendingEntry) for (leaf,) in log.objects.values_list("leaf")]
    assert not any(map(_holds_the_mark, leaves))
    for model in apps.get_models():
        for values in model._default_manager.values_list():
            assert not _holds_the_mark(b"".join(_bytes(value) for value in values)), model


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
