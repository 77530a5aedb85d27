"""What reaches a terminal is text and nothing that steers it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.evidence import terminal


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("\x1b[2J", r"\x1b[2J", id="clear the screen"),
        pytest.param("\x9b2J", r"\x9b2J", id="the same in one character"),
        pytest.param("a\rb", r"a\rb", id="back to the start of the line"),
        pytest.param("a\nb", r"a\nb", id="a new line"),
        pytest.param("a\u2028b", r"a\u2028b", id="a line separator"),
        pytest.param("a\u202eb", r"a\u202eb", id="the other direction"),
        pytest.param("\udcff", r"\udcff", id="a byte that is no text"),
        pytest.param("\U000e0041", r"\U000e0041", id="an invisible tag"),
    ],
)
def test_characters_that_are_not_printed_are_escaped(text: str, shown: str) -> None:
    assert terminal.one_line(text) == shown


@given(st.text(st.characters()))
def test_any_text_is_printable_afterwards(text: str) -> None:
    assert terminal.one_line(text).isprintable()
    assert terminal.lines(text).count("\n") == text.count("\n")
    assert terminal.lines(text).replace("\n", "").isprintable()


@given(st.text(st.characters(exclude_categories=["C", "Z"])))
def test_plain_text_is_left_as_it_is(text: str) -> None:
    assert terminal.one_line(text) == text
    assert terminal.lines(f"Prüfung — {text}\n…") == f"Prüfung — {text}\n…"
