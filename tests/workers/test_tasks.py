"""What a message does, and what a failing one leaves in the log."""

import logging
import smtplib
from collections.abc import Callable

import pytest
from django.core import mail

from compliance.ledger.actors import subject_of
from compliance.requests.actions.confirm_identity import confirm_identity
from compliance.requests.identities import CODE_DIGITS
from compliance.requests.models import IdentityChallenge, Job, Letter
from compliance.requests.states import RequestState
from tests.compliance import cast
from workers import sweep, tasks

pytestmark = pytest.mark.django_db
STRANGER = "00000000-0000-4000-8000-00000000beef"


@pytest.mark.parametrize(
    ("task", "argument"),
    [
        pytest.param(tasks.ask_identity, STRANGER, id="ask_identity"),
        pytest.param(tasks.plan, STRANGER, id="plan"),
        pytest.param(tasks.run_job, STRANGER, id="run_job"),
    ],
)
def test_an_id_that_no_row_has_is_logged_by_its_code(
    task: Callable[[str], None], argument: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    task(argument)
    assert f"{argument}: not_found" in caplog.text


def test_a_letter_that_no_row_has_is_nothing_to_do() -> None:
    tasks.send_letter(4711)
    assert mail.outbox == []


def test_the_person_gets_a_code_that_proves_the_address() -> None:
    request_id = cast.ask().request.pk
    tasks.ask_identity(str(request_id))
    (message,) = mail.outbox
    assert message.to == [cast.ALICE]
    assert IdentityChallenge.objects.get(request_id=request_id).sent_at is not None
    code = next(word for word in str(message.body).split() if len(word) == CODE_DIGITS and word.isdigit())
    request = confirm_identity(request_id, actor=subject_of(request_id), code=code)
    assert request.state == RequestState.UNDER_REVIEW


def test_a_mail_server_that_refuses_is_logged_without_the_address(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*args: object) -> None:
        raise smtplib.SMTPRecipientsRefused({cast.ALICE: (550, b"no such user")})

    monkeypatch.setattr(mail.EmailMessage, "send", refuse)
    request_id = cast.ask().request.pk
    caplog.set_level(logging.DEBUG)
    tasks.ask_identity(str(request_id))
    assert f"ask_identity {request_id}: SMTPRecipientsRefused at" in caplog.text
    assert cast.MARK not in caplog.text
    assert IdentityChallenge.objects.get(request_id=request_id).sent_at is None


def test_a_plan_waits_for_a_worker_that_has_published_its_methods(caplog: pytest.LogCaptureFixture) -> None:
    cast.model_of("mail", cast.ALICE)
    request_id = cast.brought_to(RequestState.APPROVED).request.pk
    caplog.set_level(logging.INFO)
    tasks.plan(str(request_id))
    assert f"plan {request_id}: not_ready" in caplog.text
    cast.workers_start()
    tasks.plan(str(request_id))
    assert Job.objects.filter(targets__request=request_id).count() == 1


def test_a_letter_is_mailed_once() -> None:
    cast.brought_to(RequestState.REFUSED)
    letter = Letter.objects.get()
    tasks.send_letter(letter.pk)
    tasks.send_letter(letter.pk)
    assert [message.to for message in mail.outbox] == [[cast.ALICE]]


def test_a_sweep_that_fails_leaves_the_worker_running(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise OSError(cast.ALICE)

    monkeypatch.setattr(sweep, "sweep", fail)
    tasks.sweep()
    assert "OSError at" in caplog.text
    assert cast.MARK not in caplog.text
