"""Letters that are owed: refused early when they could not be sent, mailed once, committed to in the ledger."""

import os
import smtplib
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.conf import settings
from django.core import mail

from compliance.evidence import commitment
from compliance.evidence import leaf as leaves
from compliance.evidence.leaf import Event
from compliance.identity.silence import closing_date
from compliance.ledger import actors
from compliance.ledger.actors import Role, subject_of
from compliance.ledger.models import PendingEntry
from compliance.letters.composition import body_of, compose
from compliance.letters.errors import InvalidPartError, MissingPartError
from compliance.requests import clocks, identities, letters
from compliance.requests.actions.answer_question import answer_question
from compliance.requests.actions.ask_question import ask_question
from compliance.requests.actions.except_model import except_model
from compliance.requests.actions.extend import extend
from compliance.requests.actions.record_letter import LABEL
from compliance.requests.actions.refuse import refuse
from compliance.requests.letter_parts import parts_of
from compliance.requests.models import DeletionRequest, Letter
from compliance.requests.states import RequestState
from tests.compliance import cast

pytestmark = pytest.mark.django_db


def dpo() -> actors.Actor:
    return actors.staff(cast.dana(), Role.DPO)


def text(number: int = -1) -> str:
    return " ".join(str(mail.outbox[number].body).split())


def notified(request: DeletionRequest) -> list[Event]:
    """What the ledger says about letters of a request, in order."""
    rows = PendingEntry.objects.filter(request_id=request.pk).order_by("pk")
    events = [leaves.parse(bytes(row.leaf)) for row in rows if row.kind == "event"]
    return [event for event in events if event.type == "request.notified"]


def send_all(request: DeletionRequest) -> None:
    for letter in request.letters.filter(sent_at=None):
        letters.send(letter.pk)


# --- Refusals -------------------------------------------------------------------------------------------------------

UNSENDABLE: dict[str, tuple[str, str, type[Exception]]] = {
    "no contact": ("CONTACT", "", MissingPartError),
    "no controller": ("CONTROLLER_NAME", " ", MissingPartError),
    "a header in the name": ("CONTROLLER_NAME", "Contoso\r\nBcc: x@example.org", InvalidPartError),
    "a header in the authority": ("SUPERVISORY_AUTHORITY", "A\nSubject: x", InvalidPartError),
}


@pytest.mark.parametrize(("name", "value", "error"), UNSENDABLE.values(), ids=UNSENDABLE.keys())
def test_nothing_is_decided_whose_letter_could_not_be_sent(
    name: str, value: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    request = cast.brought_to(RequestState.UNDER_REVIEW).request
    monkeypatch.setattr(settings, name, value)
    with pytest.raises(error):
        refuse(request.pk, actor=dpo(), reason="art17_3_e")
    request.refresh_from_db()
    assert request.state == RequestState.UNDER_REVIEW
    assert not Letter.objects.exists()


def test_a_code_is_not_owed_as_a_letter() -> None:
    request = cast.ask().request
    with pytest.raises(MissingPartError, match="code"):
        letters.owe(request, Letter.Kind.IDENTITY)


def test_what_the_rows_do_not_say_is_not_put_into_words() -> None:
    request = cast.brought_to(RequestState.UNDER_REVIEW).request
    for kind in ("question", "extension", "completed", "partly_completed", "refused", "withdrawn", "closed_unverified"):
        with pytest.raises(MissingPartError):
            letters.owe(request, Letter.Kind(kind))


def test_a_mail_that_fails_leaves_no_trace_in_the_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    request = cast.brought_to(RequestState.REFUSED).request
    head = request.chain_head

    def fail(*args: object) -> None:
        raise smtplib.SMTPServerDisconnected

    with monkeypatch.context() as patch:
        patch.setattr(mail.EmailMessage, "send", fail)
        with pytest.raises(smtplib.SMTPServerDisconnected):
            letters.send(Letter.objects.get().pk)
    letter = Letter.objects.get()
    request.refresh_from_db()
    assert (letter.sent_at, letter.commitment, letter.n_tries) == (None, "", 1)
    assert (request.chain_head, notified(request)) == (head, [])
    letters.send(letter.pk)
    assert len(notified(request)) == 1


def test_outside_debug_the_service_does_not_start_without_an_authority() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("EXPUNGE_", "DJANGO_"))}
    key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    secrets = ("SECRET_KEY", "VAULT_MASTER_KEY", "PSEUDONYM_KEY", "SUPPRESSION_KEY")
    environment |= {**dict.fromkeys(secrets, key), "ALLOWED_HOSTS": "x", "DATABASE_URL": "sqlite:////nowhere"}
    run = subprocess.run(
        [sys.executable, "-c", "import compliance.settings"],
        env=environment,
        cwd=settings.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert "EXPUNGE_SUPERVISORY_AUTHORITY is not set" in run.stderr


# --- What is sent, and what the ledger says about it ----------------------------------------------------------------


@pytest.mark.parametrize("locale", ["en", "de", "fr", "es"])
def test_a_letter_is_in_the_language_of_the_request(locale: str) -> None:
    request = cast.brought_to(RequestState.REFUSED).request
    DeletionRequest.objects.filter(pk=request.pk).update(locale=locale)
    send_all(request)
    letter = Letter.objects.select_related("request").get()
    expected = compose("refused", locale, parts_of(letter))
    assert (mail.outbox[-1].subject, mail.outbox[-1].body) == (expected.subject, expected.body)


def test_whoever_kept_the_letter_can_prove_it() -> None:
    request = cast.brought_to(RequestState.REFUSED).request
    send_all(request)
    kept = str(mail.outbox[-1].body)
    payload = {"kind": "refused", "locale": "en", "body_sha256": sha256(body_of(kept)).hexdigest()}
    opened = commitment.commit(identities.commitment_key(request.vault), LABEL, payload)
    (event,) = notified(request)
    assert dict(event.facts) == {"notice": "refused", "commitment": opened}
    assert Letter.objects.get().commitment == opened
    other = {**payload, "body_sha256": sha256(body_of(kept + "x")).hexdigest()}
    assert commitment.commit(identities.commitment_key(request.vault), LABEL, other) != opened


def test_a_letter_is_recorded_once() -> None:
    request = cast.brought_to(RequestState.WITHDRAWN).request
    for _ in range(2):
        letters.send(Letter.objects.get().pk)
    assert [event.text("notice") for event in notified(request)] == ["withdrawn"]
    request.refresh_from_db()
    assert request.state == RequestState.WITHDRAWN


def test_a_mail_with_a_code_commits_to_nothing() -> None:
    request = cast.ask().request
    letters.send_identity_code(request.pk, "0123456789")
    assert "enter this code: 0123456789" in str(mail.outbox[-1].body)
    assert notified(request) == []


def test_no_letter_names_the_person() -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.COMPLETED).request
    send_all(request)
    letters.send_identity_code(request.pk, "0123456789")
    assert all(cast.MARK not in f"{message.subject} {message.body}" for message in mail.outbox)
    assert {message.to[0] for message in mail.outbox} == {cast.ALICE}


