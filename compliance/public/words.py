"""How the pages speak: one file of `languages/` each, named by its code; nothing lists them.

Grounds and reasons come from `compliance.law`, days and assurances from `compliance.letters`: a page and a letter say the
same thing in the same words.
"""

import functools
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib import import_module

from django.utils.translation.trans_real import parse_accept_lang_header

from compliance.law import words as law
from compliance.letters.language import Language, language_of
from compliance.public import languages
from compliance.requests.choices import LOCALES
from compliance.requests.errors import RequestError


@dataclass(frozen=True, kw_only=True)
class Phrases:
    """What a file of `languages/` defines as `PHRASES`: the language's own name, and each text by its key.

    A text is plain, without markup; `{name}` is a value that the page puts in.
    """

    name: str
    texts: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Words:
    """Everything that a page in one language is made with."""

    code: str
    name: str
    texts: Mapping[str, str]
    law: law.Words
    letters: Language

    def text(self, key: str, **values: object) -> str:
        """The text of this key with the values put in; raises KeyError for a key or a value that is missing."""
        return self.texts[key].format(**values)

    def date(self, day: date) -> str:
        """A day, written out."""
        return self.letters.date(day)

    def refusal(self, error: RequestError) -> str:
        """What the person is told of an error, by its code. Its own words are for those who speak to the API."""
        return self.texts.get(f"error_{error.code}", self.texts["error_not_now"])


def available() -> tuple[str, ...]:
    """The codes of the languages there are, those that letters are in first, in their order."""
    return _available()


def words_of(code: str) -> Words:
    """The words of a language by its code; raises KeyError where it is not there."""
    if code not in available():
        raise KeyError(code)
    return _words(code)


def preferred(accept_language: str) -> str:
    """The language that a browser asks for (RFC 9110, section 12.5.4), or English."""
    for tag, weight in parse_accept_lang_header(accept_language):
        code = tag.partition("-")[0]
        # A weight of 0 says "not this one".
        if weight > 0 and code in available():
            return code
    return law.DEFAULT


@functools.cache
def _available() -> tuple[str, ...]:
    found = {module.name for module in pkgutil.iter_modules(languages.__path__)}
    return tuple(sorted(found, key=lambda code: (code not in LOCALES, [*LOCALES, code].index(code))))


@functools.cache
def _words(code: str) -> Words:
    phrases: Phrases = import_module(f"{languages.__name__}.{code}").PHRASES
    letters = language_of(code)
    texts = {key: letters.typography(text) for key, text in phrases.texts.items()}
    return Words(code=code, name=phrases.name, texts=texts, law=law.words_of(code), letters=letters)
