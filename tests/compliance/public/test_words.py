"""Every language says everything, in its own words, and nothing is said that no page needs."""

import re
import string
from pathlib import Path

import pytest
from django.conf import settings
from django.forms import Form

from compliance.letters.language import available as languages_of_letters
from compliance.public import forms
from compliance.public.words import available, preferred, words_of
from compliance.requests.choices import LOCALES
from compliance.requests.errors import RequestError
from compliance.requests.models import Letter, Regulation
from compliance.requests.states import RequestState

OTHERS = [code for code in available() if code != "en"]
#: What is spelled alike in two languages.
SAME_IN_ENGLISH: dict[str, set[str]] = {"de": {"letter_identity"}, "fr": {"dates_title"}, "es": set()}
#: Preferences of browsers, and the language that they get.
PREFERENCES = {
    "": "en",
    "*": "en",
    "de": "de",
    "de-AT,de;q=0.9,en;q=0.8": "de",
    "pt-BR,es;q=0.5,fr;q=0.4": "es",
    "en;q=0.1,FR-ca;q=0.7": "fr",
    "tlh": "en",
    "\x00;;q=x": "en",
    "de;q=0": "en",
}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_a_language_or_a_text_that_is_not_there_is_refused() -> None:
    with pytest.raises(KeyError):
        words_of("tlh")
    with pytest.raises(KeyError):
        words_of("en").text("no_such_text")
    with pytest.raises(KeyError):
        words_of("en").text("receipt_text")


def test_the_pages_are_in_the_languages_of_the_letters() -> None:
    assert available() == LOCALES
    assert set(available()) == languages_of_letters()


@pytest.mark.parametrize("code", OTHERS)
def test_a_language_has_the_texts_of_english_with_the_same_values(code: str) -> None:
    english, other = words_of("en").texts, words_of(code).texts
    assert list(other) == list(english)
    assert {key: placeholders(text) for key, text in other.items()} == {
        key: placeholders(text) for key, text in english.items()
    }


@pytest.mark.parametrize("code", OTHERS)
def test_nothing_was_left_in_english(code: str) -> None:
    english, other = words_of("en").texts, words_of(code).texts
    assert {key for key, text in other.items() if text == english[key]} == SAME_IN_ENGLISH[code]


@pytest.mark.parametrize("code", available())
def test_texts_are_plain_and_whole(code: str) -> None:
    for key, text in words_of(code).texts.items():
        assert text == text.strip() and text, key
        assert not re.search(r"[<>\n&]|  ", text), key
        if key.startswith(("text_", "next_", "error_field_", "because_", "done_")):
            assert text[-1] in ".?", key


def test_every_text_is_used() -> None:
    root = Path(settings.ROOT)
    sources = [*(root / "compliance/public").rglob("*.py"), *(root / "templates/public").rglob("*.html")]
    sources.append(root / "compliance/identity/views.py")
    texts = " ".join(path.read_text() for path in sources if "languages" not in path.parts)
    named = set(re.findall(r"[\"']([a-z_0-9]+)[\"']", texts))
    fields = {name for form in _forms() for name in form.base_fields}
    codes = ("required", "invalid", "invalid_choice", "max_length", "null_characters_not_allowed")
    made = {f"{part}_{state}" for part in ("state", "next") for state in RequestState.values}
    made |= {f"letter_{kind}" for kind in Letter.Kind.values} | {
        f"result_{code}" for code in ("passed", "warned", "failed")
    }
    made |= {f"{part}_{code}" for part in ("regulation", "because") for code in Regulation.values}
    made |= {
        f"{part}_{name}"
        for part in ("label", "hint", "way", "kind")
        for name in (*fields, "email", "email_code", "oidc")
    }
    made |= {f"error_{name}_{code}" for name in (*fields, "field") for code in codes}
    errors: list[type[RequestError]] = [RequestError, *RequestError.__subclasses__()]
    made |= {f"error_{kind.code}" for kind in errors}
    made |= {f"{part}_{name}" for part in ("title", "text") for name in named}
    assert {key for key in words_of("en").texts if key not in named | made} == set()


@pytest.mark.parametrize("header", PREFERENCES)
def test_a_browser_gets_the_first_of_its_languages_that_is_there(header: str) -> None:
    assert preferred(header) == PREFERENCES[header]


def test_french_keeps_its_signs_of_punctuation_on_the_line() -> None:
    text = words_of("fr").text("ask_us", contact="x")
    assert text == "Des questions\N{NO-BREAK SPACE}? x"


def _forms() -> list[type[Form]]:
    return [forms.AskForm, forms.OpenForm, forms.CodeForm, forms.AnswerForm, forms.ComplaintForm]
