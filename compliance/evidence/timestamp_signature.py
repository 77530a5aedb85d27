"""The signature in a time stamp: ECDSA on NIST curves, RSA with PKCS #1 v1.5 or PSS, each with SHA-2.

Which family is meant follows from the key in the certificate; the algorithm that the token names must be one of that
family, in one of the spellings listed here.

Source: RFC 5754, section 3; RFC 4056, section 2.2.
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import Certificate, ObjectIdentifier

from compliance.evidence import timestamp_syntax
from compliance.evidence.errors import TimestampError
from compliance.evidence.timestamp_syntax import HashAlgorithm, SignerInfo

MIN_RSA_BITS = 2048
Chosen = TypeVar("Chosen")
_SHA2 = (hashes.SHA256(), hashes.SHA384(), hashes.SHA512())
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_RSA = "1.2.840.113549.1.1.1"
_RSA_WITH = ("1.2.840.113549.1.1.11", "1.2.840.113549.1.1.12", "1.2.840.113549.1.1.13")
_ECDSA_WITH = ("1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.2.840.10045.4.3.4")
_SHA2_OIDS = ("2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.2", "2.16.840.1.101.3.4.2.3")
_MGF1 = "1.2.840.113549.1.1.8"
_PSS = "1.2.840.113549.1.1.10"


@asn1.sequence
class _MaskGeneration:
    algorithm: ObjectIdentifier
    hash_algorithm: HashAlgorithm


@asn1.sequence
class _PssParameters:
    hash_algorithm: Annotated[HashAlgorithm, asn1.Explicit(0)]
    mask_generation: Annotated[_MaskGeneration, asn1.Explicit(1)]
    salt_bytes: Annotated[int, asn1.Explicit(2)]


@asn1.sequence
class _PssAlgorithm:
    algorithm: ObjectIdentifier
    parameters: _PssParameters


def refuse_bad_signature(signer_info: SignerInfo, signer: Certificate, digest: hashes.HashAlgorithm) -> None:
    """Raises TimestampError unless the signed attributes are signed with the key of this certificate.

    `digest` is the hash that the signer names for the content; RSA without a hash of its own uses it too.
    """
    named = timestamp_syntax.encode(signer_info.signature_algorithm)
    signed, signature = timestamp_syntax.signed_bytes(signer_info.signed_attributes), signer_info.signature
    key = signer.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES):
            key.verify(signature, signed, ec.ECDSA(_chosen(_ecdsa_algorithms(), named)))
        elif isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_RSA_BITS:
            scheme, algorithm = _chosen(_rsa_algorithms(), named)
            key.verify(signature, signed, scheme, algorithm or digest)
        else:
            raise TimestampError(
                f"Expected an authority with a P-256, P-384 or P-521 key, or RSA of {MIN_RSA_BITS} bits and more; "
                "found another key."
            )
    except InvalidSignature as error:
        raise TimestampError("The signature of the time stamp does not verify under the signer's key.") from error


def _chosen(algorithms: Mapping[bytes, Chosen], named: bytes) -> Chosen:
    if named not in algorithms:
        raise TimestampError("The time stamp names a signature algorithm that does not fit the signer's key.")
    return algorithms[named]


@cache
def _ecdsa_algorithms() -> dict[bytes, hashes.HashAlgorithm]:
    return {_plain(oid, is_null=False): algorithm for oid, algorithm in zip(_ECDSA_WITH, _SHA2, strict=True)}


@cache
def _rsa_algorithms() -> dict[bytes, tuple[padding.AsymmetricPadding, hashes.HashAlgorithm | None]]:
    """Padding and hash by the encoded algorithm; without a hash where the signer's digest algorithm decides."""
    found: dict[bytes, tuple[padding.AsymmetricPadding, hashes.HashAlgorithm | None]] = {}
    for is_null in (True, False):
        found[_plain(_RSA, is_null=is_null)] = (padding.PKCS1v15(), None)
        for with_oid, hash_oid, algorithm in zip(_RSA_WITH, _SHA2_OIDS, _SHA2, strict=True):
            found[_plain(with_oid, is_null=is_null)] = (padding.PKCS1v15(), algorithm)
            pss = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
            found[_pss(hash_oid, algorithm.digest_size, is_null=is_null)] = (pss, algorithm)
    return found


def _plain(oid: str, *, is_null: bool) -> bytes:
    return timestamp_syntax.encode(_algorithm(oid, is_null=is_null))


def _algorithm(oid: str, *, is_null: bool) -> HashAlgorithm:
    return HashAlgorithm(algorithm=ObjectIdentifier(oid), parameters=asn1.Null() if is_null else None)


def _pss(hash_oid: str, salt_bytes: int, *, is_null: bool) -> bytes:
    """RSASSA-PSS with one hash for everything and a salt as long as it; the trailer is the default."""
    algorithm = _algorithm(hash_oid, is_null=is_null)
    parameters = _PssParameters(
        hash_algorithm=algorithm,
        mask_generation=_MaskGeneration(algorithm=ObjectIdentifier(_MGF1), hash_algorithm=algorithm),
        salt_bytes=salt_bytes,
    )
    return timestamp_syntax.encode(_PssAlgorithm(algorithm=ObjectIdentifier(_PSS), parameters=parameters))
