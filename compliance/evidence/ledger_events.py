"""What every entry of whole logs must be, and what the ledger itself says about keys and logs.

Requests that were not disclosed are checked as far as their entries allow: allow-list, one unbroken chain each.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from compliance.evidence import canonical, dsse, roles, witness_policy
from compliance.evidence import leaf as leaves
from compliance.evidence.checkpoint import parse_vkey
from compliance.evidence.errors import KeyValidityError, LeafError
from compliance.evidence.leaf import Event
from compliance.evidence.position import Position
from compliance.evidence.trust import EvidenceKey, Trust
from compliance.evidence.whole_log import WholeLog

Parsed = TypeVar("Parsed")

_EVIDENCE = b'{"apiVersion":'


@dataclass(frozen=True)
class Sorted:
    """The entries of all logs by what they are: positions of each request's events and of evidence; other events."""

    of_requests: Mapping[str, tuple[Position, ...]]
    evidence: tuple[Position, ...]
    others: tuple[tuple[Position, Event], ...]


def sort_entries(logs: Sequence[WholeLog]) -> Sorted:
    """Tell entries apart; raises LeafError for one that looks like neither, ActorRoleError for one of a wrong role.

    Events of requests and evidence are only sorted here: chain.py and judgement.py read them, and
    `refuse_malformed_evidence` what is left.
    """
    of_requests: dict[str, list[Position]] = defaultdict(list)
    evidence: list[Position] = []
    others: list[tuple[Position, Event]] = []
    for log in logs:
        for index, leaf in enumerate(log.leaves):
            position = Position(log.number, index)
            if leaf.startswith(_EVIDENCE):
                evidence.append(position)
                continue
            request = leaves.request_of(leaf)
            if request is None:
                event = _parsed(leaves.parse, leaf, position)
                roles.refuse_other_role(position, event)
                others.append((position, event))
            else:
                of_requests[request].append(position)
    return Sorted({key: tuple(value) for key, value in of_requests.items()}, tuple(evidence), tuple(others))


def refuse_malformed_evidence(positions: Iterable[Position], logs: Mapping[int, WholeLog]) -> None:
    """Raises LeafError for an entry at one of these positions that is no evidence."""
    for position in positions:
        _parsed(leaves.parse_hashedrekord, logs[position.log].leaves[position.index], position)


def _parsed(parse: Callable[[bytes], Parsed], leaf: bytes, position: Position) -> Parsed:
    try:
        return parse(leaf)
    except LeafError as error:
        raise LeafError(f"Entry {position}: {error}") from error


def refuse_untold_keys(others: Iterable[tuple[Position, Event]], trust: Trust) -> None:
    """Raises KeyValidityError where the ledger distrusts or retires a key, and the trust file does not, or only later.

    A distrusted log key must not be in it, unless witnesses vouch for its log.
    """
    for position, event in others:
        if event.type not in ("key.distrusted", "key.retired"):
            continue
        key_sha256 = event.text("key_sha256")
        if event.text("purpose") == "evidence":
            is_told = _is_told(event, trust.key_for(key_sha256))
        else:
            is_told = event.type == "key.retired" or not _is_relied_on(key_sha256, trust)
        if not is_told:
            raise KeyValidityError(
                f"Entry {position} says {event.type} of the key {key_sha256}; your trust file does not, or says it of "
                "a later time. Ask for a newer one."
            )


def _is_told(event: Event, key: EvidenceKey | None) -> bool:
    if key is None:
        return True
    is_distrust = event.type == "key.distrusted"
    said = canonical.parse_time(event.text("distrusted_from" if is_distrust else "valid_until"))
    told = key.distrusted_from if is_distrust else key.valid_until
    return told is not None and told <= said


def _is_relied_on(key_sha256: str, trust: Trust) -> bool:
    """Whether a log under this key is believed with nobody else vouching for it."""
    policy = trust.witness_policy_text
    if policy is not None and witness_policy.parse(policy).quorum is not None:
        return False
    keys = (parse_vkey(vkey).public_key_bytes for vkey in trust.log_vkeys)
    return key_sha256 in {dsse.public_key_sha256(Ed25519PublicKey.from_public_bytes(each)) for each in keys}
