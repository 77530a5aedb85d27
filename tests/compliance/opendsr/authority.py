"""A certificate authority made for a test: real certificates, with any one thing wrong.

Keys are made once for a run, as large ones take their time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from compliance.evidence import key_files
from compliance.opendsr import signing_identity
from compliance.opendsr.certificates import TrustPolicy
from compliance.opendsr.signing_identity import SigningIdentity

AT = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
VALID_FROM, VALID_UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
DOMAIN = "opendsr.processor.example"
LIST_URL = "http://authority.example/processors.crl"

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(n_bits: int = 2048, name: str = "processor") -> rsa.RSAPrivateKey:
    """The key of this name and size, the same for the whole run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=n_bits)


@cache
def ec_key(name: str) -> ec.EllipticCurvePrivateKey:
    """An elliptic key: quick to make, for authorities."""
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What the processor's certificate says."""

    names: tuple[str, ...] = (DOMAIN,)
    common_name: str = "Example processor"
    valid_from: datetime = VALID_FROM
    valid_until: datetime = VALID_UNTIL
    purposes: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.SERVER_AUTH,)
    list_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class ListTerms:
    """What a revocation list says."""

    revoked: tuple[x509.Certificate, ...] = ()
    updated_at: datetime = AT - timedelta(days=1)
    next_at: datetime = AT + timedelta(days=6)
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ()
    digest: hashes.SHA224 | hashes.SHA256 = field(default_factory=hashes.SHA256)


@dataclass(frozen=True)
class Issuer:
    """A certificate that may issue others, and its key."""

    certificate: x509.Certificate
    key: Key

    def issue(self, key: Key, terms: Terms | None = None) -> x509.Certificate:
        """A certificate of a processor."""
        terms = terms or Terms()
        builder = _builder(terms.common_name, key, self.certificate.subject, terms)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        if terms.names:
            names = [x509.DNSName(name) for name in terms.names]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if terms.list_url:
            point = x509.DistributionPoint([x509.UniformResourceIdentifier(terms.list_url)], None, None, None)
            builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(terms.purposes), critical=False)
        return builder.add_extension(_authority_key(self.key), critical=False).sign(self.key, hashes.SHA256())

    def list(self, terms: ListTerms | None = None) -> x509.CertificateRevocationList:
        """A revocation list."""
        terms = terms or ListTerms()
        builder = x509.CertificateRevocationListBuilder(self.certificate.subject, terms.updated_at, terms.next_at)
        for certificate in terms.revoked:
            revoked = x509.RevokedCertificateBuilder(certificate.serial_number, AT - timedelta(days=2)).build()
            builder = builder.add_revoked_certificate(revoked)
        for extension, is_critical in terms.extensions:
            builder = builder.add_extension(extension, critical=is_critical)
        return builder.sign(self.key, terms.digest)


@dataclass(frozen=True)
class Authority:
    """A root, and an issuer under it that signs the certificates of processors."""

    root: Issuer
    between: Issuer

    def chain(self, key: Key | None = None, terms: Terms | None = None) -> tuple[x509.Certificate, ...]:
        """What a processor publishes: its own certificate and the one between."""
        return self.between.issue(key or rsa_key(), terms), self.between.certificate

    def identity(
        self, domain: str = DOMAIN, key: rsa.RSAPrivateKey | None = None, terms: Terms | None = None
    ) -> SigningIdentity:
        """A processor that can sign."""
        key, terms = key or rsa_key(), terms or Terms()
        return signing_identity.checked(domain, key, self.chain(key, replace(terms, names=(domain,))))

    def policy(
        self, *domains: str, lists: Sequence[x509.CertificateRevocationList] = (), allows_wildcards: bool = False
    ) -> TrustPolicy:
        """A receiver that trusts this root alone."""
        return TrustPolicy(
            domains=frozenset(domains or (DOMAIN,)),
            authorities=(self.root.certificate,),
            revocation_lists=tuple(lists),
            allows_wildcards=allows_wildcards,
        )


def new_authority(name: str = "Example", *, signs_lists: bool = True, valid_until: datetime = VALID_UNTIL) -> Authority:
    """An authority whose certificates are valid at AT and until then."""
    root_key, key = ec_key(f"{name} root"), ec_key(f"{name} issuer")
    root = Issuer(_issuer_certificate(f"{name} root", root_key, None, valid_until=valid_until), root_key)
    between = _issuer_certificate(f"{name} issuer", key, root, signs_lists=signs_lists, valid_until=valid_until)
    return Authority(root, Issuer(between, key))


def self_signed(key: rsa.RSAPrivateKey, terms: Terms | None = None) -> x509.Certificate:
    """A certificate that nobody but its holder issued."""
    terms = terms or Terms()
    holder = replace(terms, names=())
    me = Issuer(_builder(terms.common_name, key, None, holder).sign(key, hashes.SHA256()), key)
    return me.issue(key, terms)


def lay_out(identity: SigningIdentity, folder: Path) -> tuple[Path, Path]:
    """The files of an identity: the key, which its owner alone can read, and the chain."""
    key_path, chain_path = folder / "opendsr.key", folder / "opendsr.pem"
    key_files.write(key_path, identity.key)
    chain_path.write_bytes(identity.chain_pem())
    return key_path, chain_path


def pem_of(*certificates: x509.Certificate) -> bytes:
    """Certificates one after the other."""
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)


def _issuer_certificate(
    name: str, key: Key, issuer: Issuer | None, *, signs_lists: bool = True, valid_until: datetime = VALID_UNTIL
) -> x509.Certificate:
    terms = Terms(common_name=name, valid_from=VALID_FROM - timedelta(days=900), valid_until=valid_until)
    builder = _builder(name, key, issuer.certificate.subject if issuer else None, terms)
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=signs_lists,
        encipher_only=False,
        decipher_only=False,
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(usage, critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    signer = issuer.key if issuer else key
    return builder.add_extension(_authority_key(signer), critical=False).sign(signer, hashes.SHA256())


def _builder(name: str, key: Key, issuer: x509.Name | None, terms: Terms) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return x509.CertificateBuilder(
        issuer_name=issuer or subject,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=terms.valid_from,
        not_valid_after=terms.valid_until,
    )


def _authority_key(key: Key) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
