"""Shredding destroys what opens a closed request's commitments, once, and only what can be spared."""

import smtplib
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from compliance.ledger.actors import SYSTEM
from compliance.ledger.models import PendingEntry
from compliance.registry.models import LineageRecord
from compliance.registry.pseudonyms import pseudonym_of
from compliance.requests import identities, letters, queries
from compliance.requests.actions.shred import shred
from compliance.requests.errors import NotFoundError, NotReadyError
from compliance.requests.models import DeletionRequest, IdentityChallenge, Letter, SubjectVault
from compliance.requests.states import TERMINAL, RequestState
from tests.compliance import cast

pytestmark = pytest.mark.django_db
OPEN = [state for state in RequestState if state not in TERMINAL]


@pytest.mark.parametrize("state", OPEN, ids=str)
def test_an_open_request_is_not_shredded(state: RequestState) -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(state).request
    with pytest.raises(NotReadyError, match="open"):
        shred(request.pk, actor=SYSTEM)
    assert SubjectVault.objects.get(request=request).shredded_at is None


def test_a_letter_that_is_still_owed_is_waited_for() -> None:
    request = cast.brought_to(RequestState.REFUSED).request
    assert Letter.objects.filter(request=request, sent_at=None).exists()
    with pytest.raises(NotReadyError, match="letter"):
        shred(request.pk, actor=SYSTEM)


def test_the_last_try_of_a_letter_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shredding comes between the worker that begins the try and the mail."""
    request = cast.brought_to(RequestState.REFUSED).request
    letter = Letter.objects.get(request=request)
    Letter.objects.filter(pk=letter.pk).update(n_tries=queries.MAIL_TRIES - 1)
    mail_it = letters._send

    def shredded_beside(letter_id: int) -> None:
        with pytest.raises(NotReadyError, match="letter"):
            shred(request.pk, actor=SYSTEM)
        mail_it(letter_id)

    monkeypatch.setattr(letters, "_send", shredded_beside)
    letters.send(letter.pk)
    letter.refresh_from_db()
    assert letter.sent_at is not None
    assert shred(request.pk, actor=SYSTEM).vault.shredded_at is not None


def test_after_the_last_try_nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    request = cast.brought_to(RequestState.REFUSED).request
    Letter.objects.filter(request=request).update(n_tries=queries.MAIL_TRIES - 1)

    def fail(*_: object) -> None:
        raise smtplib.SMTPRecipientsRefused({})

    monkeypatch.setattr(mail.EmailMessage, "send", fail)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        letters.send(Letter.objects.get(request=request).pk)
    assert shred(request.pk, actor=SYSTEM).vault.shredded_at is not None


def test_a_request_that_is_not_there_is_not_shredded() -> None:
    with pytest.raises(NotFoundError):
        shred(SYSTEM.id, actor=SYSTEM)


def shredded() -> DeletionRequest:
    request = cast.brought_to(RequestState.REFUSED).request
    Letter.objects.update(sent_at=request.changed_at)
    return shred(request.pk, actor=SYSTEM)


def test_nothing_that_opens_or_finds_is_left() -> None:
    vault = SubjectVault.objects.get(request=shredded())
    kept = (vault.pseudonym, bytes(vault.wrapped_key), bytes(vault.sealed_identifier))
    assert kept == ("", b"", b"")
    assert bytes(vault.sealed_commitment_key) == b""
    assert not IdentityChallenge.objects.exists()
    for read in (identities.identifier, identities.commitment_key):
        with pytest.raises(identities.ShreddedError):
            read(vault)


def test_nobody_finds_a_request_through_the_records_that_it_removed() -> None:
    pseudonym = pseudonym_of("email", cast.ALICE)
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.COMPLETED).request
    assert LineageRecord.objects.filter(subject_pseudonym=pseudonym).exists()
    Letter.objects.update(sent_at=request.changed_at)
    shred(request.pk, actor=SYSTEM)
    assert not LineageRecord.objects.filter(subject_pseudonym=pseudonym).exists()
    assert LineageRecord.objects.exclude(removed_in=None).filter(subject_pseudonym="").exists()


def test_records_that_a_model_still_holds_are_found_by_the_next_request() -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(RequestState.REFUSED).request
    Letter.objects.update(sent_at=request.changed_at)
    shred(request.pk, actor=SYSTEM)
    assert LineageRecord.objects.filter(subject_pseudonym=pseudonym_of("email", cast.ALICE), removed_in=None).exists()


def test_it_is_recorded_once_and_the_chain_goes_on_to_it() -> None:
    request = shredded()
    shred(request.pk, actor=SYSTEM)
    events = [entry.event_type for entry in queries.timeline(request.pk)]
    assert events[-2:] == ["request.refused", "request.shredded"]
    request.refresh_from_db()
    assert request.chain_head == PendingEntry.objects.order_by("pk").last().leaf_sha256  # type: ignore[union-attr]


def test_the_command_shreds_what_it_names_and_stops_at_what_it_must_not() -> None:
    request, out = cast.brought_to(RequestState.REFUSED).request, StringIO()
    Letter.objects.update(sent_at=request.changed_at)
    opened = cast.ask(cast.CHARLIE).request
    with pytest.raises(CommandError, match="open"):
        call_command("shred", str(request.pk), str(opened.pk), "--yes", stdout=out)
    assert f"{request.pk}: shredded" in out.getvalue()
    assert SubjectVault.objects.get(request=opened).shredded_at is None


def test_the_command_destroys_nothing_when_there_is_nobody_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    request = cast.brought_to(RequestState.REFUSED).request
    Letter.objects.update(sent_at=request.changed_at)
    monkeypatch.setattr("sys.stdin", StringIO())
    with pytest.raises(CommandError, match="--yes"):
        call_command("shred", str(request.pk), stdout=StringIO())
    assert SubjectVault.objects.get(request=request).shredded_at is None


def test_the_command_asks_first(monkeypatch: pytest.MonkeyPatch) -> None:
    request = cast.brought_to(RequestState.REFUSED).request
    Letter.objects.update(sent_at=request.changed_at)
    monkeypatch.setattr("builtins.input", lambda question: "no")
    with pytest.raises(CommandError, match="Nothing was shredded"):
        call_command("shred", str(request.pk))
    assert SubjectVault.objects.get(request=request).shredded_at is None
