"""The trust file: everything an auditor pins, in one file with one fingerprint that is compared on another way.

It names the keys of the logs, the keys of the evidence with the time in which each could be relied on, the roots of the
time stamp authorities, and which witnesses must have seen a checkpoint. Nothing in a bundle can add to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from compliance.evidence import canonical, checkpoint, cosignature, dsse, witness_policy
from compliance.evidence.errors import EvidenceError, KeyValidityError, TrustFileError
from compliance.evidence.timestamp_chain import UNREADABLE

FORMAT = "expunge-trust/1"
# A hundred authorities with long chains stay far below it.
MAX_BYTES = 4_194_304
_EVER_SINCE = datetime(1, 1, 1, tzinfo=UTC)
_MEMBERS = {"format", "issued_at", "logs", "evidence_keys", "timestamp_authorities", "witness_policy"}
_KEY_MEMBERS = {"pem", "valid_from", "valid_until", "distrusted_from"}


@dataclass(frozen=True)
class EvidenceKey:
    """A key that signs evidence, and from when until when (exclusive) that means something."""

    pem: str
    public_key: EllipticCurvePublicKey
    key_sha256: str
    valid_from: datetime
    valid_until: datetime | None = None
    distrusted_from: datetime | None = None

    @classmethod
    def of(
        cls,
        public_key: EllipticCurvePublicKey,
        valid_from: datetime = _EVER_SINCE,
        valid_until: datetime | None = None,
        distrusted_from: datetime | None = None,
    ) -> Self:
        """The entry of a key; without times it is valid for ever."""
        pem = dsse.public_key_pem(public_key).decode("ascii")
        digest = dsse.public_key_sha256(public_key)
        return cls(pem, public_key, digest, valid_from, valid_until, distrusted_from)

    def refuse_invalid(self, signed_at_or_before: datetime | None, *, is_proven: bool) -> None:
        """Raises KeyValidityError unless a signature of this key can be relied on.

        `is_proven` says that others attest the time: then it must lie in [valid_from, valid_until) and before
        distrusted_from. Otherwise the key must be in use still, since whoever holds a key can write any time.
        """
        if signed_at_or_before is None or not is_proven:
            return self._refuse_out_of_use()
        if signed_at_or_before < self.valid_from:
            raise self._invalid(signed_at_or_before, f"valid from {canonical.format_time(self.valid_from)} on")
        for end, word in ((self.distrusted_from, "trusted"), (self.valid_until, "valid")):
            if end is not None and signed_at_or_before >= end:
                raise self._invalid(signed_at_or_before, f"{word} until {canonical.format_time(end)}")
        return None

    def _refuse_out_of_use(self) -> None:
        for end, word in ((self.distrusted_from, "distrusted from"), (self.valid_until, "retired on")):
            if end is not None:
                raise KeyValidityError(
                    f"The evidence key {self.key_sha256} is {word} {canonical.format_time(end)}, and nobody else "
                    "attests that the signature is older. Expected a time stamp from before."
                )

    def _invalid(self, at: datetime, valid: str) -> KeyValidityError:
        return KeyValidityError(
            f"The evidence key {self.key_sha256} is {valid}; the signature is proven for "
            f"{canonical.format_time(at.replace(microsecond=0))}."
        )


@dataclass(frozen=True)
class Trust:
    """What an auditor relies on. Authorities are certificates in PEM, the root of each first."""

    issued_at: datetime
    log_vkeys: tuple[str, ...]
    evidence_keys: tuple[EvidenceKey, ...]
    timestamp_authorities: tuple[tuple[str, ...], ...] = ()
    witness_policy_text: str | None = None

    def key_for(self, key_sha256: str) -> EvidenceKey | None:
        """The evidence key with this fingerprint (hex SHA-256 of its DER SPKI), None when it is not trusted."""
        return next((key for key in self.evidence_keys if key.key_sha256 == key_sha256), None)


def of_keys(log_vkeys: Sequence[str], evidence_keys: Sequence[EllipticCurvePublicKey]) -> Trust:
    """Trust in single keys that a caller pinned without a trust file: for ever, without authorities or witnesses."""
    keys = {dsse.public_key_sha256(key): EvidenceKey.of(key) for key in evidence_keys}
    return Trust(issued_at=_EVER_SINCE, log_vkeys=tuple(log_vkeys), evidence_keys=tuple(keys.values()))


def write(trust: Trust) -> bytes:
    """The bytes of the trust file; raises TrustFileError for anything that `parse` would refuse."""
    try:
        data = canonical.dumps(
            {
                "format": FORMAT,
                "issued_at": canonical.format_time(trust.issued_at),
                "logs": list(trust.log_vkeys),
                "evidence_keys": [_key_value(key) for key in trust.evidence_keys],
                "timestamp_authorities": [list(chain) for chain in trust.timestamp_authorities],
                "witness_policy": trust.witness_policy_text,
            }
        )
    except ValueError as error:
        raise TrustFileError(f"This cannot be written into a trust file: {error}.") from error
    if parse(data) != trust:
        raise TrustFileError("This cannot be written into a trust file: it would be read as something else.")
    return data


def parse(data: bytes) -> Trust:
    """Read a trust file: canonical JSON, nothing left out, nothing added, no key twice. Raises TrustFileError."""
    if len(data) > MAX_BYTES:
        raise TrustFileError(f"Expected a trust file of at most {MAX_BYTES} bytes, found {len(data)}.")
    try:
        value = canonical.loads(data)
        if not isinstance(value, dict) or value.get("format") != FORMAT or set(value) != _MEMBERS:
            raise ValueError(f"it must hold {', '.join(sorted(_MEMBERS))} with the format {FORMAT}")
        return Trust(
            issued_at=canonical.parse_time(value["issued_at"]),
            log_vkeys=_vkeys(value["logs"]),
            evidence_keys=_keys(value["evidence_keys"]),
            timestamp_authorities=tuple(_chain(chain) for chain in _list(value["timestamp_authorities"])),
            witness_policy_text=_policy(value["witness_policy"], value["logs"]),
        )
    except EvidenceError as error:
        raise TrustFileError(f"A key of the trust file cannot be read. {error}") from error
    except ValueError as error:
        raise TrustFileError(f"Expected a trust file, found something else: {error}.") from error


def fingerprint(data: bytes) -> str:
    """What is compared on another way: hex SHA-256 of the file."""
    return sha256(data).hexdigest()


def _key_value(key: EvidenceKey) -> Mapping[str, str | None]:
    return {
        "pem": key.pem,
        "valid_from": canonical.format_time(key.valid_from),
        "valid_until": _time_or_none(key.valid_until),
        "distrusted_from": _time_or_none(key.distrusted_from),
    }


def _time_or_none(at: datetime | None) -> str | None:
    return None if at is None else canonical.format_time(at)


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"expected a list, found a value of type {type(value).__name__}")
    return value


def _vkeys(value: object) -> tuple[str, ...]:
    lines = _list(value)
    for line in lines:
        if not isinstance(line, str) or str(checkpoint.parse_vkey(line)) != line:
            raise ValueError("logs must be vkeys without a final newline")
    if len(set(lines)) != len(lines):
        raise ValueError("a log's vkey stands there twice")
    return tuple(lines)


def _policy(value: object, log_vkeys: Sequence[str]) -> str | None:
    """A log that cosigns its own heads is nobody else who has seen them."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("witness_policy must be a text or null")
    own = {checkpoint.parse_vkey(vkey).public_key_bytes for vkey in log_vkeys}
    witnesses = witness_policy.parse(value).witness_vkeys().values()
    if own & {cosignature.parse_vkey(vkey).public_key_bytes for vkey in witnesses}:
        raise ValueError("a witness of the policy has the key of a log, which would vouch for itself")
    return value


