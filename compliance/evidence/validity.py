"""Who signed an envelope, when, and whether that key could be relied on then: steps 7 and 8 of a verification."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from compliance.evidence import clock, dsse, timestamp
from compliance.evidence.chain import Chain
from compliance.evidence.errors import EvidencePayloadError, EvidenceSignatureError, EvidenceSignerError, TimestampError
from compliance.evidence.position import Position
from compliance.evidence.record import AttachedEvidence
from compliance.evidence.rekord import HashedRekord
from compliance.evidence.trust import Trust

# When the log was cosigned over a position as the trust file asks; None when it was not.
WitnessedAt = Callable[[Position], datetime | None]


@dataclass(frozen=True)
class Signed:
    """A signature that is in the ledger: whose, where, and the earliest time proven by a time stamp authority."""

    position: Position
    key_sha256: str
    proven_at: datetime | None


def refuse_invalid_signature(
    attached: AttachedEvidence, logged: HashedRekord, trust: Trust, witnessed_at: WitnessedAt, noted_at: datetime
) -> Signed:
    """The signature of an envelope whose bytes, key and signature are those of its entry, by a key valid at that time.

    The time is that of a token where the trust file names an authority. Where it names none, `noted_at`, the time in
    the ledger's last event before, is enough for a key that was retired in due course, but not for one that is
    distrusted: whoever holds it can write any time.
    Raises EvidenceMalformed-, EvidencePayload-, EvidenceSigner-, EvidenceSignature-, Timestamp- or KeyValidityError.
    """
    name = f"The evidence of target {attached.target}"
    envelope = dsse.parse_envelope(attached.envelope)
    if sha256(envelope.pae()).digest() != logged.digest:
        raise EvidencePayloadError(f"{name} carries another statement than entry {attached.position}.")
    keyid = logged.key_sha256
    key = trust.key_for(keyid)
    if key is None:
        raise EvidenceSignerError(f"{name} is signed with the key {keyid}, which is not among those you trust.")
    if envelope.keyid != keyid or envelope.signature != logged.signature:
        raise EvidenceSignatureError(f"{name} carries another signature than entry {attached.position}.")
    dsse.refuse_bad_signature(envelope, logged.public_key)
    proven_at = _proven_at(attached, envelope.signature, trust)
    if proven_at is not None and clock.is_before(proven_at, noted_at):
        raise TimestampError(
            f"{name} was stamped on {proven_at:%Y-%m-%d %H:%M} UTC, before the entry that it follows "
            f"({noted_at:%Y-%m-%d %H:%M}): one of the two was not made then."
        )
    # Whoever holds a stolen key can have old bytes stamped, but not put them under a head that others cosigned before.
    is_proven = proven_at is not None
    if key.distrusted_from is not None:
        seen_at = witnessed_at(attached.position)
        is_proven = is_proven and seen_at is not None and seen_at < key.distrusted_from
    if proven_at is None and key.distrusted_from is None:
        # A key is published when it first signs, which may be after that event: only its end is looked at.
        key.refuse_invalid(max(noted_at, key.valid_from), is_proven=True)
    else:
        key.refuse_invalid(proven_at, is_proven=is_proven)
    return Signed(attached.position, keyid, proven_at)


def refuse_seen_too_early(chain: Chain, witnessed_at: WitnessedAt) -> None:
    """Raises TimestampError where witnesses say that they saw an entry before the day that it bears."""
    for link in chain.links:
        seen_at = witnessed_at(link.position)
        if seen_at is not None and clock.is_before(seen_at, link.event.at):
            raise TimestampError(
                f"Witnesses cosigned on {seen_at:%Y-%m-%d %H:%M} UTC over entry {link.position}, which is dated "
                f"{link.event.at:%Y-%m-%d %H:%M}: one of the two was not made then."
            )


def _proven_at(attached: AttachedEvidence, signature: bytes, trust: Trust) -> datetime | None:
    """The earliest time at which a trusted authority saw the signature; None without tokens or without authorities."""
    if not trust.timestamp_authorities:
        return None
    if not attached.timestamps:
        raise TimestampError(
            f"The evidence of target {attached.target} has no time stamp; your trust file asks for one."
        )
    return min(stamped_at(token, signature, trust.timestamp_authorities) for token in attached.timestamps)


def stamped_at(token: bytes, data: bytes, authorities: Sequence[Sequence[str]]) -> datetime:
    """The time in a token of one of the authorities; raises the TimestampError of the last one that refuses it."""
    refusal = TimestampError("No time stamp authority is trusted.")
    for authority in authorities:
        try:
            return timestamp.verify(token, data, authority)
        except TimestampError as error:
            refusal = error
    raise refusal
