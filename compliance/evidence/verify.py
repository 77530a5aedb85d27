"""Verify the bundle of one request offline. One call, no network, no clock, no database; the first fault ends it.

 1. The archive is a bundle: every file accounted for, none missing, none twice (bundle.read).
 2. Each checkpoint is signed by the ledger key, and cosigned as the trust file asks: with the pinned keys, or else the
    bundle's own, named in the report.
 3. Every entry is in its log under that checkpoint, and each log begins with the end of the one before it; each
    Sigstore bundle is the one that its envelope, entry, proof and time stamps determine.
 4. Every entry is of the allow-list and by a role that may write it (roles.py). The events are one unbroken chain of
    this one request: the approval after a proof of identity, runs after plans and on no model that was excepted or on
    hold; and no time contradicts the order or the witnesses.
 5. The openings open the commitments in the ledger; they are absent only when it says that they were shredded.
 6. The policy shown is the one that the plan recorded; every model manifest has the digest of its name.
 7. Each attached statement is, byte for byte, the one in the ledger, signed with a trusted evidence key.
 8. The key was valid at the time that a trusted time stamp proves, or is neither retired nor distrusted; and it was not
    stamped before the entry that it follows.
 9. It is about this request, and plan, start, result, findings, evidence and closing stand in that order.
10. It is about the versions, method, configuration and policy that the ledger recorded; and its challenge is the root
    that the log had when the job started, the plan included.
11. Its findings are those recorded, each passes by the policy's rule and threshold if it is said to have passed, and its
    result follows from them.
12. The evidence covers the scope, model by model, and a completion rests on exactly this evidence and on the last
    decision: the same models are excepted, none is on hold, what was planned after it was done. Who signed neither
    approved nor excepted a model (completion.py).
13. A completed request has one signed summary for each model, and it says what ledger and evidence say.

Steps 4 to 13 are in judgement.py, which the verification of whole logs shares. Left to the caller: see
report.LEFT_TO_CALLER.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from compliance.evidence import bundle, consistency, dsse, membership, witnessing
from compliance.evidence import chain as chains
from compliance.evidence import trust as trusts
from compliance.evidence.bundle import BundleContents
from compliance.evidence.chain import Chain
from compliance.evidence.checkpoint import Checkpoint
from compliance.evidence.errors import ConsistencyError, SwappedModelError, UnexpectedFileError
from compliance.evidence.judgement import Judged, judge
from compliance.evidence.position import Position
from compliance.evidence.record import Logged, Record
from compliance.evidence.report import Report, Verified, report_of
from compliance.evidence.trust import Trust
from compliance.evidence.validity import WitnessedAt


def verify_bundle(
    data: bytes,
    *,
    trust: Trust | None = None,
    log_vkeys: Sequence[str] | None = None,
    evidence_keys: Sequence[EllipticCurvePublicKey] | None = None,
) -> Report:
    """Verify the bytes of a bundle; raises the EvidenceError of the first thing that is wrong. See `judge_bundle`."""
    return report_of(judge_bundle(data, trust=trust, log_vkeys=log_vkeys, evidence_keys=evidence_keys))


def judge_bundle(
    data: bytes,
    *,
    trust: Trust | None = None,
    log_vkeys: Sequence[str] | None = None,
    evidence_keys: Sequence[EllipticCurvePublicKey] | None = None,
) -> Verified:
    """What came through every step; raises the EvidenceError of the first thing that is wrong.

    `trust` is the trust file that the caller pinned. Without one, `log_vkeys` and `evidence_keys` are the keys the
    caller trusts; an empty list trusts nobody. With None the bundle's own keys are used: then the report proves only
    that the bundle fits the fingerprints it names.
    """
    # 1. Every file accounted for.
    contents = bundle.read(data)
    trusted = _keys_alone(contents, log_vkeys, evidence_keys) if trust is None else trust
    # 2. The checkpoints under trusted keys, and seen by others.
    heads = {
        log.number: membership.open_checkpoint(log.vkey, log.checkpoint, trusted.log_vkeys) for log in contents.logs
    }
    seen = {log.number: witnessing.witnessing_of(log.checkpoint, trusted) for log in contents.logs}
    # 3. Every entry under its checkpoint, log after log.
    entries = membership.refuse_foreign_entries(contents.entries, contents.logs, heads)
    membership.refuse_broken_succession(heads, entries)
    bundle.refuse_other_sigstore(data, contents)

    def witnessed_at(position: Position) -> datetime | None:
        return seen[position.log].quorum_at

    # 4. to 13. The request.
    return Verified(
        contents=contents,
        heads=heads,
        seen=seen,
        judged=_judge(contents, entries, heads, trusted, witnessed_at),
        is_log_key_pinned=trust is not None or log_vkeys is not None,
        is_evidence_key_pinned=trust is not None or evidence_keys is not None,
    )


def _judge(
    contents: BundleContents,
    entries: Sequence[Logged],
    heads: Mapping[int, Checkpoint],
    trust: Trust,
    witnessed_at: WitnessedAt,
) -> Judged:
    asked: set[tuple[int, int]] = set()

    def had_root(log: int, size: int, root: bytes) -> bool:
        asked.add((log, size))
        shown = contents.challenges.get((log, size))
        if shown is None or log not in heads:
            return False
        try:
            proof = consistency.parse(shown)
            consistency.verify(Checkpoint(heads[log].origin, size, root), heads[log], proof.path)
        except ConsistencyError:
            return False
        return consistency.write(size, proof.path, notes[log]) == shown

    notes = {log.number: log.checkpoint for log in contents.logs}
    chain = chains.read(contents.request, entries)
    _refuse_other_manifests(contents.models, chain)
    record = _record(contents, entries)
    judged = judge(record, chain, trust, witnessed_at, had_root, contents.models.__contains__)
    unasked = sorted(set(contents.challenges) - asked)
    if unasked:
        raise UnexpectedFileError(
            f"No evidence names the challenge over {unasked[0][1]} entries of log {unasked[0][0]}."
        )
    return judged


def _refuse_other_manifests(models: Mapping[str, bytes], chain: Chain) -> None:
    for digest, manifest in models.items():
        if sha256(manifest).hexdigest() != digest:
            raise SwappedModelError(f"models/{digest}.json does not have the digest of its name.")
    jobs = chain.all("job.started") + chain.all("job.recorded")
    named = {str(link.event.facts.get(fact)) for link in jobs for fact in ("before_sha256", "after_sha256")}
    foreign = sorted(set(models) - named)
    if foreign:
        raise SwappedModelError(f"No job of this request names the model models/{foreign[0]}.json.")


def _keys_alone(
    contents: BundleContents,
    log_vkeys: Sequence[str] | None,
    evidence_keys: Sequence[EllipticCurvePublicKey] | None,
) -> Trust:
    """Trust in single keys: the caller's, and for want of them the bundle's own."""
    own = [dsse.load_public_key(pem) for pem in contents.evidence_keys]
    return trusts.of_keys(
        [log.vkey for log in contents.logs] if log_vkeys is None else log_vkeys,
        own if evidence_keys is None else evidence_keys,
    )


def _record(contents: BundleContents, entries: Sequence[Logged]) -> Record:
    return Record(
        request=contents.request,
        entries=tuple(entry for entry in entries if entry.kind != "log"),
        evidence=contents.evidence,
        closings=contents.closings,
        policy=contents.policy,
        openings=contents.openings,
    )
