"""RFC 3161 time stamps, verified offline: who says that these bytes existed at which time.

A stamp is carried as the bare reply that granted it (timestamp_syntax.bare). Trust comes from one pinned root alone.
Whether a certificate was revoked is not asked, for that needs a network: an authority that lost its key is taken out of
the trust file.

Source: RFC 3161, section 2.4.2; RFC 5652, section 5; RFC 5816 for signingCertificateV2; RFC 5754 and 4056 for
algorithms.
"""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes, serialization

from compliance.evidence import timestamp_signature, timestamp_syntax
from compliance.evidence.errors import TimestampError
from compliance.evidence.timestamp_chain import UNREADABLE, load, load_authority, refuse_untrusted_signer
from compliance.evidence.timestamp_syntax import (
    CONTENT_TYPE,
    MESSAGE_DIGEST,
    SIGNED_DATA,
    SIGNING_CERTIFICATE,
    SIGNING_CERTIFICATE_V2,
    TST_INFO,
    Accuracy,
    Certificate,
    CertificateId,
    HashAlgorithm,
    IssuerAndSerialNumber,
    Reply,
    SignedData,
    SignerInfo,
    SigningCertificate,
    TimestampInfo,
)

MAX_BYTES = 65_536
# Periods of keys begin and end on a second; a time that may be off by more says little about them.
MAX_INACCURACY = timedelta(minutes=1)
_MAX_CERTIFICATES = 16
_KEY_IDENTIFIER = b"\x80"
_HASHES: dict[x509.ObjectIdentifier, hashes.HashAlgorithm] = {
    x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1"): hashes.SHA256(),
    x509.ObjectIdentifier("2.16.840.1.101.3.4.2.2"): hashes.SHA384(),
    x509.ObjectIdentifier("2.16.840.1.101.3.4.2.3"): hashes.SHA512(),
}


def verify(token: bytes, data: bytes, authority: Sequence[str], *, nonce: int | None = None) -> datetime:
    """The time (UTC, genTime, fractions of a second cut) at which this authority saw `data`.

    `token` is a bare granting reply in DER. `authority` holds certificates in PEM: the root that is trusted, then
    others that may lie between it and the signer. `nonce` is what the request asked to be repeated, if it did.
    Raises TimestampError, and nothing else whatever the bytes are; also for a time that may be off by more than
    MAX_INACCURACY. An authority that states no accuracy states it in its policy, which is left to whoever pins it.
    """
    root, *others = load_authority(authority)
    if len(token) > MAX_BYTES:
        raise TimestampError(f"Expected a time stamp of at most {MAX_BYTES} bytes, found {len(token)}.")
    try:
        return _verify(_signed_data(token), data, root, others, nonce)
    except TimestampError:
        raise
    except UNREADABLE as error:
        raise TimestampError("The time stamp or a certificate in it cannot be read.") from error


def _verify(
    signed: SignedData, data: bytes, root: x509.Certificate, others: list[x509.Certificate], nonce: int | None
) -> datetime:
    info = _info(signed, data, nonce)
    (signer_info,) = signed.signer_infos.as_list()
    shown = [load(timestamp_syntax.encode(each)) for each in signed.certificates or []]
    candidates = list(dict.fromkeys([*shown, *others, root]))
    signer = _signer(signer_info, candidates)
    _refuse_attributes(signer_info, signed.content.content, signer)
    timestamp_signature.refuse_bad_signature(signer_info, signer, _hash(signer_info.digest_algorithm))
    stamped_at = info.gen_time.as_datetime()
    refuse_untrusted_signer(signer, candidates, root, stamped_at)
    # Times in evidence are written to the second, and periods of keys begin and end on one.
    return stamped_at.replace(microsecond=0)


def _signed_data(token: bytes) -> SignedData:
    try:
        reply = timestamp_syntax.decode(Reply, token)
    except UNREADABLE as error:
        raise TimestampError("Expected an RFC 3161 reply with a token in DER, found something else.") from error
    if timestamp_syntax.bare(reply.token) != token:
        raise TimestampError("Expected a reply that grants its token and says nothing else, found more.")
    signed = reply.token.signed_data
    if reply.token.content_type != SIGNED_DATA or signed.version != 3:
        raise TimestampError("Expected CMS SignedData of version 3, found another content.")
    if signed.content.content_type != TST_INFO:
        raise TimestampError("Expected signed time stamp information, found another content type.")
    if len(signed.certificates or []) > _MAX_CERTIFICATES:
        raise TimestampError(
            f"Expected at most {_MAX_CERTIFICATES} certificates, found {len(signed.certificates or [])}."
        )
    signers = signed.signer_infos.as_list()
    if len(signers) != 1:
        raise TimestampError(f"Expected one signer of the time stamp, found {len(signers)}.")
    named = {timestamp_syntax.encode(each) for each in signed.digest_algorithms.as_list()}
    if timestamp_syntax.encode(signers[0].digest_algorithm) not in named:
        raise TimestampError("Expected the signer's hash among those that the time stamp names, found others.")
    return signed