# --- From the rows --------------------------------------------------------------------------------------------------


def test_an_extension_holds_from_the_moment_its_notice_went_out() -> None:
    request = cast.brought_to(RequestState.UNDER_REVIEW).request
    first = clocks.deadlines(request)
    extend(request.pk, actor=dpo(), reason="complexity")
    request.refresh_from_db()
    assert request.due_date == first.first.due_date
    send_all(request)
    request.refresh_from_db()
    assert request.due_date == first.extended_target.due_date
    assert [event.text("notice") for event in notified(request)] == ["extension"]
    for day in (first.first.due_date, first.extended_target.due_date):
        assert f"{day.day} {day:%B %Y}" in text()
    assert "The request is complex" in text()


def test_each_question_is_a_letter_of_its_own() -> None:
    request = cast.brought_to(RequestState.UNDER_REVIEW).request
    ask_question(request.pk, actor=dpo(), question="Which user name?\nAnd since when?")
    answer_question(request.pk, actor=subject_of(request.pk), answer="alice")
    ask_question(request.pk, actor=dpo(), question="Which country?")
    send_all(request)
    assert [event.text("notice") for event in notified(request)] == ["question", "question"]
    assert "Which user name? And since when?" in text(0) and "country" not in text(0)
    assert "Which country?" in text(1) and "user name" not in text(1)


def test_what_the_law_excepts_is_told_with_its_reason() -> None:
    kept = cast.model_of("fraud", cast.ALICE)
    cast.model_of("spam", cast.ALICE)
    cast.model_of("other", cast.CHARLIE)
    request = cast.brought_to(RequestState.UNDER_REVIEW).request
    except_model(request.pk, actor=dpo(), model_id=kept.pk, reason="art17_3_e", words="Case 4711 is open.")
    cast.decide(request.pk)
    cast.make_plan(request.pk)
    cast.work(request.pk)
    cast.second_signature(request.pk)
    send_all(request)
    assert [event.text("notice") for event in notified(request)] == ["partly_completed"]
    for needed in (
        "Model “fraud” was not changed, and still holds what it learned from 2 of your records.",
        "(Art. 17(3)(e) GDPR)",
        "Case 4711 is open.",
        "Model “spam”: 2 of your records had been used to train it.",
        "1 other model holds none of your records.",
        "Art. 77",
        "Art. 79",
    ):
        assert needed in text()


def test_a_silent_person_is_reminded_with_a_day_that_is_still_theirs() -> None:
    request = cast.brought_to(RequestState.IDENTITY_PENDING).request
    letters.owe(request, Letter.Kind.IDENTITY_REMINDER)
    send_all(request)
    last_day = closing_date(request) - timedelta(days=1)
    assert f"by {last_day.day} {last_day:%B %Y}" in text()


@pytest.mark.parametrize(
    ("state", "expected"),
    [(RequestState.RECEIVED, "one-time code"), (RequestState.UNDER_REVIEW, "a person reviews your request")],
    ids=["before", "after"],
)
def test_a_receipt_says_what_happens_next(state: RequestState, expected: str) -> None:
    request = cast.brought_to(state).request
    letters.owe(request, Letter.Kind.RECEIPT)
    send_all(request)
    assert expected in text()
    assert f"{request.due_date.day} {request.due_date:%B %Y}" in text() and str(request.pk) in text()


def test_a_closed_request_names_authority_and_court() -> None:
    request = cast.brought_to(RequestState.IDENTITY_PENDING).request
    closed: dict[str, Any] = {"state": RequestState.CLOSED_UNVERIFIED, "closed_at": datetime.now(tz=UTC)}
    DeletionRequest.objects.filter(pk=request.pk).update(**closed)
    request.refresh_from_db()
    letters.owe(request, Letter.Kind.CLOSED_UNVERIFIED)
    send_all(request)
    assert "Art. 12(6)" in text() and "Art. 77" in text() and "Art. 79" in text()
