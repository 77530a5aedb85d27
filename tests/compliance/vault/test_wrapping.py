"""Sealing and wrapping: what does not open, and that everything else comes back as it was."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.vault import local_key, sealing
from compliance.vault.errors import VaultError
from compliance.vault.local_key import LocalKey
from compliance.vault.wrapping import KEY_ID_CHARACTERS, bound, id_of_key, id_of_uri, unbound

KEY, OTHER = sealing.new_key(), sealing.new_key()
BOX = sealing.seal(KEY, b"words", b"context")

UNOPENED = {
    "another key": (OTHER, BOX, b"context"),
    "another context": (KEY, BOX, b"another"),
    "no context": (KEY, BOX, b""),
    "nothing": (KEY, b"", b"context"),
    "a nonce alone": (KEY, BOX[:12], b"context"),
    "a byte less": (KEY, BOX[:-1], b"context"),
    "a byte more": (KEY, BOX + b"\0", b"context"),
    "another nonce": (KEY, bytes(12) + BOX[12:], b"context"),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in UNOPENED.items()])
def test_nothing_else_opens_a_box(case: tuple[bytes, bytes, bytes]) -> None:
    with pytest.raises(VaultError):
        sealing.unseal(*case)


@given(st.binary(max_size=200), st.binary(max_size=40), st.integers(min_value=0))
def test_a_box_opens_as_it_was_and_with_any_bit_turned_not_at_all(plain: bytes, context: bytes, bit: int) -> None:
    box = sealing.seal(KEY, plain, context)
    assert sealing.unseal(KEY, memoryview(box), context) == plain
    turned = bytearray(box)
    turned[bit // 8 % len(box)] ^= 1 << bit % 8
    with pytest.raises(VaultError):
        sealing.unseal(KEY, bytes(turned), context)


def test_the_same_words_are_never_sealed_alike() -> None:
    assert len({sealing.seal(KEY, b"words", b"") for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"c2hvcnQ=", id="too short"),
        pytest.param(b"A" * 44 + b"=", id="too long"),
        pytest.param(b"secret words, no base64", id="no base64"),
    ],
)
def test_a_text_that_is_no_key_is_refused_and_not_repeated(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"base64|32 bytes") as refused:
        local_key.parse(text)
    assert not text or text.decode() not in str(refused.value)


def test_another_key_or_context_opens_no_wrapped_key_and_the_message_names_the_key_by_its_id() -> None:
    master = LocalKey(KEY)
    wrapped = master.wrap(OTHER, b"row 1")
    with pytest.raises(VaultError, match=master.key_id):
        master.unwrap(wrapped, b"row 2")
    with pytest.raises(VaultError):
        LocalKey(OTHER).unwrap(wrapped, b"row 1")
    assert master.unwrap(wrapped, b"row 1") == OTHER


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), st.binary(max_size=40))
def test_a_key_comes_back_from_its_text_and_opens_what_it_wrapped(key: bytes, data_key: bytes, context: bytes) -> None:
    master = local_key.parse(local_key.to_text(LocalKey(key)))
    assert master.unwrap(LocalKey(key).wrap(data_key, context), context) == data_key


@given(st.binary(min_size=32, max_size=32))
def test_an_id_is_of_its_key_and_shows_nothing_of_it(key: bytes) -> None:
    key_id = id_of_key(key)
    assert len(key_id) == KEY_ID_CHARACTERS
    assert key_id != key.hex()[:KEY_ID_CHARACTERS]
    assert repr(key) not in repr(LocalKey(key)) and key_id != id_of_key(secrets.token_bytes(32))


def test_a_key_and_a_uri_of_the_same_bytes_have_two_ids() -> None:
    assert id_of_uri("hv:expunge/1 of 32 characters, ok") != id_of_key(b"hv:expunge/1 of 32 characters, ok"[:32])


@given(st.binary(max_size=64), st.binary(max_size=64), st.binary(max_size=64))
def test_what_a_service_is_given_is_bound_to_its_context(data_key: bytes, context: bytes, another: bytes) -> None:
    assert unbound(bound(data_key, context), context) == data_key
    if context != another:
        with pytest.raises(VaultError):
            unbound(bound(data_key, context), another)


@pytest.mark.parametrize("answer", [b"", b"short", bytes(64)])
def test_an_answer_that_was_not_bound_is_refused(answer: bytes) -> None:
    with pytest.raises(VaultError):
        unbound(answer, b"context")
