"""How a letter speaks, apart from its templates: one file of `languages/` each, named by its code; nothing lists them."""

import functools
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import import_module

from compliance.law.words import nearest
from compliance.letters import languages
from compliance.letters.parts import Assurance


@dataclass(frozen=True, kw_only=True)
class Language:
    """`date` writes a day out. `authority` and `court` stand where the settings name none.

    Each assurance is said in a sentence that claims no more than the signed claim does (evidence/statement.py);
    `unconfirmed` takes its place where the audits failed. `typography` is applied to the whole letter.
    """

    code: str
    date: Callable[[date], str]
    assurances: Mapping[Assurance, str]
    unconfirmed: str
    authority: str
    court: str
    typography: Callable[[str], str] = str


def language_of(locale: str) -> Language:
    """The language of a locale such as `de` or `de-AT`; English where it is not there."""
    return _language(nearest(locale, available()))


@functools.cache
def available() -> frozenset[str]:
    """The codes of the languages there are."""
    return frozenset(module.name for module in pkgutil.iter_modules(languages.__path__))


@functools.cache
def _language(code: str) -> Language:
    language: Language = import_module(f"{languages.__name__}.{code}").LANGUAGE
    return language
