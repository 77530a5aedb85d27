"""An address that a controller gives is written down: none is taken that says whom it is about, however it says it."""

import base64
import hashlib
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.controllers import callback_addresses
from compliance.controllers.named_identities import is_named
from compliance.opendsr.errors import MessageError
from compliance.opendsr.identities import Identity, IdentityKind
from compliance.opendsr.vocabulary import IdentityFormat, IdentityType

HOST = "controller.example"
ANN = "Ann@example.org"
KIND = IdentityKind(IdentityType.EMAIL, IdentityFormat.RAW)


def quoted(text: str, times: int) -> str:
    for _ in range(times):
        text = quote(text, safe="")
    return text


def sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


NAMED = {
    "in clear": ANN,
    "in capitals": ANN.upper(),
    "encoded once": quoted(ANN, 1),
    "encoded twice": quoted(ANN, 2),
    "encoded five times": quoted(ANN, 5),
    "every letter encoded": "".join(f"%{byte:02x}" for byte in ANN.encode()),
    "every letter encoded twice": "".join(f"%25{byte:02X}" for byte in ANN.encode()),
    "Base64": base64.b64encode(ANN.encode()).decode(),
    "Base64 without padding": base64.b64encode(ANN.encode()).decode().rstrip("="),
    "Base64 that is encoded": quoted(base64.b64encode(ANN.lower().encode()).decode(), 2),
    "Base64 inside Base64's path": "a/" + base64.b64encode(ANN.encode()).decode(),
    "Base16": ANN.encode().hex(),
    "Base16 in capitals": ANN.lower().encode().hex().upper(),
    "SHA-256": sha256(ANN).hex(),
    "SHA-256 in lower case": sha256(ANN.lower()).hex(),
    "SHA-256 in capitals": sha256(ANN.lower()).hex().upper(),
    "SHA-256 in Base64": quoted(base64.b64encode(sha256(ANN.lower())).decode(), 1),
    "SHA-256 in Base64 for addresses": base64.urlsafe_b64encode(sha256(ANN.lower())).decode().rstrip("="),
    "SHA-512": hashlib.sha512(ANN.lower().encode()).hexdigest(),
    "SHA-1": hashlib.sha1(ANN.lower().encode(), usedforsecurity=False).hexdigest(),
    "MD5, as pictures of people have it": hashlib.md5(ANN.lower().encode(), usedforsecurity=False).hexdigest(),
}
UNNAMED = {
    "a number of the controller's": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    "the digest of somebody else": sha256("bob@example.org").hex(),
    "somebody else in Base64": base64.b64encode(b"bob@example.com").decode(),
    "the domain": "example.org",
    "signs that are no encoding": "100%25%zz%",
}


@pytest.mark.parametrize("form", [f"https://{HOST}/{{}}", f"https://{HOST}/x?of={{}}&status=1"], ids=["path", "query"])
@pytest.mark.parametrize("text", NAMED.values(), ids=NAMED)
def test_an_address_with_an_identity_in_it_is_refused(text: str, form: str) -> None:
    with pytest.raises(MessageError, match="an address without an identity in it") as refused:
        callback_addresses.allowed([form.format(text)], {HOST}, [Identity(KIND, ANN)])
    assert text not in str(refused.value)


@pytest.mark.parametrize("text", UNNAMED.values(), ids=UNNAMED)
def test_other_addresses_are_taken(text: str) -> None:
    url = f"https://{HOST}/{text}"
    assert callback_addresses.allowed([url], {HOST}, [Identity(KIND, ANN)]) == [url]


@pytest.mark.parametrize("told", ["ann@bücher.example", "ann@xn--bcher-kva.example", "ANN@BÜCHER.EXAMPLE"])
@pytest.mark.parametrize("written", ["ann@bücher.example", "ann@xn--bcher-kva.example"])
def test_each_spelling_of_an_international_domain_is_recognised(told: str, written: str) -> None:
    assert is_named(f"https://{HOST}/{quoted(written, 2)}", [Identity(KIND, told)])


ENCODERS: list[Callable[[bytes], bytes]] = [base64.b64encode, base64.urlsafe_b64encode, base64.b16encode]


@given(
    before=st.binary(max_size=5),
    after=st.binary(max_size=5),
    folder=st.text("abc012/", max_size=5),
    encode=st.sampled_from(ENCODERS),
)
def test_an_identity_within_a_longer_text_is_found_wherever_that_begins(
    before: bytes, after: bytes, folder: str, encode: Callable[[bytes], bytes]
) -> None:
    text = encode(before + ANN.encode() + after).decode().rstrip("=")
    assert is_named(f"https://{HOST}/{folder}{text}", [Identity(KIND, ANN)])


def test_a_short_identity_is_not_seen_in_letters_that_hold_it_by_chance() -> None:
    assert not is_named(f"https://{HOST}/8e03978e40d543ddbc936894a57f9324", [Identity(KIND, "e@")])
