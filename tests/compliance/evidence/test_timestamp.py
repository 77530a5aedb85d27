"""A time stamp counts when every link holds: bytes, content, attributes, signature, certificate, root, time, purpose."""

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from compliance.evidence import canonical, timestamp, timestamp_syntax
from compliance.evidence.errors import TimestampError
from compliance.evidence.timestamp_signature import _pss
from compliance.evidence.timestamp_syntax import (
    Accuracy,
    Attribute,
    CertificateId,
    Extension,
    SignerInfo,
    SigningCertificate,
    TimestampInfo,
)

from .stamping import (
    AT,
    ROOT,
    VALID_FROM,
    VALID_UNTIL,
    Authority,
    CertificateTerms,
    Edits,
    Holder,
    algorithm,
    attribute,
    days,
    element,
    issue,
    new_authority,
)

DATA = b"a signature over evidence"
SHA384 = "2.16.840.1.101.3.4.2.2"
SHA512 = "2.16.840.1.101.3.4.2.3"
SHA1 = "1.3.14.3.2.26"
OTHER = x509.ObjectIdentifier("1.2.840.113549.1.7.1")
TIMESTAMPING, CODE_SIGNING = ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING
INTERMEDIATE = CertificateTerms(name="Example intermediate", is_authority=True, purposes=(), signs=False, issues=True)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return new_authority()


@pytest.fixture(scope="module")
def token(authority: Authority) -> bytes:
    return authority.stamp(DATA)


@pytest.fixture(scope="module")
def long_rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def refusal_of(token: bytes, authority: Authority, data: bytes = DATA, **options: Any) -> str:
    with pytest.raises(TimestampError) as caught:
        timestamp.verify(token, data, authority.pems[:1], **options)
    return str(caught.value)


# --- One thing wrong in the token -----------------------------------------------------------------------------------


def setting(**values: Any) -> Callable[[Any], None]:
    """Set members of a part."""

    def change(part: Any) -> None:
        for name, value in values.items():
            setattr(part, name, value)

    return change


def without(kind: x509.ObjectIdentifier) -> Callable[[list[Attribute]], None]:
    """Take an attribute away."""

    def change(attributes: list[Attribute]) -> None:
        attributes[:] = [each for each in attributes if each.kind != kind]

    return change


def with_value(kind: x509.ObjectIdentifier, *values: object) -> Callable[[list[Attribute]], None]:
    """Give an attribute other values."""

    def change(attributes: list[Attribute]) -> None:
        attributes[:] = [attribute(kind, *values) if each.kind == kind else each for each in attributes]

    return change


def imprinted(oid: str, digest: bytes) -> Callable[[TimestampInfo], None]:
    """Another hash of what is stamped."""

    def change(info: TimestampInfo) -> None:
        info.message_imprint.hash_algorithm = algorithm(oid)
        info.message_imprint.hashed_message = digest

    return change


def digest_of(chosen: hashes.HashAlgorithm, data: bytes = DATA) -> bytes:
    hasher = hashes.Hash(chosen)
    hasher.update(data)
    return hasher.finalize()


def flip_signature(signer: SignerInfo) -> None:
    signer.signature = signer.signature[:-1] + bytes([signer.signature[-1] ^ 1])


def double_signer(signed: timestamp_syntax.SignedData) -> None:
    (signer,) = signed.signer_infos.as_list()
    again = dataclasses.replace(signer, signature=signer.signature + b"\x00")
    signed.signer_infos = asn1.SetOf([signer, again])


def binding(*certificates: CertificateId) -> SigningCertificate:
    return SigningCertificate(certificates=list(certificates), policies=None)


def bound(digest: bytes, oid: str | None = None) -> CertificateId:
    named = None if oid is None else algorithm(oid)
    return CertificateId(hash_algorithm=named, certificate_hash=digest, issuer_serial=None)


def critical(is_critical: bool) -> Extension:
    return Extension(kind=x509.ObjectIdentifier("0.4.0.19422.1.1"), is_critical=is_critical, value=b"\x05\x00")


