"""The ASN.1 of time stamps: requests and replies of RFC 3161, the CMS signature in them, and nothing that verifies.

What is decoded must encode to the same bytes, so that no bit of a token is without effect. Members that no check here
would look at (revocation lists, unsigned attributes) have no place in these types, and a token with them is refused.

Source: RFC 3161, sections 2.4.1 and 2.4.2; RFC 5652, sections 3 to 5; RFC 5035, section 3 to 5.
"""

from typing import Annotated, TypeVar

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

Type = TypeVar("Type")

SIGNED_DATA = ObjectIdentifier("1.2.840.113549.1.7.2")
TST_INFO = ObjectIdentifier("1.2.840.113549.1.9.16.1.4")
CONTENT_TYPE = ObjectIdentifier("1.2.840.113549.1.9.3")
MESSAGE_DIGEST = ObjectIdentifier("1.2.840.113549.1.9.4")
SIGNING_CERTIFICATE = ObjectIdentifier("1.2.840.113549.1.9.16.2.12")
SIGNING_CERTIFICATE_V2 = ObjectIdentifier("1.2.840.113549.1.9.16.2.47")


@asn1.sequence
class HashAlgorithm:
    """An algorithm without parameters: they are absent, or NULL."""

    algorithm: ObjectIdentifier
    parameters: asn1.Null | None


@asn1.sequence
class MessageImprint:
    """The hash of what is stamped."""

    hash_algorithm: HashAlgorithm
    hashed_message: bytes


@asn1.sequence
class Extension:
    """An extension of a request or token."""

    kind: ObjectIdentifier
    is_critical: Annotated[bool, asn1.Default(False)]
    value: bytes


@asn1.sequence
class TimestampRequest:
    """TimeStampReq."""

    version: int
    message_imprint: MessageImprint
    nonce: int
    wants_certificate: bool


@asn1.sequence
class Accuracy:
    """How far the time may be off: seconds, milliseconds, microseconds."""

    seconds: int | None
    millis: Annotated[int | None, asn1.Implicit(0)]
    micros: Annotated[int | None, asn1.Implicit(1)]


@asn1.sequence
class TimestampInfo:
    """TSTInfo: what the authority says."""

    version: int
    policy: ObjectIdentifier
    message_imprint: MessageImprint
    serial_number: int
    gen_time: asn1.GeneralizedTime
    accuracy: Accuracy | None
    ordering: Annotated[bool, asn1.Default(False)]
    nonce: int | None
    # The tag is explicit around one name, which encodes as a list of one would.
    authority: Annotated[list[asn1.TLV] | None, asn1.Implicit(0)]
    extensions: Annotated[list[Extension] | None, asn1.Implicit(1)]


@asn1.sequence
class Attribute:
    """A signed attribute."""

    kind: ObjectIdentifier
    values: asn1.SetOf[asn1.TLV]


@asn1.sequence
class CertificateBody:
    """TBSCertificate, of which only number and issuer are looked at here."""

    version: Annotated[int, asn1.Explicit(0)]
    serial_number: int
    signature: asn1.TLV
    issuer: asn1.TLV
    validity: asn1.TLV
    subject: asn1.TLV
    public_key: asn1.TLV
    extensions: Annotated[list[asn1.TLV], asn1.Explicit(3)]


@asn1.sequence
class Certificate:
    """An X.509 certificate of version 3 with extensions."""

    body: CertificateBody
    signature_algorithm: asn1.TLV
    signature: asn1.BitString


@asn1.sequence
class IssuerAndSerialNumber:
    """Names a certificate by its issuer's name and its number."""

    issuer: asn1.TLV
    serial_number: int


@asn1.sequence
class SignerInfo:
    """One signature. `signer` is an IssuerAndSerialNumber, or a key identifier under the tag 0."""

    version: int
    signer: asn1.TLV
    digest_algorithm: HashAlgorithm
    signed_attributes: Annotated[asn1.SetOf[Attribute], asn1.Implicit(0)]
    signature_algorithm: asn1.TLV
    signature: bytes


@asn1.sequence
class EncapsulatedContent:
    """The bytes that are signed, and their type."""

    content_type: ObjectIdentifier
    content: Annotated[bytes, asn1.Explicit(0)]


@asn1.sequence
class SignedData:
    """CMS SignedData. Certificates are a set, but many authorities send them unsorted, which only a list allows."""

    version: int
    digest_algorithms: asn1.SetOf[HashAlgorithm]
    content: EncapsulatedContent
    certificates: Annotated[list[asn1.TLV] | None, asn1.Implicit(0)]
    signer_infos: asn1.SetOf[SignerInfo]


@asn1.sequence
class Token:
    """TimeStampToken: a ContentInfo with SignedData."""

    content_type: ObjectIdentifier
    signed_data: Annotated[SignedData, asn1.Explicit(0)]


@asn1.sequence
class Status:
    """PKIStatusInfo: 0 granted, 1 granted with changes, anything else refused."""

    status: int
    text: list[str] | None
    failure: asn1.BitString | None


@asn1.sequence
class Refusal:
    """TimeStampResp without a token."""

    status: Status


@asn1.sequence
class Reply:
    """TimeStampResp with a token."""

    status: Status
    token: Token


@asn1.sequence
class CertificateId:
    """ESSCertID and ESSCertIDv2: the hash of a certificate, of SHA-256 in the latter when no algorithm is named."""

    hash_algorithm: HashAlgorithm | None
    certificate_hash: bytes
    issuer_serial: list[asn1.TLV] | None


@asn1.sequence
class SigningCertificate:
    """Which certificate signs, the signer's first."""

    certificates: list[CertificateId]
    policies: list[asn1.TLV] | None


@asn1.sequence
class _One:
    element: asn1.TLV


@asn1.sequence
class _Attributes:
    attributes: asn1.SetOf[Attribute]


def decode(kind: type[Type], data: bytes) -> Type:
    """A value of this type; raises ValueError unless `encode` gives the same bytes again."""
    value = asn1.decode_der(kind, data)
    if asn1.encode_der(value) != data:
        raise ValueError("the encoding is not canonical")
    return value


def encode(value: object) -> bytes:
    """The DER of a value of one of these types."""
    return asn1.encode_der(value)


def signed_bytes(attributes: asn1.SetOf[Attribute]) -> bytes:
    """What a signer signs: the attributes as a SET OF, without the tag that they have in its SignerInfo.

    Source: RFC 5652, section 5.4.
    """
    return encode(asn1.decode_der(_One, encode(_Attributes(attributes=attributes))).element)


def bare(token: Token) -> bytes:
    """The reply that grants this token and says nothing else: the one form in which tokens are kept.

    A reply, not the token alone, since that is what `openssl ts -verify -in` and clients of Sigstore read.
    """
    return encode(Reply(status=Status(status=0, text=None, failure=None), token=token))
