"""A letter's plain text becomes paragraphs and lists without losing or gaining a word."""

from hypothesis import given
from hypothesis import strategies as st

from compliance.letters.layout import laid_out
from compliance.public.outcome import Block, blocks_of

_WORDS = st.lists(st.text("abc.(—é", min_size=1, max_size=12), min_size=1, max_size=40).map(" ".join)
_LISTS = st.lists(_WORDS, min_size=1, max_size=4).map(tuple)


def test_a_letter_in_small() -> None:
    body = laid_out("Dear all,\n\n- one\n- two, which is " + "very " * 20 + "long\n\nYours")
    blocks = blocks_of(body)
    assert blocks[0] == Block(text="Dear all,")
    assert blocks[1].items[0] == "one"
    assert blocks[1].items[1] == "two, which is " + "very " * 20 + "long"
    assert blocks[2] == Block(text="Yours")


@given(st.lists(st.one_of(_WORDS, _LISTS), min_size=1, max_size=5))
def test_what_was_laid_out_is_taken_apart_again(parts: list[str | tuple[str, ...]]) -> None:
    text = "\n\n".join(part if isinstance(part, str) else "\n".join(f"- {item}" for item in part) for part in parts)
    expected = [Block(text=part) if isinstance(part, str) else Block(items=part) for part in parts]
    assert blocks_of(laid_out(text)) == expected
