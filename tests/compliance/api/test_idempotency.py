"""The same request under the same key: the same answer, the token included, and one request."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, connections

from compliance.intake import receiving
from compliance.intake.models import SubmissionKey
from compliance.ledger.actors import SYSTEM
from compliance.requests.actions.shred import shred
from compliance.requests.models import DeletionRequest
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.api.caller import Caller, anonymous, body_of, refused, staff, subject
from tests.compliance.api.rows import snapshot
from workers import sweep

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
ASKED: dict[str, Any] = {"identifier": {"kind": "email", "value": cast.ALICE}}
OTHERS: dict[str, dict[str, Any]] = {
    "another person": {"identifier": {"kind": "email", "value": cast.CHARLIE}},
    "another ground": {**ASKED, "ground": "art17_1_d"},
    "another language": {**ASKED, "locale": "de"},
}
NO_KEYS = {
    "nothing": "",
    "fifteen characters": "a" * 15,
    "256 characters": "a" * 256,
    "a space inside": "8e03978e 40d5-43dd-bc93",
    "one quotation mark": '"8e03978e-40d5-43dd-bc93',
    "a quotation mark inside": '8e03978e"40d5-43dd-bc93',
    "an escape": '"8e03978e\\\\40d5-43dd-bc93"',
    "parameters after it": '"8e03978e-40d5-43dd-bc93";a=1"',
    "not ASCII": "8e03978e-40d5-43dd-bc9é",
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", NO_KEYS)
def test_what_is_no_key_is_refused(name: str) -> None:
    before = snapshot()
    refused(anonymous().post("submit", body=ASKED, key=NO_KEYS[name]), 400, "idempotency_key_invalid")
    assert snapshot() == before


@pytest.mark.django_db
@pytest.mark.parametrize("name", OTHERS)
def test_a_key_is_not_taken_for_another_body(name: str) -> None:
    assert anonymous().post("submit", body=ASKED, key=KEY).status_code == 201
    before = snapshot()
    refused(anonymous().post("submit", body=OTHERS[name], key=KEY), 422, "idempotency_key_reused")
    assert snapshot() == before


@pytest.mark.django_db
@pytest.mark.parametrize("spelling", [KEY, f'"{KEY}"'])
def test_the_same_again_gets_the_same_answer_also_when_the_request_went_on(spelling: str) -> None:
    first = anonymous().post("submit", body=ASKED, key=KEY)
    receipt = body_of(first)
    cast.prove(receipt["id"])
    reordered = {"locale": "en", **ASKED}
    again = anonymous().post("submit", body=reordered, key=spelling)
    assert (again.status_code, again["Location"]) == (201, first["Location"])
    assert body_of(again) == receipt
    assert DeletionRequest.objects.count() == 1
    assert subject(receipt["status_token"]).get("request", receipt["id"]).status_code == 200


@pytest.mark.django_db
def test_without_a_key_each_is_a_request_of_its_own() -> None:
    answers = [body_of(anonymous().post("submit", body=ASKED)) for _ in range(2)]
    assert answers[0]["id"] != answers[1]["id"]
    assert not SubmissionKey.objects.exists()


@pytest.mark.django_db
def test_no_row_holds_the_key_the_body_or_the_token() -> None:
    receipt = body_of(anonymous().post("submit", body=ASKED, key=KEY))
    for model in apps.get_models():
        for values in model._default_manager.values_list():
            assert not any(word in str(values) for word in (KEY, receipt["status_token"], cast.MARK)), model


@pytest.mark.django_db
def test_a_request_that_was_refused_leaves_its_key_free() -> None:
    alices = cast.ask()
    alice = subject(alices.token)
    refused(alice.post("complaint", alices.request.pk, body={"text": "It knows me."}, key=KEY), 409, "wrong_state")
    assert not SubmissionKey.objects.exists()


@pytest.mark.django_db
def test_a_complaint_is_made_once_and_its_token_opens_it() -> None:
    alices = cast.brought_to(RequestState.REFUSED)
    alice = subject(alices.token)
    first, again = (
        alice.post("complaint", alices.request.pk, body={"text": "It knows me."}, key=KEY) for _ in range(2)
    )
    assert body_of(first) == body_of(again)
    made = body_of(first)
    assert DeletionRequest.objects.count() == 2
    assert subject(made["status_token"]).get("request", made["id"]).status_code == 200
    refused(alice.post("complaint", alices.request.pk, body={"text": "Still."}, key=KEY), 422, "idempotency_key_reused")


@pytest.mark.django_db
def test_staff_who_happen_to_use_one_key_do_not_meet() -> None:
    bob, dana = staff(cast.bob()), staff(cast.dana())
    made = [body_of(who.post("staff-requests", body=ASKED, key=KEY)) for who in (bob, bob, dana)]
    assert made[0] == made[1]
    assert made[0]["id"] != made[2]["id"]
    assert anonymous().post("submit", body=ASKED, key=KEY).status_code == 201


@pytest.mark.django_db
def test_a_key_can_be_used_again_after_a_day_and_makes_another_token() -> None:
    first = body_of(anonymous().post("submit", body=ASKED, key=KEY))
    SubmissionKey.objects.update(created_at=datetime.now(tz=UTC) - timedelta(hours=24, seconds=1))
    second = body_of(anonymous().post("submit", body=OTHERS["another person"], key=KEY))
    assert first["id"] != second["id"]
    assert first["status_token"] != second["status_token"]
    SubmissionKey.objects.update(created_at=datetime.now(tz=UTC) - timedelta(hours=24, seconds=1))
    third = body_of(anonymous().post("submit", body=ASKED, key=KEY))
    assert third["status_token"] not in {first["status_token"], second["status_token"]}


@pytest.mark.django_db
def test_the_sweep_forgets_old_keys_and_those_of_shredded_requests() -> None:
    old, shredded, kept = (
        body_of(anonymous().post("submit", body=ASKED, key=f"{KEY}-{number}")) for number in range(3)
    )
    SubmissionKey.objects.filter(request=old["id"]).update(created_at=datetime.now(tz=UTC) - timedelta(hours=25))
    cast.prove(shredded["id"])
    cast.take_back(shredded["id"])
    DeletionRequest.objects.get(pk=shredded["id"]).letters.all().delete()
    shred(shredded["id"], actor=SYSTEM)
    sweep.sweep()
    assert [str(row.request_id) for row in SubmissionKey.objects.all()] == [kept["id"]]


def test_of_two_at_the_same_time_one_waits_and_gets_the_same(ledger_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both stand before the claim together; the database lets one through."""
    barrier, claim = threading.Barrier(2, timeout=20), receiving._claim

    def claim_together(asked: receiving.Asked) -> SubmissionKey | None:
        # SQLite let one in already, when it began its transaction: there the other waits before this.
        if connection.vendor == "postgresql":
            barrier.wait()
        return claim(asked)

    monkeypatch.setattr(receiving, "_claim", claim_together)
    answers: list[tuple[int, Any]] = []

    def send() -> None:
        response = Caller().post("submit", body=ASKED, key=KEY)
        answers.append((response.status_code, body_of(response)))
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert [status for status, _ in answers] == [201, 201]
    assert answers[0] == answers[1]
    assert DeletionRequest.objects.count() == 1
