"""Time stamp authorities held in memory: real certificates and tokens, for any time, and with any one thing wrong.

Each edit of `Edits` is handed a part before it is signed or put into what surrounds it, so a refusal is due to that one
thing. Independent tests compare these tokens with those of OpenSSL.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from compliance.evidence import timestamp_syntax
from compliance.evidence.timestamp_syntax import (
    Attribute,
    CertificateId,
    EncapsulatedContent,
    HashAlgorithm,
    IssuerAndSerialNumber,
    MessageImprint,
    SignedData,
    SignerInfo,
    SigningCertificate,
    TimestampInfo,
    Token,
)

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
AT = datetime(2026, 5, 1, 12, 30, 0, tzinfo=UTC)
VALID_FROM, VALID_UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
SHA256 = "2.16.840.1.101.3.4.2.1"
ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2"
POLICY = x509.ObjectIdentifier("1.3.6.1.4.1.57264.2")


def algorithm(oid: str, *, is_null: bool = True) -> HashAlgorithm:
    """An algorithm with NULL, or without parameters."""
    return HashAlgorithm(algorithm=x509.ObjectIdentifier(oid), parameters=asn1.Null() if is_null else None)


def element(value: object) -> asn1.TLV:
    """Any value as one element."""
    return asn1.decode_der(asn1.TLV, asn1.encode_der(value))


def attribute(kind: x509.ObjectIdentifier, *values: object) -> Attribute:
    """An attribute with these values."""
    return Attribute(kind=kind, values=asn1.SetOf([element(value) for value in values]))


@dataclass(frozen=True, kw_only=True)
class CertificateTerms:
    """What a certificate says."""

    name: str = "Example TSA"
    is_authority: bool | None = False
    path_length: int | None = None
    purposes: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.TIME_STAMPING,)
    is_purpose_critical: bool = True
    signs: bool = True
    issues: bool = False
    valid_from: datetime = VALID_FROM
    valid_until: datetime = VALID_UNTIL
    digest: hashes.SHA224 | hashes.SHA256 = field(default_factory=hashes.SHA256)
    unknown: bytes | None = None


ROOT = CertificateTerms(name="Example root", is_authority=True, purposes=(), signs=False, issues=True)


@dataclass(frozen=True)
class Holder:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def issue(terms: CertificateTerms, issuer: Holder | None = None, key: Key | None = None) -> Holder:
    """A certificate on these terms; without an issuer it is its own."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, terms.name)])
    builder = x509.CertificateBuilder(
        issuer_name=name if issuer is None else issuer.certificate.subject,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=terms.valid_from,
        not_valid_after=terms.valid_until,
    )
    for extension, is_critical in _extensions(terms, key):
        builder = builder.add_extension(extension, critical=is_critical)
    return Holder(builder.sign(key if issuer is None else issuer.key, terms.digest), key)


def _extensions(terms: CertificateTerms, key: Key) -> list[tuple[x509.ExtensionType, bool]]:
    # Purposes first: whoever stops reading there would miss that the key must not sign.
    found: list[tuple[x509.ExtensionType, bool]] = []
    if terms.purposes:
        found.append((x509.ExtendedKeyUsage(terms.purposes), terms.is_purpose_critical))
    if terms.is_authority is not None:
        found.append((x509.BasicConstraints(terms.is_authority, terms.path_length), True))
    usage = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False)
    usage |= {"digital_signature": terms.signs, "key_cert_sign": terms.issues, "crl_sign": terms.issues}
    found.append((x509.KeyUsage(**usage, encipher_only=False, decipher_only=False), True))
    found.append((x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False))
    if terms.unknown is not None:
        found.append((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), terms.unknown), True))
    return found


def _nothing(_: object) -> None:
    """The genuine thing."""


@dataclass(frozen=True, kw_only=True)
class Edits:
    """What is done to each part on its way into a token."""

    info: Callable[[TimestampInfo], object] = _nothing
    content: Callable[[bytes], bytes] = lambda content: content
    attributes: Callable[[list[Attribute]], object] = _nothing
    signer: Callable[[SignerInfo], object] = _nothing
    signed: Callable[[SignedData], object] = _nothing
    token: Callable[[Token], object] = _nothing


GENUINE = Edits()


