"""`trusted_root.json`: what clients of Sigstore need to verify our bundles beside the evidence key.

Each of our logs is a Rekor v2 log to them, each time stamp authority one of theirs.

Source: sigstore/protobuf-specs, sigstore_trustroot.proto.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID

from compliance.evidence import canonical, dsse, sigstore
from compliance.evidence.checkpoint import parse_vkey
from compliance.evidence.errors import TimestampError
from compliance.evidence.timestamp_chain import UNREADABLE, is_issued_by, load_authority
from compliance.evidence.trust import Trust

_MEDIA_TYPE = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
# Logs carry no validity in our trust file; their clients ask for a beginning.
_SINCE = "2020-01-01T00:00:00Z"


def write(trust: Trust) -> bytes:
    """The bytes of trusted_root.json for the logs and authorities of a trust file. Evidence keys are given apart.

    Raises TimestampError for an authority whose certificates cannot be read.
    """
    return canonical.dumps(
        {
            "mediaType": _MEDIA_TYPE,
            "tlogs": [_log(vkey) for vkey in trust.log_vkeys],
            "certificateAuthorities": [],
            "ctlogs": [],
            "timestampAuthorities": [
                written for authority in trust.timestamp_authorities for written in _authorities(authority)
            ],
        }
    )


def _log(vkey: str) -> dict[str, Any]:
    key = parse_vkey(vkey)
    der = dsse.public_key_der(Ed25519PublicKey.from_public_bytes(key.public_key_bytes))
    return {
        # Clients find the name under which a checkpoint is signed in this address; nothing is fetched from it.
        "baseUrl": f"https://{key.name}",
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": canonical.encode_base64(der),
            "keyDetails": "PKIX_ED25519",
            "validFor": {"start": _SINCE},
        },
        "logId": {"keyId": canonical.encode_base64(sigstore.log_id(vkey))},
    }


def _authorities(authority: Sequence[str]) -> list[dict[str, Any]]:
    try:
        return [_authority(chain) for chain in _chains(authority)]
    except TimestampError:
        raise
    except UNREADABLE as error:
        raise TimestampError("A certificate of a time stamp authority in the trust file cannot be read.") from error


def _chains(authority: Sequence[str]) -> list[list[x509.Certificate]]:
    """From each signer of an authority up to its root, as clients of Sigstore want it.

    Ours find a signer in the token too; theirs know only what stands here, so an authority whose signers are not in the
    trust file has no chain.
    """
    root, *others = load_authority(authority)
    return [_chain(signer, [*others, root]) for signer in (*others, root) if _is_signer(signer)]


def _is_signer(certificate: x509.Certificate) -> bool:
    values = [extension.value for extension in certificate.extensions]
    return any(
        isinstance(value, x509.ExtendedKeyUsage) and ExtendedKeyUsageOID.TIME_STAMPING in value for value in values
    ) and not any(isinstance(value, x509.BasicConstraints) and value.ca for value in values)


def _chain(signer: x509.Certificate, others: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    chain = [signer]
    while issuer := next((each for each in others if each not in chain and is_issued_by(chain[-1], each)), None):
        chain.append(issuer)
    return chain


def _authority(chain: Sequence[x509.Certificate]) -> dict[str, Any]:
    signer = chain[0]
    subject = signer.subject.rfc4514_string()
    return {
        "subject": {"organization": subject, "commonName": subject},
        "uri": "",
        "certChain": {
            "certificates": [
                {"rawBytes": canonical.encode_base64(each.public_bytes(serialization.Encoding.DER))} for each in chain
            ]
        },
        "validFor": {"start": _time(signer.not_valid_before_utc), "end": _time(signer.not_valid_after_utc)},
    }


def _time(at: datetime) -> str:
    return canonical.format_time(at)
