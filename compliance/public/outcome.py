"""What came of a request, in the words of the letter that tells it: a page claims neither more nor less than a letter.

The letter is composed from the rows as they are now, in the language of the page; nothing is stored.
"""

import re
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime

from compliance.letters.composition import compose
from compliance.letters.errors import LetterError
from compliance.public.words import Words
from compliance.requests.identities import VaultError
from compliance.requests.letter_parts import parts_of
from compliance.requests.models import DeletionRequest, Letter
from compliance.requests.states import TERMINAL, RequestState

_BULLET = "- "


@dataclass(frozen=True, kw_only=True)
class Block:
    """A paragraph, or the items of a list."""

    text: str = ""
    items: tuple[str, ...] = ()


def outcome_of(deletion: DeletionRequest, words: Words) -> list[Block]:
    """The letter about the end of a request as paragraphs and lists; empty while it is open.

    Empty, too, where its words cannot be had any more or not yet: shredded, sealed with a key that does not answer, or
    without the evidence that it would have to go by.
    """
    if RequestState(deletion.state) not in TERMINAL:
        return []
    shown = copy(deletion)
    # Authority and court are named in the language of the page, too; the row keeps that of its letters.
    shown.locale = words.code
    # Each end has a letter of its name.
    letter = Letter(request=shown, kind=Letter.Kind(deletion.state), created_at=datetime.now(tz=UTC))
    try:
        body = compose(letter.kind, words.code, parts_of(letter)).body
    except (LetterError, VaultError):
        return []
    return blocks_of(body)


def blocks_of(body: str) -> list[Block]:
    """The paragraphs of a letter (letters/layout.py), with the lines of each joined."""
    return [_block(text) for text in body.strip("\n").split("\n\n")]


def _block(text: str) -> Block:
    if not text.startswith(_BULLET):
        return Block(text=_joined(text))
    items = re.split(rf"\n(?={_BULLET})", text)
    return Block(items=tuple(_joined(item.removeprefix(_BULLET)) for item in items))


def _joined(text: str) -> str:
    return " ".join(line.strip(" ") for line in text.split("\n"))