@dataclass(frozen=True)
class Authority:
    """A root, perhaps others, and the one that signs. `sent` are the certificates that its tokens carry."""

    root: Holder
    signer: Holder
    between: tuple[Holder, ...] = ()
    sent: tuple[Holder, ...] = ()

    @property
    def pems(self) -> tuple[str, ...]:
        """What an auditor pins: root first, signer last."""
        return tuple(holder.pem for holder in (self.root, *self.between, self.signer))

    def info(self, data: bytes, at: datetime, nonce: int | None) -> TimestampInfo:
        """What the authority says about these bytes."""
        return TimestampInfo(
            version=1,
            policy=POLICY,
            message_imprint=MessageImprint(hash_algorithm=algorithm(SHA256), hashed_message=sha256(data).digest()),
            serial_number=7,
            gen_time=asn1.GeneralizedTime(at),
            accuracy=None,
            ordering=False,
            nonce=nonce,
            authority=None,
            extensions=None,
        )

    def stamp(self, data: bytes, at: datetime = AT, *, nonce: int | None = None, edits: Edits = GENUINE) -> bytes:
        """A token as `timestamp.verify` takes it."""
        info = self.info(data, at, nonce)
        edits.info(info)
        content = edits.content(timestamp_syntax.encode(info))
        attributes = self.attributes(content)
        edits.attributes(attributes)
        signer = self.signer_info(attributes)
        edits.signer(signer)
        signed = SignedData(
            version=3,
            digest_algorithms=asn1.SetOf([algorithm(SHA256)]),
            content=EncapsulatedContent(content_type=timestamp_syntax.TST_INFO, content=content),
            certificates=[_as_element(holder) for holder in self.sent or (self.signer,)],
            signer_infos=asn1.SetOf([signer]),
        )
        edits.signed(signed)
        token = Token(content_type=timestamp_syntax.SIGNED_DATA, signed_data=signed)
        edits.token(token)
        return timestamp_syntax.bare(token)

    def attributes(self, content: bytes) -> list[Attribute]:
        """The attributes that are signed, in the order of their encodings."""
        bound = CertificateId(
            hash_algorithm=None,
            certificate_hash=self.signer.certificate.fingerprint(hashes.SHA256()),
            issuer_serial=None,
        )
        return [
            attribute(timestamp_syntax.CONTENT_TYPE, timestamp_syntax.TST_INFO),
            attribute(timestamp_syntax.MESSAGE_DIGEST, sha256(content).digest()),
            attribute(timestamp_syntax.SIGNING_CERTIFICATE_V2, SigningCertificate(certificates=[bound], policies=None)),
        ]

    def signer_info(self, attributes: list[Attribute]) -> SignerInfo:
        """The signature over these attributes."""
        certificate = self.signer.certificate
        issuer = asn1.decode_der(asn1.TLV, certificate.issuer.public_bytes())
        named = IssuerAndSerialNumber(issuer=issuer, serial_number=certificate.serial_number)
        signed = asn1.SetOf(sorted(attributes, key=lambda each: (len(asn1.encode_der(each)), asn1.encode_der(each))))
        oid, signature = sign(self.signer.key, timestamp_syntax.signed_bytes(signed))
        return SignerInfo(
            version=1,
            signer=element(named),
            digest_algorithm=algorithm(SHA256),
            signed_attributes=signed,
            signature_algorithm=element(oid),
            signature=signature,
        )


def sign(key: Key, data: bytes) -> tuple[HashAlgorithm, bytes]:
    """ECDSA or RSA with PKCS #1 v1.5, with SHA-256, and the algorithm's name."""
    if isinstance(key, rsa.RSAPrivateKey):
        return algorithm("1.2.840.113549.1.1.11"), key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    return algorithm(ECDSA_WITH_SHA256, is_null=False), key.sign(data, ec.ECDSA(hashes.SHA256()))


def _as_element(holder: Holder) -> asn1.TLV:
    return asn1.decode_der(asn1.TLV, holder.certificate.public_bytes(serialization.Encoding.DER))


def new_authority(
    *,
    root: CertificateTerms = ROOT,
    between: Sequence[CertificateTerms] = (),
    signer: CertificateTerms | None = None,
    key: Key | None = None,
) -> Authority:
    """Root, those between in order, signer; with real keys and signatures."""
    chain = [issue(root)]
    for terms in between:
        chain.append(issue(terms, chain[-1]))
    return Authority(chain[0], issue(signer or CertificateTerms(), chain[-1], key), tuple(chain[1:]))


def days(number: int) -> timedelta:
    """So many days."""
    return timedelta(days=number)
