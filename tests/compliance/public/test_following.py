"""The page of a request: sound in every state and language, and no word more than the evidence allows."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from compliance.evidence.verdict import Result
from compliance.letters.parts import Assurance
from compliance.public.words import words_of
from compliance.requests import identities, letters
from compliance.requests.actions.submit import submit
from compliance.requests.models import DeletionRequest, Evidence, Job, Letter
from compliance.requests.states import TERMINAL, RequestState
from tests.compliance import cast
from tests.compliance.public.browsing import LANGUAGES, opened, opened_in

pytestmark = pytest.mark.django_db

#: The forms and links beside those that are always there.
OFFERED = {
    RequestState.RECEIVED: {"code", "fresh-code", "withdraw"},
    RequestState.IDENTITY_PENDING: {"code", "fresh-code", "withdraw"},
    RequestState.UNDER_REVIEW: {"withdraw"},
    RequestState.INFO_REQUESTED: {"answer", "withdraw"},
    **{state: {"complain"} for state in TERMINAL - {RequestState.CLOSED_UNVERIFIED}},
}
OVERCLAIMS = ("guarantee", "garant", "completely", "vollständig gelöscht", "provably removed", "forever", "für immer")


@pytest.mark.parametrize("state", RequestState)
def test_every_state_has_a_sound_page_in_every_language(state: RequestState) -> None:
    cast.model_of("spam-filter", cast.ALICE, cast.CHARLIE)
    browser, submitted = opened_in(state)
    for browser.language in LANGUAGES:
        page, words = browser.at("follow", submitted.request.pk), words_of(browser.language)
        assert words.text(f"state_{state}") in page.text
        assert words.text(f"next_{state}") in page.text
        assert words.date(submitted.request.received_at.date()) in page.text
        links = [link.attributes["href"] for link in page.all("a") if "main" in link.parents]
        offered = page.actions() | {link.rstrip("/").rsplit("/", 1)[-1] for link in links}
        assert offered - {"forget"} == OFFERED.get(state, set())
        assert cast.MARK not in page.html
        assert submitted.token not in page.html
        assert not [claim for claim in OVERCLAIMS if claim in page.text.lower()]


@pytest.mark.parametrize("state", [RequestState.REFUSED, RequestState.PARTLY_COMPLETED, RequestState.CLOSED_UNVERIFIED])
def test_whoever_did_not_get_everything_is_told_why_and_where_to_complain(state: RequestState) -> None:
    cast.model_of("spam-filter", cast.ALICE)
    browser, submitted = opened_in(state)
    code = "art12_6" if state == RequestState.CLOSED_UNVERIFIED else "art17_3_e"
    for browser.language in LANGUAGES:
        text, words = browser.at("follow", submitted.request.pk).text, words_of(browser.language)
        assert words.law.refusals[code].removesuffix(".") in text
        assert words.letters.authority in text
        assert words.letters.court in text


def test_the_authority_and_the_court_of_the_settings_are_named(settings: Settings) -> None:
    settings.SUPERVISORY_AUTHORITY, settings.COURT = "Authority of Examplia, 1 Main Street", "Court of Examplia"
    browser, submitted = opened_in(RequestState.REFUSED, "de")
    text = browser.at("follow", submitted.request.pk).text
    assert settings.SUPERVISORY_AUTHORITY in text
    assert settings.COURT in text


@pytest.mark.parametrize("result", Result)
@pytest.mark.parametrize("assurance", Assurance)
def test_the_outcome_claims_what_the_evidence_says(result: Result, assurance: Assurance) -> None:
    cast.model_of("spam-filter", cast.ALICE)
    browser, submitted = opened_in(RequestState.COMPLETED)
    Evidence.objects.update(result=result.value)
    Job.objects.update(outcome={"assurance": assurance.value})
    for browser.language in LANGUAGES:
        page, words = browser.at("follow", submitted.request.pk), words_of(browser.language)
        said = [words.letters.unconfirmed, *words.letters.assurances.values()]
        expected = words.letters.unconfirmed if result is Result.FAILED else words.letters.assurances[assurance]
        assert [sentence for sentence in said if sentence in page.text] == [expected]
        shown = [code for code in ("passed", "warned", "failed") if words.text(f"result_{code}") in page.text]
        assert shown == [result.code]
        assert Evidence.objects.get().leaf_sha256 in page.text


def test_without_evidence_nothing_is_claimed() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    browser, submitted = opened_in(RequestState.COMPLETED)
    Evidence.objects.all().delete()
    text = browser.at("follow", submitted.request.pk).text
    assert words_of("en").text("outcome_none") in text
    assert not [said for said in words_of("en").letters.assurances.values() if said in text]


def test_who_holds_no_data_is_told_that_and_not_that_something_was_changed() -> None:
    browser, submitted = opened_in(RequestState.UNDER_REVIEW)
    for step in (cast.decide, cast.make_plan, cast.second_signature):
        step(submitted.request.pk)
    text = browser.at("follow", submitted.request.pk).text
    assert "None of these models holds any of your records." in text
    assert words_of("en").text("evidence_title") not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_dates_are_explained(language: str) -> None:
    browser, submitted = opened_in(RequestState.INFO_REQUESTED, language)
    cast.answer_back(submitted.request.pk)
    cast.take_more_time(submitted.request.pk)
    letter = Letter.objects.get(request=submitted.request, kind=Letter.Kind.EXTENSION)
    before = browser.at("follow", submitted.request.pk)
    letters.send(letter.pk)
    after, words = browser.at("follow", submitted.request.pk), words_of(language)
    assert words.law.extensions["complexity"] not in before.text
    assert words.law.extensions["complexity"] in after.text
    due_date = DeletionRequest.objects.get(pk=submitted.request.pk).due_date
    assert words.date(due_date) in after.text
    assert words.date(due_date) not in before.text
    assert words.text("extended") in after.text


def test_a_californian_request_cites_no_article_of_the_gdpr() -> None:
    submitted = submit(identifier_kind="email", identifier_value=cast.ALICE, regulation="ccpa")
    browser = opened(submitted)
    text = browser.at("follow", submitted.request.pk).text
    assert "45 days" in text
    assert "GDPR" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_else_is_needed_is_said_in_the_language(language: str, settings: Settings) -> None:
    settings.IDENTITY_LEVEL = 2
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID = "https://login.example.org", "expunge"
    browser, submitted = opened_in(RequestState.RECEIVED, language)
    cast.prove(submitted.request.pk)
    page, words = browser.at("follow", submitted.request.pk), words_of(language)
    assert words.text("proof_so_far", level=1, needed=2) in page.text
    assert words.text("way_oidc") in page.text
    assert words.text("way_email_code") not in page.text
    assert page.actions() == {"forget"}
    assert page.all("a", href=f"/identity/oidc/{submitted.request.pk}/start"), "a link: form-action would stop a form"


def test_a_question_whose_key_does_not_answer_can_still_be_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    browser, submitted = opened_in(RequestState.INFO_REQUESTED)
    assert cast.QUESTION in browser.at("follow", submitted.request.pk).text

    def away(*_: object) -> str:
        raise identities.VaultNotReadyError("The key service gives no answer.")

    monkeypatch.setattr(identities, "open_note", away)
    page = browser.at("follow", submitted.request.pk)
    assert words_of("en").text("question_unreadable") in page.text
    assert "answer" in page.actions()


def test_after_shredding_what_can_still_be_told_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    cast.model_of("spam-filter", cast.ALICE)
    browser, submitted = opened_in(RequestState.PARTLY_COMPLETED)
    monkeypatch.setattr(identities, "open_note", _shredded)
    page = browser.at("follow", submitted.request.pk)
    assert words_of("en").text("outcome_none") in page.text
    assert words_of("en").text("next_partly_completed") in page.text


def test_a_page_costs_the_same_however_many_models_there_are() -> None:
    costs = []
    for person, n_models in ((cast.ALICE, 1), (cast.CHARLIE, 4)):
        for number in range(n_models):
            cast.model_of(f"model-{n_models}-{number}", person)
        submitted = cast.brought_to(RequestState.SIGNOFF, person)
        browser = opened(submitted)
        with CaptureQueriesContext(connection) as queries:
            browser.at("follow", submitted.request.pk)
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 8


def _shredded(*_: object) -> str:
    raise identities.ShreddedError("The vault row was shredded.")