def _info(signed: SignedData, data: bytes, nonce: int | None) -> TimestampInfo:
    """What is said, once it is clear that it is about these bytes."""
    try:
        info = timestamp_syntax.decode(TimestampInfo, signed.content.content)
    except UNREADABLE as error:
        raise TimestampError("Expected time stamp information (TSTInfo) in DER, found something else.") from error
    if info.version != 1:
        raise TimestampError(f"Expected time stamp information of version 1, found version {info.version}.")
    if any(extension.is_critical for extension in info.extensions or []):
        raise TimestampError("The time stamp has a critical extension that this program does not know.")
    imprint = info.message_imprint
    if not hmac.compare_digest(_digest(_hash(imprint.hash_algorithm), data), imprint.hashed_message):
        raise TimestampError("The time stamp is about other bytes.")
    if nonce is not None and info.nonce != nonce:
        raise TimestampError("The time stamp does not repeat the nonce of the request: it answers another one.")
    if info.accuracy is not None:
        _refuse_inaccurate(info.accuracy)
    return info


def _refuse_inaccurate(accuracy: Accuracy) -> None:
    seconds, millis, micros = accuracy.seconds or 0, accuracy.millis or 0, accuracy.micros or 0
    # As whole numbers, for one of any length may stand there.
    total = (seconds * 1000 + millis) * 1000 + micros
    if min(seconds, millis, micros) < 0 or total > MAX_INACCURACY // timedelta(microseconds=1):
        raise TimestampError("Expected a time that is accurate to one minute, found one that may be off by more.")


def _signer(signer_info: SignerInfo, candidates: list[x509.Certificate]) -> x509.Certificate:
    is_by_key = signer_info.signer.tag_bytes == _KEY_IDENTIFIER
    if signer_info.version != (3 if is_by_key else 1):
        raise TimestampError(f"Expected another version of the signer's information, found {signer_info.version}.")
    if is_by_key:
        identifier = bytes(signer_info.signer.data)
        found = [each for each in candidates if _key_identifier(each) == identifier]
    else:
        named = timestamp_syntax.encode(signer_info.signer)
        found = [each for each in candidates if _issuer_and_serial(each) == named]
    if not found:
        raise TimestampError("The signer's certificate is neither in the time stamp nor in your trust file.")
    return found[0]


def _key_identifier(certificate: x509.Certificate) -> bytes | None:
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.SubjectKeyIdentifier):
            return extension.value.digest
    return None


def _issuer_and_serial(certificate: x509.Certificate) -> bytes:
    body = timestamp_syntax.decode(Certificate, certificate.public_bytes(serialization.Encoding.DER)).body
    return timestamp_syntax.encode(IssuerAndSerialNumber(issuer=body.issuer, serial_number=body.serial_number))


def _refuse_attributes(signer_info: SignerInfo, content: bytes, signer: x509.Certificate) -> None:
    """Signed attributes must bind the content, its type, and the very certificate of the signer."""
    attributes: dict[x509.ObjectIdentifier, asn1.TLV] = {}
    for attribute in signer_info.signed_attributes.as_list():
        values = attribute.values.as_list()
        if attribute.kind in attributes or len(values) != 1:
            raise TimestampError("Expected each signed attribute once and with one value, found more or none.")
        attributes[attribute.kind] = values[0]
    if _value(attributes, CONTENT_TYPE, "content type").parse(x509.ObjectIdentifier) != TST_INFO:
        raise TimestampError("The signature is about another type of content than a time stamp.")
    digest = _value(attributes, MESSAGE_DIGEST, "message digest").parse(bytes)
    if not hmac.compare_digest(_digest(_hash(signer_info.digest_algorithm), content), digest):
        raise TimestampError("The time stamp was changed: the signature is about another content.")
    bindings = [kind for kind in (SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2) if kind in attributes]
    if not bindings:
        raise TimestampError("Expected the signed attribute signingCertificate, found none.")
    for kind in bindings:
        _refuse_other_certificate(attributes[kind].parse(SigningCertificate), kind, signer)


def _value(attributes: dict[x509.ObjectIdentifier, asn1.TLV], kind: x509.ObjectIdentifier, name: str) -> asn1.TLV:
    if kind not in attributes:
        raise TimestampError(f"Expected the signed attribute {name}, found none.")
    return attributes[kind]


def _refuse_other_certificate(
    binding: SigningCertificate, kind: x509.ObjectIdentifier, signer: x509.Certificate
) -> None:
    if not binding.certificates:
        raise TimestampError("Expected the signed attribute signingCertificate to name a certificate, found none.")
    first = binding.certificates[0]
    if not hmac.compare_digest(signer.fingerprint(_binding_hash(first, kind)), first.certificate_hash):
        raise TimestampError("The signature was made for another certificate than the one that is shown.")


def _binding_hash(bound: CertificateId, kind: x509.ObjectIdentifier) -> hashes.HashAlgorithm:
    if kind == SIGNING_CERTIFICATE:
        # The older attribute knows no other hash. It only chooses among certificates under the pinned root.
        return hashes.SHA1()  # noqa: S303
    return hashes.SHA256() if bound.hash_algorithm is None else _hash(bound.hash_algorithm)


def _hash(algorithm: HashAlgorithm) -> hashes.HashAlgorithm:
    if algorithm.algorithm not in _HASHES:
        raise TimestampError(
            f"Expected SHA-256, SHA-384 or SHA-512 in the time stamp, found {algorithm.algorithm.dotted_string}."
        )
    return _HASHES[algorithm.algorithm]


def _digest(algorithm: hashes.HashAlgorithm, data: bytes) -> bytes:
    hasher = hashes.Hash(algorithm)
    hasher.update(data)
    return hasher.finalize()
