"""Recipients and notices over the API: refusals, what each role is shown, pages, and what staff record."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from compliance.ledger.actors import SYSTEM
from compliance.ledger.models import PendingEntry
from compliance.recipients import queries
from compliance.recipients.actions.register_recipient import register_recipient
from compliance.recipients.details import Details
from compliance.recipients.models import Notice, Recipient
from tests.compliance import cast
from tests.compliance.api import things
from tests.compliance.api.caller import body_of, refused, staff
from tests.compliance.recipients import scene

pytestmark = pytest.mark.django_db
URL = "https://fabrikam.example/secret-path"
GOOD: dict[str, Any] = {"name": "Fabrikam SAS", "models": ["spam"], "url": URL}
BAD_BODIES: dict[str, dict[str, Any]] = {
    "no name": {"models": ["spam"]},
    "a name of two lines": {**GOOD, "name": "Fabrikam\nSAS"},
    "no models": {"name": "Fabrikam"},
    "an empty list of models": {**GOOD, "models": []},
    "models that are a text": {**GOOD, "models": "spam"},
    "an unknown model": {**GOOD, "models": ["ham"]},
    "no TLS": {**GOOD, "url": "ftp://fabrikam.example/"},
    "an address inside": {**GOOD, "url": "https://10.0.0.1/"},
    "a key that is none": {**GOOD, "public_key": "PEM"},
    "another form": {**GOOD, "identifier_form": "md5"},
    "a boolean as text": {**GOOD, "is_public": "true"},
    "a boolean as number": {**GOOD, "is_public": 1},
    "another member": {**GOOD, "is_active": False},
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_what_is_no_recipient_is_refused(name: str) -> None:
    cast.model_of("spam", cast.ALICE)
    refused(staff(cast.dana()).post("staff-recipients", body=BAD_BODIES[name]), 400, "invalid_input")
    assert not Recipient.objects.exists()
    assert not PendingEntry.objects.filter(event_type__startswith="recipient.").exists()


def test_nothing_to_change_is_no_change() -> None:
    recipient = things.recipient()
    refused(staff(cast.dana()).post("staff-recipient-change", recipient, body={}), 400, "invalid_input")
    assert not PendingEntry.objects.filter(event_type="recipient.changed").exists()


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("staff-notice-send-again", None),
        ("staff-notice-told", {"told_date": "2026-05-01"}),
        ("staff-notice-acknowledged", {"result": "done", "document_sha256": "ab" * 32}),
        ("staff-notice-impossible", {"reason": "impossible", "words": "."}),
    ],
)
def test_nothing_is_done_to_a_notice_that_is_not_there(name: str, body: Any) -> None:
    refused(staff(cast.dana()).post(name, uuid.uuid4(), body=body), 404, "not_found")


BAD_NOTES: dict[str, tuple[str, dict[str, Any]]] = {
    "a day to come": ("staff-notice-told", {"told_date": f"{datetime.now(tz=UTC).date() + timedelta(days=2)}"}),
    "no day": ("staff-notice-told", {"told_date": "yesterday"}),
    "no digest": ("staff-notice-told", {"told_date": "2026-05-01", "document_sha256": "AB"}),
    "no result": ("staff-notice-acknowledged", {"result": "eaten", "document_sha256": "ab" * 32}),
    "no document": ("staff-notice-acknowledged", {"result": "done"}),
    "another reason": ("staff-notice-impossible", {"reason": "tedious", "words": "."}),
    "no words": ("staff-notice-impossible", {"reason": "impossible"}),
}


@pytest.mark.parametrize("case", BAD_NOTES)
def test_what_staff_record_is_checked(case: str) -> None:
    name, body = BAD_NOTES[case]
    notice = things.owed_notice()
    refused(staff(cast.dana()).post(name, notice, body=body), 400, "invalid_input")
    assert Notice.objects.get(pk=notice).status == "owed"


def test_a_recipient_is_registered_changed_in_part_and_retired() -> None:
    cast.model_of("spam", cast.ALICE)
    dana = staff(cast.dana())
    made = body_of(dana.post("staff-recipients", body={**GOOD, "contact": "privacy@fabrikam.example"}))
    assert (made["models"], made["has_key"], made["n_owed"]) == (["spam"], False, 0)
    changed = body_of(dana.post("staff-recipient-change", made["id"], body={"identifier_form": "sha256"}))
    assert changed == {**made, "identifier_form": "sha256"}
    retired = body_of(dana.post("staff-recipient-retire", made["id"]))
    assert retired == {**changed, "is_active": False}
    assert body_of(dana.get("staff-recipients"))["results"] == [retired]
    refused(dana.post("staff-recipient-retire", made["id"]), 409, "wrong_state")


def test_the_path_of_an_address_is_shown_to_a_dpo_alone() -> None:
    cast.model_of("spam", cast.ALICE)
    made = register_recipient("Fabrikam SAS", Details(models=("spam",), url=URL), actor=SYSTEM)
    for user, shown in ((cast.dana(), URL), (cast.bob(), "https://fabrikam.example/"), (cast.audrey(), None)):
        (row,) = body_of(staff(user).get("staff-recipients"))["results"]
        assert row["url"] == (shown or "https://fabrikam.example/")
        assert row == body_of(staff(user).get("staff-recipient", made.pk))


def test_what_staff_record_is_shown_with_its_digests() -> None:
    notice = things.owed_notice()
    bob = staff(cast.bob())
    told = body_of(bob.post("staff-notice-told", notice, body={"told_date": "2026-05-01"}))
    assert (told["status"], told["recipient_name"], told["models"]) == ("sent", "Northwind", ["churn"])
    answer = {"result": "refused", "reason": "art17_3_e", "document_sha256": "ab" * 32}
    answered = body_of(bob.post("staff-notice-acknowledged", notice, body=answer))
    assert (answered["status"], answered["result"], answered["refusal_reason"]) == (
        "acknowledged",
        "refused",
        "art17_3_e",
    )
    row = Notice.objects.get(pk=notice)
    assert (answered["commitment"], answered["acknowledgement_sha256"]) == (row.commitment, row.acknowledgement_sha256)
    audrey = staff(cast.audrey())
    assert body_of(audrey.get("staff-request-notices", row.request_id)) == {"notices": [answered]}
    listed = audrey.get("staff-recipient-notices", row.recipient_id, status="acknowledged")
    assert body_of(listed) == {"next": None, "results": [answered]}
    assert body_of(audrey.get("staff-recipient-notices", row.recipient_id, status="owed"))["results"] == []


def test_no_answer_names_the_person() -> None:
    request = scene.waiting()
    notice = scene.owed(request)
    dana = staff(cast.dana())
    words = {"reason": "impossible", "words": f"{cast.ALICE} was never there."}
    answers = [
        dana.post("staff-notice-impossible", notice.pk, body=words),
        dana.get("staff-recipient-notices", notice.recipient_id),
        dana.get("staff-request-notices", request.pk),
        dana.get("staff-recipients"),
    ]
    for answer in answers:
        assert answer.status_code == 200 and cast.MARK not in answer.content.decode()


@pytest.mark.parametrize("cursor", ["x", str(uuid.uuid4())])
def test_a_cursor_of_ones_own_making_is_refused(cursor: str) -> None:
    recipient = things.recipient()
    audrey = staff(cast.audrey())
    refused(audrey.get("staff-recipients", cursor=cursor), 400, "invalid_input")
    refused(audrey.get("staff-recipient-notices", recipient, cursor=cursor), 400, "invalid_input")


def test_the_register_comes_in_pages() -> None:
    cast.model_of("spam", cast.ALICE)
    for number in range(queries.PAGE_ROWS + 2):
        register_recipient(f"Number {number:03}", Details(models=("spam",)), actor=SYSTEM)
    bob = staff(cast.bob())
    first = body_of(bob.get("staff-recipients"))
    rest = body_of(bob.get("staff-recipients", cursor=first["next"].rpartition("=")[2]))
    names = [row["name"] for row in (*first["results"], *rest["results"])]
    assert names == [f"Number {number:03}" for number in range(queries.PAGE_ROWS + 2)]
    assert rest["next"] is None
