"""What an auditor pins as an authority is a certificate in every place, or nobody is trusted."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from compliance.evidence import canonical, timestamp, timestamp_chain, trust
from compliance.evidence.__main__ import main
from compliance.evidence.errors import ExitCode, TimestampError

from .export_story import ExportStory, lay_out
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


def replaced(holder: Holder, old: str, new: str) -> str:
    """The same certificate with some bytes, given in hex, replaced."""
    der = holder.certificate.public_bytes(serialization.Encoding.DER)
    assert bytes.fromhex(old) in der
    return ssl.DER_cert_to_PEM_cert(der.replace(bytes.fromhex(old), bytes.fromhex(new)))


def of_version_six(holder: Holder) -> str:
    return replaced(holder, "a003020102", "a003020105")


def signed_otherwise(holder: Holder) -> str:
    """With a signature algorithm that nobody knows."""
    return replaced(holder, "06082a8648ce3d040302", "06082a8648ce3d040342")


def test_a_certificate_under_an_unknown_signature_was_issued_by_nobody(authority: Authority) -> None:
    odd = x509.load_pem_x509_certificate(signed_otherwise(authority.signer).encode())
    assert not timestamp_chain.is_issued_by(odd, authority.root.certificate)
    assert timestamp_chain.is_issued_by(authority.signer.certificate, authority.root.certificate)


def test_a_certificate_of_a_version_that_there_is_not_trusts_nobody(authority: Authority) -> None:
    with pytest.raises(TimestampError, match="time stamp authority"):
        timestamp.verify(authority.stamp(DATA), DATA, [of_version_six(authority.root)])


ODD_CERTIFICATES = [pytest.param(of_version_six, id="of version 6"), pytest.param(signed_otherwise, id="signed oddly")]


@pytest.mark.parametrize("odd", ODD_CERTIFICATES)
def test_an_odd_certificate_in_the_export_or_in_the_pinned_file_is_refused_in_a_sentence(
    odd: Callable[[Holder], str],
    authority: Authority,
    exported: ExportStory,
    export_files: dict[str, bytes],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mine = tmp_path / "trust.json"
    mine.write_bytes(trust.write(exported.trust))
    pems = [authority.root.pem, odd(authority.signer)]
    value = canonical.loads(mine.read_bytes()) | {"timestamp_authorities": [pems]}
    theirs = canonical.dumps(value)
    folder = lay_out({**export_files, "trust.json": theirs}, tmp_path / "export")
    genuine = lay_out(export_files, tmp_path / "genuine")
    (tmp_path / "odd.json").write_bytes(theirs)
    in_export = main(["verify", str(folder), "--trust", str(mine)])
    pinned = main(["verify", str(genuine), "--trust", str(tmp_path / "odd.json")])
    assert ExitCode.VERIFIED not in (in_export, pinned)
    assert capsys.readouterr().err.count("NOT VERIFIED") == 2


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
