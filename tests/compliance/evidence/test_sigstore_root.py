"""trusted_root.json: what it says of logs and time stamp authorities. tests/independent hands it to Sigstore's library."""

import dataclasses
import json
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID

from compliance.evidence import canonical, checkpoint, dsse, sigstore_root
from compliance.evidence.errors import CheckpointKeyError, TimestampError
from compliance.evidence.trust import Trust

from .stamping import ROOT, CertificateTerms, Holder, issue, new_authority

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
VKEY = checkpoint.vkey("log.example/2026", KEY.public_key())
ISSUING = dataclasses.replace(ROOT, name="Example issuer")
TRUST = Trust(issued_at=datetime(2026, 5, 1, tzinfo=UTC), log_vkeys=(VKEY,), evidence_keys=())


def root_of(*authorities: Sequence[str], log_vkeys: tuple[str, ...] = (VKEY,)) -> dict[str, Any]:
    trust = dataclasses.replace(
        TRUST, log_vkeys=log_vkeys, timestamp_authorities=tuple(tuple(each) for each in authorities)
    )
    value: dict[str, Any] = canonical.loads(sigstore_root.write(trust))
    return value


def chains_of(root: dict[str, Any]) -> list[list[str]]:
    """The certificates of each authority in PEM, in the order in which they stand."""
    return [
        [_pem(canonical.decode_base64(each["rawBytes"])) for each in authority["certChain"]["certificates"]]
        for authority in root["timestampAuthorities"]
    ]


def _pem(der: bytes) -> str:
    return x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM).decode("ascii")


@pytest.mark.parametrize("authority", [pytest.param([], id="none"), pytest.param(["jane"], id="no certificate")])
def test_an_authority_without_readable_certificates_is_refused(authority: list[str]) -> None:
    with pytest.raises(TimestampError):
        root_of(authority)


def of_version(holder: Holder, version: int) -> str:
    """A certificate that says it is of another version; three is written as two."""
    der = ssl.PEM_cert_to_DER_cert(holder.pem)
    head, mark, rest = der.partition(bytes.fromhex("a003020102"))
    return ssl.DER_cert_to_PEM_cert(head + mark[:-1] + bytes([version - 1]) + rest)


def signed_otherwise(holder: Holder) -> str:
    """A certificate with a signature algorithm that nobody knows."""
    der = ssl.PEM_cert_to_DER_cert(holder.pem)
    known, unknown = (bytes.fromhex(f"06082a8648ce3d0403{last}") for last in ("02", "42"))
    assert der.count(known) == 2
    return ssl.DER_cert_to_PEM_cert(der.replace(known, unknown))


def test_a_certificate_of_a_version_that_there_is_not_is_refused() -> None:
    authority = new_authority()
    for pems in ([of_version(authority.root, 6)], [authority.root.pem, of_version(authority.signer, 6)]):
        with pytest.raises(TimestampError):
            root_of(pems)


def test_a_signer_under_an_unknown_signature_leads_nowhere() -> None:
    authority = new_authority()
    odd = signed_otherwise(authority.signer)
    assert chains_of(root_of([authority.root.pem, odd])) == [[odd]]


@pytest.mark.parametrize("position", ["root", "signer"])
@pytest.mark.filterwarnings("ignore")
def test_a_certificate_with_any_byte_changed_is_written_or_refused(position: str) -> None:
    """Extensions may then be there twice, be no extensions, or hold what their parser takes for a mistake of its own."""
    authority = new_authority()
    pems = [authority.root.pem, authority.signer.pem]
    at = ["root", "signer"].index(position)
    der = ssl.PEM_cert_to_DER_cert(pems[at])
    refused = 0
    for number in range(len(der)):
        for mask in (0x01, 0x20, 0x80):
            changed = der[:number] + bytes([der[number] ^ mask]) + der[number + 1 :]
            pems[at] = ssl.DER_cert_to_PEM_cert(changed)
            try:
                root_of(pems)
            except TimestampError:
                refused += 1
    assert 0 < refused < 3 * len(der)


