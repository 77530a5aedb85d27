"""Parts and a language become a letter; one that lacks a mandatory part does not come about.

Next to read: templates/letters/en/
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.template import Context, Engine

from compliance.evidence.verdict import Result
from compliance.law.provisions import Article, Provision
from compliance.law.words import Words, words_of
from compliance.letters.errors import InvalidPartError
from compliance.letters.language import Language, language_of
from compliance.letters.layout import is_one_line, laid_out, paragraphs
from compliance.letters.parts import KINDS, Outcome, Parts, Text, refuse_incomplete

# Stands in the text where a template names what is not there; no part can hold it.
_UNKNOWN = "\x00"
_CITED = {
    "answer": Article(number=12, paragraph=3),
    "refusal": Article(number=12, paragraph=4),
    "recipients": Article(number=19),
    "complaint": Article(number=77),
    "court": Article(number=79),
}


@dataclass(frozen=True, kw_only=True)
class Composed:
    """A letter as it is mailed: plain text in lines of at most 78 characters, words longer than that excepted."""

    kind: str
    locale: str
    subject: str
    body: str

    @property
    def payload(self) -> dict[str, str]:
        """What `request.notified` commits to; `body_of` says which bytes are hashed."""
        return {"kind": self.kind, "locale": self.locale, "body_sha256": sha256(body_of(self.body)).hexdigest()}


def body_of(text: str) -> bytes:
    """The bytes of a letter that are hashed, the same for the sender and for whoever kept the mail.

    UTF-8, lines ended by a line feed and without space at their end, no empty lines at beginning and end.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    return ("\n".join(line.rstrip(" \t") for line in lines).strip("\n") + "\n").encode()


def compose(kind: str, locale: str, parts: Parts) -> Composed:
    """The letter in the language of this locale, or in English.

    Raises MissingPartError, and InvalidPartError for parts of another kind or with a line break where one line is meant.
    """
    if type(parts) is not KINDS.get(kind):
        raise InvalidPartError(f"Expected the parts of a letter of the kind {kind!r}, found {type(parts).__name__}.")
    refuse_incomplete(kind, parts)
    language, words = language_of(locale), words_of(locale)
    shown = {**_members(parts, language, words, parts.frame.is_gdpr), "cite": _citations(words, parts.frame.is_gdpr)}
    text = _engine().get_template(f"{language.code}/{kind}.txt").render(Context(shown, autoescape=False))
    if _UNKNOWN in text:
        raise LookupError(f"templates/letters/{language.code}/{kind}.txt names something that is no part of {kind}.")
    subject, _, body = language.typography(text.strip()).partition("\n")
    return Composed(kind=kind, locale=language.code, subject=subject, body=laid_out(body))


@functools.cache
def _engine() -> Engine:
    """Apart from the engine of the pages: letters are plain text, and nothing in them is escaped."""
    return Engine(dirs=[str(settings.ROOT / "templates" / "letters")], autoescape=False, string_if_invalid=_UNKNOWN)


def _citations(words: Words, is_gdpr: bool) -> Mapping[str, str]:
    """Articles in brackets, with the space before; empty under another law than the GDPR."""
    return {name: f" ({words.cite(article)})" if is_gdpr else "" for name, article in _CITED.items()}


def _members(parts: object, language: Language, words: Words, is_gdpr: bool) -> dict[str, Any]:
    """The fields of a dataclass as templates see them."""
    shown = {
        field.name: _shown(getattr(parts, field.name), language, words, is_gdpr)
        for field in fields(parts)  # type: ignore[arg-type]  # only dataclasses come here
    }
    if isinstance(parts, Outcome):
        is_failed = parts.result is Result.FAILED
        shown["in_words"] = language.unconfirmed if is_failed else language.assurances[parts.assurance]
        shown["is_warned"] = parts.result is Result.WARNED
    return shown


def _shown(value: object, language: Language, words: Words, is_gdpr: bool) -> Any:
    if isinstance(value, Provision):
        said = {**words.grounds, **words.refusals, **words.extensions}[value.code]
        return f"{said.removesuffix('.')} ({words.cite(value.article)})." if is_gdpr else said
    if is_dataclass(value):
        return _members(value, language, words, is_gdpr)
    if isinstance(value, tuple):
        return [_shown(member, language, words, is_gdpr) for member in value]
    if isinstance(value, date):
        return language.date(value)
    if isinstance(value, Text):
        return paragraphs(value)
    if isinstance(value, str) and not is_one_line(value):
        raise InvalidPartError(f"Expected one line without control characters, found {value!r}.")
    return value
