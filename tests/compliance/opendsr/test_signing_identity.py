"""A processor whose key and certificate do not go together does not start."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from compliance.evidence import key_files
from compliance.evidence.key_files import KeyFileError
from compliance.opendsr import certificates, signatures, signing_identity
from compliance.opendsr.dialect import OPENDSR_2
from compliance.opendsr.errors import (
    DomainMissingError,
    KeyMismatchError,
    MalformedCertificateError,
    OpenDsrError,
    OtherDomainError,
    OtherKeyKindError,
    SelfSignedError,
    WeakKeyError,
    WildcardError,
)

from .authority import AT, DOMAIN, Authority, Terms, ec_key, lay_out, rsa_key, self_signed

Pair = tuple[rsa.RSAPrivateKey, tuple[x509.Certificate, ...]]
REFUSED: dict[str, tuple[Callable[[Authority], Pair], type[OpenDsrError]]] = {
    "another key": (lambda ours: (rsa_key(name="stranger"), ours.chain()), KeyMismatchError),
    "another domain": (lambda ours: (rsa_key(), ours.chain(terms=Terms(names=("a.example",)))), OtherDomainError),
    "a wildcard": (lambda ours: (rsa_key(), ours.chain(terms=Terms(names=("*.processor.example",)))), WildcardError),
    "self-signed": (lambda _: (rsa_key(), (self_signed(rsa_key()),)), SelfSignedError),
    "a weak key": (lambda ours: (rsa_key(1024), ours.chain(rsa_key(1024))), WeakKeyError),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses_a_pair_that_receivers_would_refuse(name: str, authority: Authority) -> None:
    make, kind = REFUSED[name]
    with pytest.raises(kind):
        signing_identity.checked(DOMAIN, *make(authority))


@pytest.mark.parametrize("domain", ["", "localhost", "127.0.0.1", "a..example", "https://a.example", "ä.example"])
def test_it_refuses_what_is_no_domain(domain: str, authority: Authority) -> None:
    with pytest.raises(DomainMissingError):
        signing_identity.checked(domain, rsa_key(), authority.chain())


def test_it_refuses_a_key_file_that_others_can_read(authority: Authority, tmp_path: Path) -> None:
    key_path, chain_path = lay_out(authority.identity(), tmp_path)
    key_path.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        signing_identity.load(DOMAIN, key_path, chain_path)


def test_it_refuses_a_key_file_of_another_kind_or_size(tmp_path: Path) -> None:
    key_files.write(tmp_path / "elliptic.key", ec_key("processor"))
    key_files.write(tmp_path / "weak.key", rsa_key(1024))
    with pytest.raises(OtherKeyKindError, match="RSA"):
        signing_identity.load_key(tmp_path / "elliptic.key")
    with pytest.raises(WeakKeyError, match="1024"):
        signing_identity.load_key(tmp_path / "weak.key")


def test_it_refuses_a_file_without_certificates(authority: Authority, tmp_path: Path) -> None:
    key_path, chain_path = lay_out(authority.identity(), tmp_path)
    chain_path.write_bytes(key_path.read_bytes())
    with pytest.raises(MalformedCertificateError):
        signing_identity.load(DOMAIN, key_path, chain_path)


def test_what_is_loaded_signs_and_publishes_what_receivers_believe(authority: Authority, tmp_path: Path) -> None:
    identity = signing_identity.load(DOMAIN.upper(), *lay_out(authority.identity(), tmp_path))
    chain = certificates.parse_chain(identity.chain_pem())
    headers = identity.headers(b"body", OPENDSR_2)
    assert headers["X-OpenDSR-Processor-Domain"] == DOMAIN
    key = certificates.trusted_key(DOMAIN, chain, authority.policy(), AT)
    assert signatures.verify(b"body", headers["X-OpenDSR-Signature"], key)
    assert "PrivateKey" not in repr(identity)
