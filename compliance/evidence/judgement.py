"""One request judged: steps 4 to 13 of a verification, the same for a bundle and for an export of whole logs.

Everything here rests on entries that were already found in their log (record.py).
"""

from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any

from compliance.evidence import attachment, canonical, closure, commitment, summaries, validity
from compliance.evidence.attachment import HadRoot, HasManifest
from compliance.evidence.chain import Chain
from compliance.evidence.closure import Proven
from compliance.evidence.errors import (
    MalformedFileError,
    MissingFileError,
    PolicyMismatchError,
    UnexpectedFileError,
)
from compliance.evidence.record import AttachedEvidence, Record
from compliance.evidence.rekord import parse_hashedrekord
from compliance.evidence.statement import EvidenceFacts
from compliance.evidence.trust import Trust
from compliance.evidence.validity import Signed, WitnessedAt


@dataclass(frozen=True)
class Policy:
    """The policy file, parsed, with its digest; empty when no plan was made."""

    sha256: str
    document: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What came through every step. `signatures` has one item for each envelope, results before summaries."""

    record: Record
    chain: Chain
    openings: commitment.Openings | None
    policy: Policy
    proven: tuple[Proven, ...]
    signatures: tuple[Signed, ...]


def judge(
    record: Record,
    chain: Chain,
    trust: Trust,
    witnessed_at: WitnessedAt,
    had_root: HadRoot,
    has_manifest: HasManifest,
) -> Judged:
    """Judge one request by its chain; raises the EvidenceError of the first thing that is wrong.

    `witnessed_at` tells when the log was cosigned over a position as the trust file asks, `had_root` whether it had a
    root, `has_manifest` whether the manifest of a version is shown.
    """
    # 4. One unbroken chain: it was read; and no time in it contradicts the witnesses.
    validity.refuse_seen_too_early(chain, witnessed_at)
    # 5. Commitments.
    openings = _open_commitments(record, chain)
    # 6. The policy.
    policy = _read_policy(record, chain)
    # 7. to 11. Each piece of evidence.
    logged = {entry.position: parse_hashedrekord(entry.leaf) for entry in record.entries if entry.kind == "evidence"}
    signatures = {
        attached.position: validity.refuse_invalid_signature(
            attached, logged[attached.position], trust, witnessed_at, chain.noted_at(attached.position)
        )
        for attached in (*record.evidence, *record.closings)
    }
    hashes = {entry.position: entry.sha256 for entry in record.entries}
    proven = tuple(
        Proven(
            attached.position,
            hashes[attached.position],
            _verify_attached(attached, chain, policy, had_root, has_manifest),
        )
        for attached in record.evidence
    )
    # 12. Scope and completion.
    closure.refuse_repeated(chain, proven)
    if openings is not None and openings.scope is not None:
        closure.refuse_other_scope(chain, proven, openings.scope)
    closure.refuse_other_completion(chain, proven)
    # 13. Signed summaries of a completed request.
    summaries.refuse_other_summaries(record, chain, proven)
    return Judged(
        record=record,
        chain=chain,
        openings=openings,
        policy=policy,
        proven=proven,
        signatures=tuple(signatures.values()),
    )


def _open_commitments(record: Record, chain: Chain) -> commitment.Openings | None:
    is_shredded = chain.last("request.shredded") is not None
    if record.openings is None:
        if not is_shredded:
            raise MissingFileError(
                "openings.json is missing, and the ledger does not say that it was shredded: what was asked, and whether "
                "the evidence covers it, would stay hidden."
            )
        return None
    if is_shredded:
        raise UnexpectedFileError("The ledger says that the openings were shredded, but openings.json is there.")
    openings = commitment.parse_openings(record.openings)
    closure.refuse_other_commitments(chain, openings)
    return openings


def _read_policy(record: Record, chain: Chain) -> Policy:
    planned = chain.last("request.planned")
    if planned is None:
        if record.policy is not None:
            raise UnexpectedFileError("The bundle holds policy.json, but no plan that names a policy is in the ledger.")
        return Policy("")
    if record.policy is None:
        raise MissingFileError("A plan names a policy, but policy.json is missing.")
    digest = sha256(record.policy).hexdigest()
    expected = planned.event.text("policy_sha256")
    if digest != expected:
        raise PolicyMismatchError(f"policy.json has the digest {digest[:16]}…, the plan recorded {expected[:16]}….")
    return Policy(digest, _document(record.policy))


@lru_cache(maxsize=16)
def _document(policy: bytes) -> dict[str, Any]:
    """The parsed policy, not to be changed: many requests of an export share one."""
    try:
        document = canonical.loads(policy)
    except ValueError as error:
        raise MalformedFileError(f"policy.json: {error}.") from error
    if not isinstance(document, dict):
        raise MalformedFileError("policy.json: expected an object.")
    return document


def _verify_attached(
    attached: AttachedEvidence,
    chain: Chain,
    policy: Policy,
    had_root: HadRoot,
    has_manifest: HasManifest,
) -> EvidenceFacts:
    # 7. A statement of ours.
    facts = attachment.open_statement(attached)
    # 9. This request, in order.
    run = attachment.find_run(facts, attached, chain)
    # 10. These versions, this method, this policy, this challenge.
    attachment.refuse_other_models(facts, run, has_manifest)
    attachment.refuse_other_job(facts, run)
    attachment.refuse_other_policy(facts, run, policy.sha256, policy.document)
    attachment.refuse_other_challenge(facts, run, had_root)
    # 11. Findings and result.
    attachment.refuse_other_findings(facts, run, policy.document)
    return facts
