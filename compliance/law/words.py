"""How the law is said in a language: one file of `languages/` each, named by its ISO 639-1 code; nothing lists them."""

import functools
import pkgutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from importlib import import_module

from compliance.law import languages
from compliance.law.provisions import Article

DEFAULT = "en"


@dataclass(frozen=True, kw_only=True)
class Words:
    """`cite` names an article of the GDPR; the rest is a plain sentence for each code of `provisions`.

    The sentences speak of "the person" or of nobody: they are read by that person and by staff.
    """

    cite: Callable[[Article], str]
    grounds: Mapping[str, str]
    refusals: Mapping[str, str]
    extensions: Mapping[str, str]


def words_of(locale: str) -> Words:
    """The words for a locale such as `de` or `de-AT`; English where its language is not there."""
    return _words(nearest(locale, available()))


@functools.cache
def available() -> frozenset[str]:
    """The codes of the languages there are."""
    return frozenset(module.name for module in pkgutil.iter_modules(languages.__path__))


def nearest(locale: str, codes: Collection[str]) -> str:
    """The language of a locale if it is among the codes, else English. `de-AT`, `de_AT` and `DE` are all `de`."""
    code = locale.replace("_", "-").partition("-")[0].lower()
    return code if code in codes else DEFAULT


@functools.cache
def _words(code: str) -> Words:
    words: Words = import_module(f"{languages.__name__}.{code}").WORDS
    return words
