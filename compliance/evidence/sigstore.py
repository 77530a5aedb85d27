"""Sigstore bundles v0.3 with a public-key hint: one envelope, its ledger entry with proof, and its time stamps.

A bundle is determined by its parts, so reading it and writing it again must give the same bytes. Clients of Sigstore
verify it with the evidence key and `trusted_root.json`: to them this ledger is a Rekor v2 log.

Source: sigstore/protobuf-specs, sigstore_bundle.proto, sigstore_rekor.proto and sigstore_trustroot.proto;
sigstore/rekor-tiles, CLIENTS.md.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

from compliance.evidence import canonical, checkpoint, dsse
from compliance.evidence.errors import EvidenceError, SigstoreBundleError

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_BEFORE = b'{"dsseEnvelope":'
_BETWEEN = b',"mediaType":"' + MEDIA_TYPE.encode() + b'",'
# The end of the last entry, and of the bundle: the place where the envelope is logged.
_PLACE = re.compile(rb'"logId":\{"keyId":"([A-Za-z0-9+/]{43}=)"\},"logIndex":"(0|[1-9][0-9]{0,15})"\}\]\}\}\Z')
_MAX_PLACE_BYTES = 128
_TOKEN = re.compile(rb'"signedTimestamp":"([A-Za-z0-9+/=]*)"')
_KIND = {"kind": "hashedrekord", "version": "0.0.2"}
# Each is verified against each authority. One is enough, and a few more are there after an authority was changed.
MAX_TIMESTAMPS = 8


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a bundle is made of: envelope and leaf as they were signed and logged, the way to the head, and tokens."""

    envelope: bytes
    leaf: bytes
    index: int
    path: Sequence[bytes]
    checkpoint: bytes
    vkey: str
    timestamps: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Signed:
    """What only a bundle carries: the canonical DSSE envelope, RFC 3161 tokens over its signature, and its place.

    The place is the `log_id` of the log (32 bytes) and the index of the entry, below 10**16.
    """

    envelope: bytes
    timestamps: tuple[bytes, ...]
    log_id: bytes
    index: int


def write(parts: Parts) -> bytes:
    """The bytes of a bundle: canonical JSON, in which the envelope stands as it was signed.

    Raises SigstoreBundleError for a part that is malformed.
    """
    try:
        keyid = dsse.parse_envelope(parts.envelope).keyid
        entry = _entry(parts)
    except EvidenceError as error:
        raise SigstoreBundleError(f"A part of the Sigstore bundle is not in its format. {error}") from error
    # The names of all members are in canonical order. Their values need no escape but for the checkpoint's.
    material = f'"publicKey":{{"hint":"{keyid}"}},{_stamps(parts.timestamps)}"tlogEntries":[{entry}]'
    return b"".join((_BEFORE, parts.envelope, _BETWEEN, b'"verificationMaterial":{', material.encode(), b"}}"))


def read(data: bytes) -> Signed:
    """Envelope, tokens and place of a bundle; raises SigstoreBundleError.

    Nothing else in it is looked at: the caller writes the bundle anew from these, the log's entry and proof, and
    compares the bytes.
    """
    envelope, found, rest = data.removeprefix(_BEFORE).partition(_BETWEEN)
    if not found or not data.startswith(_BEFORE):
        raise SigstoreBundleError("Expected a Sigstore bundle v0.3 in canonical JSON, found something else.")
    place = _PLACE.search(data, max(0, len(data) - _MAX_PLACE_BYTES))
    if place is None:
        raise SigstoreBundleError(
            "Expected a Sigstore bundle that ends with the id of a log and the index of its entry."
        )
    try:
        dsse.parse_envelope(envelope)
        identified = canonical.decode_base64(place[1].decode())
        tokens = tuple(canonical.decode_base64(text.decode()) for text in _TOKEN.findall(rest))
    except ValueError as error:
        raise SigstoreBundleError(f"The Sigstore bundle does not hold what it should. {error}") from error
    _refuse_needless(tokens)
    return Signed(envelope, tokens, identified, int(place[2]))


@lru_cache(maxsize=16)
def log_id(vkey: str) -> bytes:
    """The 32 bytes by which Sigstore names a log: SHA-256(name ‖ LF ‖ 0x01 ‖ key), whose first four sign a note."""
    key = checkpoint.parse_vkey(vkey)
    return sha256(key.name.encode() + b"\n" + key.signature_type + key.public_key_bytes).digest()


def _stamps(tokens: Sequence[bytes]) -> str:
    if not tokens:
        return ""
    _refuse_needless(tokens)
    stamps = ",".join(f'{{"signedTimestamp":"{canonical.encode_base64(token)}"}}' for token in tokens)
    return f'"timestampVerificationData":{{"rfc3161Timestamps":[{stamps}]}},'


def _refuse_needless(tokens: Sequence[bytes]) -> None:
    if len(tokens) > MAX_TIMESTAMPS or len(set(tokens)) != len(tokens):
        raise SigstoreBundleError(
            f"Expected at most {MAX_TIMESTAMPS} time stamps, each once, found {len(tokens)} of which "
            f"{len(set(tokens))} are different."
        )


def _entry(parts: Parts) -> str:
    """Numbers of 64 bits are strings in the JSON of protocol buffers."""
    encode = canonical.encode_base64
    before, after = _of_head(parts.checkpoint, parts.vkey)
    hashes = ",".join(f'"{encode(node)}"' for node in parts.path)
    return (
        f'{{"canonicalizedBody":"{encode(parts.leaf)}","inclusionProof":{{{before},'
        f'"hashes":[{hashes}],"logIndex":"{parts.index}",{after},"logIndex":"{parts.index}"}}'
    )


@lru_cache(maxsize=16)
def _of_head(note: bytes, vkey: str) -> tuple[str, str]:
    """The members of an entry that a ledger's bundles share: those before the hashes, and those after the index."""
    head = checkpoint.parse_body(checkpoint.split_note(note)[0])
    encode = canonical.encode_base64
    before = {"checkpoint": {"envelope": note.decode()}}
    proven = {"rootHash": encode(head.root), "treeSize": str(head.size)}
    logged = {"integratedTime": "0", "kindVersion": _KIND, "logId": {"keyId": encode(log_id(vkey))}}
    return _members(before), f"{_members(proven)}}},{_members(logged)}"


def _members(value: Mapping[str, Any]) -> str:
    """Canonical JSON without the outer braces."""
    return canonical.dumps(value).decode()[1:-1]