def test_a_log_without_a_readable_key_is_refused() -> None:
    with pytest.raises(CheckpointKeyError):
        root_of(log_vkeys=("log.example/2026",))


def test_the_example_is_written_byte_for_byte() -> None:
    # Written out by hand from sigstore_trustroot.proto.
    expected = {
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [
            {
                "baseUrl": "https://log.example/2026",
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": "MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=",
                    "keyDetails": "PKIX_ED25519",
                    "validFor": {"start": "2020-01-01T00:00:00Z"},
                },
                "logId": {"keyId": "sZY1MW3DNbUdHjZMoHOQgb73h/hfm8LxRVKJLqTQeOs="},
            }
        ],
        "certificateAuthorities": [],
        "ctlogs": [],
        "timestampAuthorities": [],
    }
    assert sigstore_root.write(TRUST) == canonical.dumps(expected)


def test_each_year_and_each_key_of_the_ledger_is_a_log_of_its_own() -> None:
    keys = [Ed25519PrivateKey.generate() for _ in range(2)]
    names = ["log.example/2026", "log.example/2027", "log.example/2027-2"]
    vkeys = tuple(checkpoint.vkey(name, keys[number // 2].public_key()) for number, name in enumerate(names))
    logs = root_of(log_vkeys=vkeys)["tlogs"]
    assert [log["baseUrl"] for log in logs] == [f"https://{name}" for name in names]
    assert len({log["logId"]["keyId"] for log in logs}) == len(names)
    shown = [canonical.decode_base64(log["publicKey"]["rawBytes"]) for log in logs]
    assert shown == [dsse.public_key_der(keys[number // 2].public_key()) for number in range(len(names))]


@pytest.mark.parametrize(
    "between", [pytest.param((), id="none"), pytest.param((ISSUING,), id="one"), pytest.param((ISSUING,) * 2, id="two")]
)
def test_a_chain_runs_from_the_signer_up_to_the_root(between: tuple[CertificateTerms, ...]) -> None:
    pems = new_authority(between=between).pems
    assert chains_of(root_of(pems)) == [list(reversed(pems))]
    # Our trust file asks for the root first, and for nothing else.
    assert chains_of(root_of((pems[0], *reversed(pems[1:])))) == [list(reversed(pems))]


def test_an_authority_with_two_signers_is_two_and_one_without_is_none() -> None:
    authority = new_authority()
    second = issue(CertificateTerms(name="Second TSA"), authority.root)
    root, first = authority.pems
    assert chains_of(root_of((root, first, second.pem))) == [[first, root], [second.pem, root]]
    assert chains_of(root_of((root,))) == []


@pytest.mark.parametrize(
    "terms",
    [
        pytest.param(CertificateTerms(purposes=(ExtendedKeyUsageOID.CODE_SIGNING,)), id="for code"),
        pytest.param(CertificateTerms(purposes=()), id="for nothing in particular"),
        pytest.param(dataclasses.replace(ISSUING, purposes=(ExtendedKeyUsageOID.TIME_STAMPING,)), id="an issuer"),
    ],
)
def test_a_certificate_that_is_no_signer_begins_no_chain(terms: CertificateTerms) -> None:
    assert root_of(new_authority(signer=terms).pems)["timestampAuthorities"] == []


def test_an_authority_is_valid_as_long_as_its_signer() -> None:
    signer = CertificateTerms(valid_from=datetime(2026, 2, 3, tzinfo=UTC), valid_until=datetime(2027, 4, 5, tzinfo=UTC))
    (authority,) = root_of(new_authority(signer=signer).pems)["timestampAuthorities"]
    assert authority["validFor"] == {"start": "2026-02-03T00:00:00Z", "end": "2027-04-05T00:00:00Z"}
    assert authority["subject"]["commonName"] == "CN=Example TSA"


def test_no_private_key_and_no_evidence_key_is_in_it() -> None:
    assert set(json.loads(sigstore_root.write(TRUST))) == {
        "mediaType",
        "tlogs",
        "certificateAuthorities",
        "ctlogs",
        "timestampAuthorities",
    }
