"""Verify a bundle offline. One call, no network, no clock, no database; the first thing that is wrong ends it.

 1. The archive is a bundle: every file accounted for, none missing, none twice (bundle.read).
 2. The checkpoint is signed by the ledger key: the pinned one, or else the bundle's own, named in the report.
 3. Every entry is in the log under that checkpoint.
 4. Every entry is of the allow-list, and the events are one unbroken chain of this one request, runs after plans.
 5. The openings open the commitments in the ledger, or are absent (shredded).
 6. The policy shown is the one that the plan recorded; every model manifest has the digest of its name.
 7. Each attached statement is, byte for byte, the one in the ledger, signed with a trusted evidence key.
 8. It is about this request, and plan, start, result, findings, evidence and closing stand in that order.
 9. It is about the versions, method, configuration, policy and challenge that the ledger recorded.
10. Its findings are those recorded, judged at the policy's thresholds, and its result follows from them.
11. The evidence covers the scope, model by model, and a completion rests on exactly this evidence, signed by a
    second person.

Left to the caller: see report.LEFT_TO_CALLER.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from compliance.evidence import attachment, bundle, canonical, closure, commitment, membership, signing
from compliance.evidence import chain as chains
from compliance.evidence.bundle import AttachedEvidence, BundleContents
from compliance.evidence.chain import Chain
from compliance.evidence.closure import Proven
from compliance.evidence.errors import (
    MalformedFileError,
    MissingFileError,
    PolicyMismatchError,
    SwappedModelError,
    UnexpectedFileError,
)
from compliance.evidence.rekord import HashedRekord, parse_hashedrekord
from compliance.evidence.report import Report, Verified, report_of
from compliance.evidence.statement import EvidenceFacts


@dataclass(frozen=True)
class _Policy:
    """The policy file, parsed, with its digest; empty when no plan was made."""

    sha256: str
    document: dict[str, Any]


def verify_bundle(
    data: bytes,
    *,
    log_vkeys: Sequence[str] | None = None,
    evidence_keys: Sequence[EllipticCurvePublicKey] | None = None,
) -> Report:
    """Verify the bytes of a bundle; raises the EvidenceError of the first thing that is wrong.

    `log_vkeys` and `evidence_keys` are the keys the caller trusts; an empty list trusts nobody. With None the
    bundle's own keys are used: then the report proves only that the bundle fits the fingerprints it names.
    """
    # 1. Every file accounted for.
    contents = bundle.read(data)
    # 2. The checkpoint under a trusted key.
    head = membership.open_checkpoint(contents, log_vkeys)
    # 3. Every entry under the checkpoint.
    note = contents.checkpoint
    hashes = {entry.index: membership.refuse_foreign_entry(entry, note, head) for entry in contents.entries}
    # 4. One unbroken chain.
    logged = {entry.index: parse_hashedrekord(entry.leaf) for entry in contents.entries if entry.kind == "evidence"}
    chain = chains.read(contents, hashes)
    # 5. Commitments.
    openings = _open_commitments(contents, chain)
    # 6. Policy and manifests.
    policy = _read_policy(contents, chain)
    _refuse_other_manifests(contents, chain)
    # 7. to 10. Each piece of evidence.
    trusted = _own_keys(contents) if evidence_keys is None else evidence_keys
    proven = tuple(
        Proven(
            attached.entry,
            hashes[attached.entry],
            _verify_attached(attached, logged, contents, chain, policy, trusted),
        )
        for attached in contents.evidence
    )
    # 11. Scope and completion.
    closure.refuse_repeated(chain, proven)
    if openings is not None and openings.scope is not None:
        closure.refuse_other_scope(chain, proven, openings.scope)
    closure.refuse_other_completion(chain, proven)
    return report_of(
        Verified(
            contents=contents,
            head=head,
            chain=chain,
            policy_sha256=policy.sha256,
            proven=proven,
            evidence_keyids=tuple(sorted({signing.public_key_sha256(rekord.public_key) for rekord in logged.values()})),
            is_log_key_pinned=log_vkeys is not None,
            is_evidence_key_pinned=evidence_keys is not None,
        )
    )


def _own_keys(contents: BundleContents) -> list[EllipticCurvePublicKey]:
    return [signing.load_public_key(pem) for pem in contents.evidence_keys]


def _open_commitments(contents: BundleContents, chain: Chain) -> commitment.Openings | None:
    if contents.openings is None:
        return None
    openings = commitment.parse_openings(contents.openings)
    closure.refuse_other_commitments(chain, openings)
    return openings


def _read_policy(contents: BundleContents, chain: Chain) -> _Policy:
    planned = chain.last("request.planned")
    if planned is None:
        if contents.policy is not None:
            raise UnexpectedFileError("The bundle holds policy.json, but no plan that names a policy is in the ledger.")
        return _Policy("", {})
    if contents.policy is None:
        raise MissingFileError("A plan names a policy, but policy.json is missing.")
    digest = sha256(contents.policy).hexdigest()
    expected = planned.event.text("policy_sha256")
    if digest != expected:
        raise PolicyMismatchError(f"policy.json has the digest {digest[:16]}…, the plan recorded {expected[:16]}….")
    try:
        document = canonical.loads(contents.policy)
    except ValueError as error:
        raise MalformedFileError(f"policy.json: {error}.") from error
    if not isinstance(document, dict):
        raise MalformedFileError("policy.json: expected an object.")
    return _Policy(digest, document)


def _refuse_other_manifests(contents: BundleContents, chain: Chain) -> None:
    for digest, manifest in contents.models.items():
        if sha256(manifest).hexdigest() != digest:
            raise SwappedModelError(f"models/{digest}.json does not have the digest of its name.")
    jobs = chain.all("job.started") + chain.all("job.recorded")
    named = {str(link.event.facts.get(fact)) for link in jobs for fact in ("before_sha256", "after_sha256")}
    foreign = sorted(set(contents.models) - named)
    if foreign:
        raise SwappedModelError(f"No job of this request names the model models/{foreign[0]}.json.")


def _verify_attached(
    attached: AttachedEvidence,
    logged: dict[int, HashedRekord],
    contents: BundleContents,
    chain: Chain,
    policy: _Policy,
    trusted: Sequence[EllipticCurvePublicKey],
) -> EvidenceFacts:
    # 7. The bytes, the key, the signature.
    facts = attachment.open_statement(attached, logged[attached.entry], trusted)
    # 8. This request, in order.
    run = attachment.find_run(facts, attached, chain)
    # 9. These versions, this method, this policy, this challenge.
    attachment.refuse_other_models(facts, run, contents.models)
    attachment.refuse_other_job(facts, run)
    attachment.refuse_other_policy(facts, run, policy.sha256, policy.document)
    attachment.refuse_other_challenge(facts, run)
    # 10. Findings and result.
    attachment.refuse_other_findings(facts, run, policy.document)
    return facts
