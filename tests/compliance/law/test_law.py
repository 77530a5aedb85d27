"""The law as data: complete in each language, and in the codes of the rows and of the ledger."""

import re

import pytest

from compliance.evidence.leaf import WORDS as LEAF_WORDS
from compliance.law.provisions import DPV, EXTENSIONS, GROUNDS, REFUSALS, Article, Provision
from compliance.law.words import available, words_of
from compliance.requests.choices import LOCALES
from compliance.requests.models import ExtensionReason, Ground, RefusalReason

LANGUAGES = sorted(available())
EVERY = [*GROUNDS.values(), *REFUSALS.values(), *EXTENSIONS.values()]


def test_the_codes_are_those_of_the_rows() -> None:
    assert set(GROUNDS) == set(Ground.values)
    assert set(REFUSALS) == set(RefusalReason.values)
    assert set(EXTENSIONS) == set(ExtensionReason.values)


def test_the_ledger_knows_every_code() -> None:
    assert set(GROUNDS) <= LEAF_WORDS["ground"]
    assert set(REFUSALS) <= LEAF_WORDS["refusal reason"]
    assert set(EXTENSIONS) <= LEAF_WORDS["extension reason"]


@pytest.mark.parametrize("provision", EVERY, ids=lambda provision: provision.code)
def test_each_has_a_term_of_the_vocabulary(provision: Provision) -> None:
    assert provision.dpv
    for iri in provision.dpv:
        assert re.fullmatch(rf"{re.escape(DPV)}JustificationA1[27][A-Z][A-Za-z0-9]+", iri)


@pytest.mark.parametrize("choice", [*Ground, *RefusalReason], ids=str)
def test_the_article_is_that_of_the_label_in_the_rows(choice: Ground | RefusalReason) -> None:
    provision = {**GROUNDS, **REFUSALS}[choice.value]
    assert str(choice.label).startswith(f"{provision.article}:")


def test_the_letters_are_in_every_language_that_can_be_chosen() -> None:
    assert set(LOCALES) == available()


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_code_has_a_sentence_of_its_own(code: str) -> None:
    words = words_of(code)
    assert (set(words.grounds), set(words.refusals), set(words.extensions)) == (
        set(GROUNDS),
        set(REFUSALS),
        set(EXTENSIONS),
    )
    sentences = [*words.grounds.values(), *words.refusals.values(), *words.extensions.values()]
    assert len(set(sentences)) == len(sentences)
    assert all(sentence[0].isupper() and sentence.endswith(".") and "  " not in sentence for sentence in sentences)


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_no_sentence_was_left_in_english(code: str) -> None:
    english, words = words_of("en"), words_of(code)
    for theirs, ours in zip(
        (words.grounds, words.refusals, words.extensions),
        (english.grounds, english.refusals, english.extensions),
        strict=True,
    ):
        assert not set(theirs.values()) & set(ours.values())


CITED = {
    "en": ("Art. 17(3)(e) GDPR", "Art. 12(5) GDPR", "Art. 11 GDPR"),
    "de": ("Art. 17 Abs. 3 Buchst. e DSGVO", "Art. 12 Abs. 5 DSGVO", "Art. 11 DSGVO"),
    "fr": ("article 17, paragraphe 3, point e), du RGPD", "article 12, paragraphe 5, du RGPD", "article 11 du RGPD"),
    "es": ("artículo 17, apartado 3, letra e), del RGPD", "artículo 12, apartado 5, del RGPD", "artículo 11 del RGPD"),
}


@pytest.mark.parametrize("code", LANGUAGES)
def test_articles_are_named_as_each_language_does(code: str) -> None:
    places = (Article(number=17, paragraph=3, letter="e"), Article(number=12, paragraph=5), Article(number=11))
    cited = tuple(words_of(code).cite(place).replace("\N{NO-BREAK SPACE}", " ") for place in places)
    assert cited == CITED[code]


LOCALES_AND_LANGUAGES = {
    "a region": ("de-AT", "de"),
    "an underscore": ("fr_CA", "fr"),
    "capitals": ("ES", "es"),
    "a language that is not there": ("nl", "en"),
    "nothing": ("", "en"),
}


@pytest.mark.parametrize(("locale", "code"), LOCALES_AND_LANGUAGES.values(), ids=LOCALES_AND_LANGUAGES.keys())
def test_a_locale_finds_its_language_or_english(locale: str, code: str) -> None:
    assert words_of(locale) is words_of(code)