def _keys(value: object) -> tuple[EvidenceKey, ...]:
    keys = tuple(_key(entry) for entry in _list(value))
    if len({key.key_sha256 for key in keys}) != len(keys):
        raise ValueError("an evidence key stands there twice")
    return keys


def _key(value: object) -> EvidenceKey:
    if not isinstance(value, dict) or set(value) != _KEY_MEMBERS or not isinstance(value["pem"], str):
        raise ValueError(f"an evidence key must hold {', '.join(sorted(_KEY_MEMBERS))}")
    public_key = dsse.load_public_key(value["pem"].encode())
    key = EvidenceKey.of(
        public_key,
        canonical.parse_time(value["valid_from"]),
        _optional_time(value["valid_until"]),
        _optional_time(value["distrusted_from"]),
    )
    if key.pem != value["pem"]:
        raise ValueError("an evidence key must be in PEM as openssl writes it, and nothing else beside it")
    if key.valid_until is not None and key.valid_until < key.valid_from:
        raise ValueError(f"the evidence key {key.key_sha256} ends before it begins")
    return key


def _optional_time(value: object) -> datetime | None:
    return None if value is None else canonical.parse_time(value)


def _chain(value: object) -> tuple[str, ...]:
    chain = _list(value)
    if not chain:
        raise ValueError("a time stamp authority must have at least a root certificate")
    for pem in chain:
        try:
            certificate = x509.load_pem_x509_certificate(pem.encode()) if isinstance(pem, str) else None
        except UNREADABLE as error:
            raise ValueError("a certificate of a time stamp authority cannot be read") from error
        if certificate is None or certificate.public_bytes(serialization.Encoding.PEM).decode("ascii") != pem:
            raise ValueError("a time stamp authority must be a list of certificates in PEM as openssl writes them")
    return tuple(chain)
