"""A processor's own key and certificate, loaded once and refused while nobody waits for an answer.

Next: compliance/opendsr/signatures.py
"""

from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from compliance.evidence import key_files
from compliance.opendsr import addresses, certificates, signatures
from compliance.opendsr.dialect import Dialect
from compliance.opendsr.errors import DomainMissingError, KeyMismatchError, OtherKeyKindError


@dataclass(frozen=True, kw_only=True)
class SigningIdentity:
    """Who signs: a domain, its RSA key, and the certificate with those between it and the authority."""

    domain: str
    key: rsa.RSAPrivateKey = field(repr=False)
    chain: tuple[x509.Certificate, ...]

    def headers(self, body: bytes, dialect: Dialect) -> dict[str, str]:
        """The headers that make this body a signed one."""
        return signatures.headers(body, self.key, self.domain, dialect)

    def chain_pem(self) -> bytes:
        """What is published under `processor_certificate`."""
        return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in self.chain)


def load(domain: str, key_path: Path, chain_path: Path) -> SigningIdentity:
    """The identity in two files; the key file is one that its owner alone can read.

    Whether receivers trust the authority is theirs to judge, and so is the time.
    Raises KeyFileError, OSError, DomainMissingError, MalformedCertificateError, OtherKeyKindError, WeakKeyError,
    KeyMismatchError, SelfSignedError, OtherDomainError, WildcardError.
    """
    return checked(domain, load_key(key_path), certificates.load_chain(chain_path))


def load_key(path: Path) -> rsa.RSAPrivateKey:
    """The RSA key in a PEM file; raises KeyFileError, OtherKeyKindError, WeakKeyError."""
    key = key_files.load(path)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise OtherKeyKindError(f"{path} should hold an RSA key of {signatures.MIN_KEY_BITS} bits or more.")
    signatures.strong_rsa(key.public_key())
    return key


def checked(domain: str, key: rsa.RSAPrivateKey, chain: tuple[x509.Certificate, ...]) -> SigningIdentity:
    """The identity, if the certificate is for this key and this domain; raises as `load` does."""
    try:
        name = addresses.parse_domain(domain)
    except ValueError as error:
        raise DomainMissingError(f"The processor's domain: {error}.") from error
    if chain[0].public_key() != key.public_key():
        raise KeyMismatchError("The certificate is for another key than the one in the key file.")
    signatures.strong_rsa(key.public_key())
    certificates.refuse_self_signed(chain[0])
    certificates.refuse_other_domain(chain[0], name)
    return SigningIdentity(domain=name, key=key, chain=chain)
