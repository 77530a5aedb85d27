"""What an auditor pins as an authority is a certificate in every place, or nobody is trusted."""

import ssl

import pytest
from cryptography.hazmat.primitives import serialization

from compliance.evidence import timestamp
from compliance.evidence.errors import TimestampError

from .stamping import AT, Authority, Holder, new_authority

DATA = b"a signature over evidence"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return new_authority()


NO_AUTHORITIES: dict[str, tuple[str, ...]] = {
    "nothing": (),
    "no certificate": ("hello",),
    "an empty text": ("",),
    "a certificate that is cut off": ("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",),
    "a text that is not even Unicode": ("\ud800",),
}


@pytest.mark.parametrize("name", NO_AUTHORITIES)
def test_what_is_no_authority_trusts_nobody(name: str, authority: Authority) -> None:
    with pytest.raises(TimestampError, match="time stamp authority"):
        timestamp.verify(authority.stamp(DATA), DATA, NO_AUTHORITIES[name])


def numbered_below_one(holder: Holder) -> str:
    """The same certificate with a negative number."""
    der = bytearray(holder.certificate.public_bytes(serialization.Encoding.DER))
    number = holder.certificate.serial_number
    der[bytes(der).index(number.to_bytes((number.bit_length() + 8) // 8))] = 0x80
    return ssl.DER_cert_to_PEM_cert(bytes(der))


def test_a_certificate_with_a_number_below_one_is_refused_without_a_warning(authority: Authority) -> None:
    """The parser of certificates takes it, but warns whoever runs the program."""
    token, root, signer = authority.stamp(DATA), authority.root, authority.signer
    for pems in ([numbered_below_one(root), signer.pem], [root.pem, numbered_below_one(signer)]):
        with pytest.raises(TimestampError, match="number below one"):
            timestamp.verify(token, DATA, pems)
    assert timestamp.verify(token, DATA, [root.pem, signer.pem]) == AT