V2 = timestamp_syntax.SIGNING_CERTIFICATE_V2
WRONG: dict[str, tuple[Edits, str]] = {
    "about other bytes": (Edits(info=imprinted("2.16.840.1.101.3.4.2.1", b"\x00" * 32)), "about other bytes"),
    "a short hash": (Edits(info=imprinted("2.16.840.1.101.3.4.2.1", b"")), "about other bytes"),
    "a hash of SHA-1": (Edits(info=imprinted(SHA1, digest_of(hashes.SHA1()))), "Expected SHA-256"),  # noqa: S303
    "a hash under another name": (Edits(info=imprinted(SHA512, digest_of(hashes.SHA256()))), "about other bytes"),
    "information of version 2": (Edits(info=setting(version=2)), "version 1"),
    "a critical extension": (Edits(info=setting(extensions=[critical(True)])), "critical extension"),
    "no information": (Edits(content=lambda content: b""), "TSTInfo"),
    "information and more": (Edits(content=lambda content: content + b"\x00"), "TSTInfo"),
    "no content type": (Edits(attributes=without(timestamp_syntax.CONTENT_TYPE)), "attribute content type"),
    "no message digest": (Edits(attributes=without(timestamp_syntax.MESSAGE_DIGEST)), "attribute message digest"),
    "no signing certificate": (Edits(attributes=without(V2)), "attribute signingCertificate"),
    "another content type": (Edits(attributes=with_value(timestamp_syntax.CONTENT_TYPE, OTHER)), "type of content"),
    "a content type that is none": (
        Edits(attributes=with_value(timestamp_syntax.CONTENT_TYPE, b"")),
        "cannot be read",
    ),
    "another message digest": (
        Edits(attributes=with_value(timestamp_syntax.MESSAGE_DIGEST, b"\x00" * 32)),
        "about another content",
    ),
    "two message digests": (
        Edits(attributes=with_value(timestamp_syntax.MESSAGE_DIGEST, b"\x00" * 32, b"\x01" * 32)),
        "once and with one value",
    ),
    "an attribute without value": (Edits(attributes=with_value(timestamp_syntax.CONTENT_TYPE)), "once and with one"),
    "an attribute twice": (Edits(attributes=lambda each: each.append(each[1])), "once and with one value"),
    "a binding to nothing": (Edits(attributes=with_value(V2, binding())), "to name a certificate"),
    "a binding to another certificate": (
        Edits(attributes=with_value(V2, binding(bound(b"\x00" * 32)))),
        "another certificate",
    ),
    "a binding with SHA-1": (Edits(attributes=with_value(V2, binding(bound(b"\x00" * 20, SHA1)))), "Expected SHA-256"),
    "a changed signature": (Edits(signer=flip_signature), "does not verify"),
    "no signature": (Edits(signer=setting(signature=b"")), "does not verify"),
    "another digest algorithm": (Edits(signer=setting(digest_algorithm=algorithm(SHA512))), "among those"),
    "a digest algorithm that is weak": (
        Edits(
            signer=setting(digest_algorithm=algorithm(SHA1)),
            signed=setting(digest_algorithms=asn1.SetOf([algorithm(SHA1)])),
        ),
        "Expected SHA-256",
    ),
    "another signature algorithm": (
        Edits(signer=setting(signature_algorithm=element(algorithm("1.2.840.10045.4.3.3", is_null=False)))),
        "does not verify",
    ),
    "an algorithm of RSA": (
        Edits(signer=setting(signature_algorithm=element(algorithm("1.2.840.113549.1.1.11")))),
        "does not fit",
    ),
    "ECDSA with SHA-1": (
        Edits(signer=setting(signature_algorithm=element(algorithm("1.2.840.10045.4.1", is_null=False)))),
        "does not fit",
    ),
    "another version of the signer": (Edits(signer=setting(version=3)), "another version"),
    "a signer that is nobody": (Edits(signer=setting(signer=element(b"somebody"))), "neither in the time stamp"),
    "no certificates, and none pinned": (Edits(signed=setting(certificates=None)), "neither in the time stamp"),
    "a certificate that is none": (Edits(signed=setting(certificates=[element(b"")])), "cannot be read"),
    "more certificates than anybody needs": (
        Edits(signed=lambda signed: setattr(signed, "certificates", (signed.certificates or []) * 17)),
        "at most 16",
    ),
    "two signers": (Edits(signed=double_signer), "one signer"),
    "no signer": (Edits(signed=setting(signer_infos=asn1.SetOf([]))), "one signer"),
    "SignedData of version 1": (Edits(signed=setting(version=1)), "version 3"),
    "another type in the content": (
        Edits(signed=lambda signed: setattr(signed.content, "content_type", OTHER)),
        "another content type",
    ),
    "another type outside": (Edits(token=setting(content_type=OTHER)), "SignedData"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_token_with_one_thing_wrong_is_refused_for_that_thing(name: str, authority: Authority) -> None:
    edits, sentence = WRONG[name]
    assert sentence in refusal_of(authority.stamp(DATA, edits=edits), authority)


@pytest.mark.parametrize(
    ("seconds", "millis", "micros"),
    [
        pytest.param(61, None, None, id="a second too many"),
        pytest.param(60, 1, None, id="a millisecond too many"),
        pytest.param(60, None, 1, id="a microsecond too many"),
        pytest.param(100_000_000, None, None, id="three years"),
        pytest.param(2**200, None, None, id="longer than the world"),
        pytest.param(None, 60_001, None, id="in milliseconds"),
        pytest.param(-1, None, None, id="below zero"),
        pytest.param(61, -1_500, None, id="partly below zero"),
    ],
)
def test_a_time_that_may_be_off_by_more_than_a_minute_is_refused(
    seconds: int | None, millis: int | None, micros: int | None, authority: Authority
) -> None:
    accuracy = Accuracy(seconds=seconds, millis=millis, micros=micros)
    stamped = authority.stamp(DATA, edits=Edits(info=setting(accuracy=accuracy)))
    assert "accurate to one minute" in refusal_of(stamped, authority)


@pytest.mark.parametrize(
    ("seconds", "millis", "micros"), [(1, None, None), (59, 999, 999), (60, None, None), (0, 1, 0)]
)
def test_a_time_that_is_accurate_enough_counts(
    seconds: int, millis: int | None, micros: int | None, authority: Authority
) -> None:
    accuracy = Accuracy(seconds=seconds, millis=millis, micros=micros)
    stamped = authority.stamp(DATA, edits=Edits(info=setting(accuracy=accuracy)))
    assert timestamp.verify(stamped, DATA, authority.pems) == AT


def test_a_token_about_other_bytes_is_refused(token: bytes, authority: Authority) -> None:
    assert "about other bytes" in refusal_of(token, authority, DATA + b"\n")


def test_a_token_of_another_authority_is_refused(token: bytes) -> None:
    assert "does not lead to the root" in refusal_of(token, new_authority())


def test_a_token_that_answers_another_request_is_refused(authority: Authority, token: bytes) -> None:
    assert "nonce" in refusal_of(token, authority, nonce=5)
    assert "nonce" in refusal_of(authority.stamp(DATA, nonce=6), authority, nonce=5)
    assert timestamp.verify(authority.stamp(DATA, nonce=5), DATA, authority.pems, nonce=5) == AT


def test_another_certificate_of_the_same_name_does_not_take_the_place_of_the_signers(authority: Authority) -> None:
    """The signature names the certificate by its hash as well."""
    other = issue(CertificateTerms(), authority.root)
    swapped = Authority(authority.root, other)

    def change(attributes: list[Attribute]) -> None:
        attributes[:] = [each for each in attributes if each.kind != V2] + [
            each for each in authority.attributes(b"") if each.kind == V2
        ]

    assert timestamp.verify(swapped.stamp(DATA), DATA, swapped.pems) == AT
    assert "another certificate" in refusal_of(swapped.stamp(DATA, edits=Edits(attributes=change)), swapped)


# --- One thing wrong with the certificates --------------------------------------------------------------------------

SIGNERS: dict[str, tuple[CertificateTerms, str]] = {
    "without a purpose": (CertificateTerms(purposes=()), "time stamps alone"),
    "for code": (CertificateTerms(purposes=(CODE_SIGNING,)), "time stamps alone"),
    "for code too": (CertificateTerms(purposes=(TIMESTAMPING, CODE_SIGNING)), "time stamps alone"),
    "with a purpose that is not critical": (CertificateTerms(is_purpose_critical=False), "marked critical"),
    "that must not sign": (CertificateTerms(signs=False), "not for signatures"),
    "with an unknown critical extension": (CertificateTerms(unknown=b"\x05\x00"), "1.2.3.4"),
    "that was not valid yet": (CertificateTerms(valid_from=AT + timedelta(seconds=1)), "not valid at the time"),
    "that was not valid any more": (CertificateTerms(valid_until=AT - timedelta(seconds=1)), "not valid at the time"),
}


@pytest.mark.parametrize("name", SIGNERS)
def test_a_signer_whose_certificate_is_not_for_this_is_refused(name: str) -> None:
    terms, sentence = SIGNERS[name]
    authority = new_authority(signer=terms)
    assert sentence in refusal_of(authority.stamp(DATA), authority)


def changed(terms: CertificateTerms, **changes: Any) -> CertificateTerms:
    return dataclasses.replace(terms, **changes)


ROOTS: dict[str, tuple[CertificateTerms, str]] = {
    "that is no authority": (changed(ROOT, is_authority=False), "does not lead"),
    "that does not say whether it is one": (changed(ROOT, is_authority=None), "does not lead"),
    "that must not issue": (changed(ROOT, issues=False), "does not lead"),
    "for code alone": (changed(ROOT, purposes=(CODE_SIGNING,)), "does not lead"),
    "with an unknown critical extension": (changed(ROOT, unknown=b"\x05\x00"), "does not lead"),
    "that was not valid yet": (changed(ROOT, valid_from=AT + timedelta(seconds=1)), "not valid at the time"),
    "that was not valid any more": (changed(ROOT, valid_until=AT - timedelta(seconds=1)), "not valid at the time"),
}


@pytest.mark.parametrize("name", ROOTS)
def test_a_root_that_must_not_issue_signers_is_refused(name: str) -> None:
    terms, sentence = ROOTS[name]
    authority = new_authority(root=terms)
    assert sentence in refusal_of(authority.stamp(DATA), authority)


BETWEEN: dict[str, CertificateTerms] = {
    "that is no authority": changed(INTERMEDIATE, is_authority=False),
    "that must not issue": changed(INTERMEDIATE, issues=False),
    "for code alone": changed(INTERMEDIATE, purposes=(CODE_SIGNING,)),
    "that was not valid any more": changed(INTERMEDIATE, valid_until=AT - timedelta(seconds=1)),
    "with an unknown critical extension": changed(INTERMEDIATE, unknown=b"\x05\x00"),
}


@pytest.mark.parametrize("name", BETWEEN)
def test_a_certificate_between_that_must_not_issue_breaks_the_way_to_the_root(name: str) -> None:
    authority = new_authority(between=[BETWEEN[name]])
    assert "does not lead to the root" in timestamp_refusal(authority, authority.pems)


def timestamp_refusal(authority: Authority, pems: tuple[str, ...]) -> str:
    with pytest.raises(TimestampError) as caught:
        timestamp.verify(authority.stamp(DATA), DATA, pems)
    return str(caught.value)


def test_a_root_with_room_for_none_between_is_obeyed() -> None:
    authority = new_authority(root=changed(ROOT, path_length=0), between=[INTERMEDIATE])
    assert "does not lead to the root" in timestamp_refusal(authority, authority.pems)
    roomy = new_authority(root=changed(ROOT, path_length=1), between=[INTERMEDIATE])
    assert timestamp.verify(roomy.stamp(DATA), DATA, roomy.pems) == AT


def test_a_way_of_more_certificates_than_anybody_needs_is_refused() -> None:
    names = [changed(INTERMEDIATE, name=f"Example intermediate {number}") for number in range(5)]
    longest = new_authority(between=names[:4])
    assert timestamp.verify(longest.stamp(DATA), DATA, longest.pems) == AT
    too_long = new_authority(between=names)
    assert "does not lead to the root" in timestamp_refusal(too_long, too_long.pems)


def test_a_certificate_that_only_names_the_root_as_its_issuer_is_refused(authority: Authority) -> None:
    impostor = issue(ROOT)
    forged = Authority(authority.root, issue(CertificateTerms(), impostor))
    assert "does not lead to the root" in refusal_of(forged.stamp(DATA), forged)


def test_a_certificate_signed_over_a_weak_hash_is_refused() -> None:
    root = issue(ROOT, key=rsa.generate_private_key(65537, 2048))
    strong = Authority(root, issue(CertificateTerms(), root))
    assert timestamp.verify(strong.stamp(DATA), DATA, strong.pems) == AT
    weak = Authority(root, issue(CertificateTerms(digest=hashes.SHA224()), root))
    assert "does not lead to the root" in refusal_of(weak.stamp(DATA), weak)


KEYS: dict[str, tuple[Callable[[], Any], str]] = {
    "a short RSA key": (lambda: rsa.generate_private_key(65537, 1024), "another key"),  # noqa: S505
    "a curve of another family": (lambda: ec.generate_private_key(ec.SECP256K1()), "another key"),
}


@pytest.mark.parametrize("name", KEYS)
def test_a_signer_with_a_weak_or_unusual_key_is_refused(name: str) -> None:
    make, sentence = KEYS[name]
    authority = new_authority(key=make())
    assert sentence in refusal_of(authority.stamp(DATA), authority)


def test_a_signer_with_an_ed25519_key_is_refused(authority: Authority) -> None:
    key: Any = ed25519.Ed25519PrivateKey.generate()
    certificate = issue(CertificateTerms(), authority.root, key)
    signing = Authority(authority.root, Holder(certificate.certificate, ec.generate_private_key(ec.SECP256R1())))
    assert "another key" in refusal_of(signing.stamp(DATA), signing)


# --- Genuine --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "at",
    [
        pytest.param(VALID_FROM, id="the second in which the certificates begin"),
        pytest.param(VALID_UNTIL, id="the second in which they end"),
    ],
)
def test_a_genuine_token_tells_its_time(at: datetime, authority: Authority) -> None:
    assert timestamp.verify(authority.stamp(DATA, at), DATA, authority.pems[:1]) == at


def test_a_fraction_of_a_second_is_cut_so_that_the_time_can_be_written(authority: Authority) -> None:
    stamped = authority.stamp(DATA, AT + timedelta(milliseconds=999))
    assert canonical.format_time(timestamp.verify(stamped, DATA, authority.pems[:1])) == "2026-05-01T12:30:00Z"


def test_a_certificate_that_ended_a_fraction_of_a_second_before_is_refused(authority: Authority) -> None:
    stamped = authority.stamp(DATA, VALID_UNTIL + timedelta(milliseconds=1))
    assert "not valid at the time" in refusal_of(stamped, authority)


@pytest.mark.parametrize(
    ("oid", "chosen"),
    [
        pytest.param(SHA384, hashes.SHA384(), id="SHA-384"),
        pytest.param(SHA512, hashes.SHA512(), id="SHA-512"),
    ],
)
def test_longer_hashes_of_the_stamped_bytes_are_known(
    oid: str, chosen: hashes.HashAlgorithm, authority: Authority
) -> None:
    stamped = authority.stamp(DATA, edits=Edits(info=imprinted(oid, digest_of(chosen))))
    assert timestamp.verify(stamped, DATA, authority.pems) == AT
    assert "about other bytes" in refusal_of(stamped, authority, b"")


@pytest.mark.parametrize("curve", [pytest.param(ec.SECP384R1(), id="P-384"), pytest.param(ec.SECP521R1(), id="P-521")])
def test_longer_curves_are_known(curve: ec.EllipticCurve) -> None:
    authority = new_authority(key=ec.generate_private_key(curve))
    assert timestamp.verify(authority.stamp(DATA), DATA, authority.pems) == AT


def signed_anew(key: rsa.RSAPrivateKey, named: object, scheme: padding.AsymmetricPadding) -> Edits:
    """The signer signs with another padding than stamping.py does."""

    def change(signer: SignerInfo) -> None:
        signer.signature = key.sign(timestamp_syntax.signed_bytes(signer.signed_attributes), scheme, hashes.SHA256())
        signer.signature_algorithm = element(named)

    return Edits(signer=change)


def test_rsa_is_known_under_each_of_its_names(long_rsa_key: rsa.RSAPrivateKey) -> None:
    authority = new_authority(key=long_rsa_key)
    assert timestamp.verify(authority.stamp(DATA), DATA, authority.pems) == AT
    plain = signed_anew(long_rsa_key, algorithm("1.2.840.113549.1.1.1"), padding.PKCS1v15())
    assert timestamp.verify(authority.stamp(DATA, edits=plain), DATA, authority.pems) == AT
    named = asn1.decode_der(asn1.TLV, _pss("2.16.840.1.101.3.4.2.1", 32, is_null=True))
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    assert timestamp.verify(authority.stamp(DATA, edits=signed_anew(long_rsa_key, named, pss)), DATA, authority.pems)
    short = signed_anew(long_rsa_key, named, padding.PSS(padding.MGF1(hashes.SHA256()), 20))
    assert "does not verify" in refusal_of(authority.stamp(DATA, edits=short), authority)
    assert "does not verify" in refusal_of(
        authority.stamp(DATA, edits=signed_anew(long_rsa_key, named, padding.PKCS1v15())), authority
    )


def test_the_signer_may_be_named_by_its_key(authority: Authority) -> None:
    identifier = x509.SubjectKeyIdentifier.from_public_key(authority.signer.key.public_key()).digest
    by_key = asn1.decode_der(asn1.TLV, b"\x80" + bytes([len(identifier)]) + identifier)
    stamped = authority.stamp(DATA, edits=Edits(signer=setting(version=3, signer=by_key)))
    assert timestamp.verify(stamped, DATA, authority.pems) == AT
    mixed = authority.stamp(DATA, edits=Edits(signer=setting(version=1, signer=by_key)))
    assert "another version" in refusal_of(mixed, authority)


def test_the_older_binding_counts_and_must_be_true(authority: Authority) -> None:
    old = timestamp_syntax.SIGNING_CERTIFICATE

    def bind(digest: bytes) -> Edits:
        def change(attributes: list[Attribute]) -> None:
            without(V2)(attributes)
            attributes.append(attribute(old, binding(bound(digest))))

        return Edits(attributes=change)

    true = authority.signer.certificate.fingerprint(hashes.SHA1())  # noqa: S303
    assert timestamp.verify(authority.stamp(DATA, edits=bind(true)), DATA, authority.pems) == AT
    assert "another certificate" in refusal_of(authority.stamp(DATA, edits=bind(b"\x00" * 20)), authority)


def test_of_two_bindings_both_must_be_true(authority: Authority) -> None:
    def change(attributes: list[Attribute]) -> None:
        attributes.append(attribute(timestamp_syntax.SIGNING_CERTIFICATE, binding(bound(b"\x00" * 20))))

    assert "another certificate" in refusal_of(authority.stamp(DATA, edits=Edits(attributes=change)), authority)


def test_a_binding_may_name_its_hash(authority: Authority) -> None:
    digest = authority.signer.certificate.fingerprint(hashes.SHA512())
    edits = Edits(attributes=with_value(V2, binding(bound(digest, SHA512))))
    assert timestamp.verify(authority.stamp(DATA, edits=edits), DATA, authority.pems) == AT


def test_extensions_that_are_not_critical_do_not_matter(authority: Authority) -> None:
    edits = Edits(info=setting(extensions=[critical(False)]))
    assert timestamp.verify(authority.stamp(DATA, edits=edits), DATA, authority.pems) == AT


def test_certificates_may_come_with_the_token_in_any_order_or_from_the_trust_file() -> None:
    authority = new_authority(between=[INTERMEDIATE])
    (between,) = authority.between
    for sent in ((authority.signer, between), (between, authority.signer)):
        stamped = dataclasses.replace(authority, sent=sent).stamp(DATA)
        assert timestamp.verify(stamped, DATA, authority.pems[:1]) == AT
    alone = authority.stamp(DATA)
    assert "does not lead to the root" in refusal_of(alone, authority)
    assert timestamp.verify(alone, DATA, authority.pems[:2]) == AT
    none = authority.stamp(DATA, edits=Edits(signed=setting(certificates=None)))
    assert timestamp.verify(none, DATA, authority.pems) == AT


def test_of_two_certificates_between_the_valid_one_leads_on() -> None:
    """An intermediate that was renewed under its key."""
    root = issue(ROOT)
    old = issue(changed(INTERMEDIATE, valid_until=AT - days(1)), root)
    new = issue(INTERMEDIATE, root, old.key)
    authority = Authority(root, issue(CertificateTerms(), new), (old, new))
    assert timestamp.verify(authority.stamp(DATA), DATA, authority.pems) == AT


def test_a_signer_that_is_its_own_root_counts_when_it_is_pinned() -> None:
    own = issue(CertificateTerms())
    authority = Authority(own, own)
    assert timestamp.verify(authority.stamp(DATA), DATA, [own.pem]) == AT
    assert "does not lead to the root" in refusal_of(authority.stamp(DATA), new_authority())
