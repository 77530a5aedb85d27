"""Plain text for mail: paragraphs and lists in lines of at most 72 characters (RFC 5322 asks for at most 78)."""

import re
import textwrap
import unicodedata
from collections.abc import Iterator

WIDTH = 72
_BULLET = "- "


def laid_out(text: str) -> str:
    """Wrap each paragraph, drop empty ones, end with one line feed. A line that begins with "- " begins a list item.

    A single long word, such as a URL, keeps its line to itself. No-break spaces stay.
    """
    blocks = re.split(r"\n[ \t]*\n", unicodedata.normalize("NFC", text))
    wrapped = [paragraph for block in blocks if (paragraph := "\n".join(_wrapped(block)))]
    return "\n\n".join(wrapped) + "\n"


def paragraphs(text: str) -> str:
    """Free text with a paragraph a line, and without control and format characters."""
    lines = (_printable(line) for line in text.splitlines())
    return "\n\n".join(line for line in lines if line)


def is_one_line(text: str) -> bool:
    """Whether it is safe wherever one line is expected, a mail header included."""
    return not any(unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp", "Cs"} for character in text)


def _printable(line: str) -> str:
    return "".join(character if is_one_line(character) else " " for character in line).strip()


def _wrapped(block: str) -> Iterator[str]:
    for item in re.split(rf"\n(?=[ \t]*{_BULLET})", block):
        # Not `split()`: that also breaks at no-break spaces.
        words = " ".join(re.split(r"[ \t\n]+", item.strip(" \t\n")))
        indent = "  " if words.startswith(_BULLET) else ""
        yield from textwrap.wrap(words, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
