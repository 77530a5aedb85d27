"""The end of a request: what the completion rests on, who signed, and whether the whole scope was covered."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compliance.evidence import canonical, completion
from compliance.evidence.chain import Chain, Link
from compliance.evidence.commitment import Openings
from compliance.evidence.errors import (
    CompletionError,
    JobMismatchError,
    ScopeMismatchError,
)
from compliance.evidence.position import Position
from compliance.evidence.statement import EvidenceFacts
from compliance.evidence.verdict import Result


@dataclass(frozen=True)
class Proven:
    """Evidence that passed every check of its own, with position and leaf hash (hex) of its ledger entry."""

    position: Position
    sha256: str
    facts: EvidenceFacts


def refuse_other_commitments(chain: Chain, openings: Openings) -> None:
    """Raises OpeningError unless the openings open the commitments of receipt and decision."""
    openings.refuse_mismatch("request", chain.received.event.text("commitment"))
    approved = chain.last("request.approved")
    if approved is not None:
        openings.refuse_mismatch("scope", approved.event.text("scope_commitment"))
    elif openings.scope is not None:
        raise ScopeMismatchError("openings.json discloses a scope, but no decision that froze one is in the ledger.")


def refuse_repeated(chain: Chain, proven: Sequence[Proven]) -> None:
    """Raises JobMismatchError or ScopeMismatchError where one run, one share or one model stands for two."""
    jobs = [item.facts.job_id for item in proven]
    shares = [item.facts.forget_commitment for item in proven]
    if len(set(jobs)) != len(jobs):
        raise JobMismatchError("Two pieces of evidence rest on one job, which changes one model alone.")
    if len(set(shares)) != len(shares):
        raise ScopeMismatchError("Two pieces of evidence are about the same model's share of the records.")
    if len({model_of(chain, item) for item in proven}) != len(proven):
        raise ScopeMismatchError("Two pieces of evidence come from runs on the same model.")


def refuse_other_scope(chain: Chain, proven: Sequence[Proven], scope: Mapping[str, Any]) -> None:
    """Raises ScopeMismatchError where evidence, decision and the opened scope of the last decision do not agree."""
    approved = chain.last("request.approved")
    held = _held(scope)
    if approved is None or approved.event.facts["n_targets"] != len(held):
        raise ScopeMismatchError(
            f"The decision names another number of targets than the scope, which holds {len(held)}."
        )
    _refuse_other_exceptions(chain, approved, scope)
    for item in proven:
        # Before its end, a request may carry evidence about a share that was approved in an earlier decision.
        if item.position < approved.position and chain.completed is None:
            continue
        share = held.get(item.facts.forget_commitment)
        if share is None:
            raise ScopeMismatchError("Evidence is about a set of records that the disclosed scope does not name.")
        if share["model"] != model_of(chain, item):
            raise ScopeMismatchError(
                f"The run behind the evidence of target {item.facts.target_id} was on another model than the one "
                "whose records the scope names."
            )
        n_records = share["n_records"]
        if n_records != item.facts.n_forget:
            raise ScopeMismatchError(
                f"The evidence of target {item.facts.target_id} is about {item.facts.n_forget} records; "
                f"{n_records} were approved."
            )


def _refuse_other_exceptions(chain: Chain, approved: Link, scope: Mapping[str, Any]) -> None:
    said = {share["model"]: share["exception"] for share in scope["models"] if "exception" in share}
    if said != chain.kept(approved.position).reasons:
        raise ScopeMismatchError("The disclosed scope excepts other models than the entries before the decision do.")


def model_of(chain: Chain, item: Proven) -> str:
    """The registered model that the ledger says the run was started on."""
    starts = chain.of_job("job.started", item.facts.job_id, item.facts.target_id)
    models = {start.event.text("model") for start in starts}
    if len(models) != 1:
        raise JobMismatchError(f"The starts of the job {item.facts.job_id} name {len(models)} models.")
    return models.pop()


def _held(scope: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The shares that hold records and are not excepted, by their commitment."""
    models = scope.get("models")
    if not isinstance(models, list) or not all(map(_is_share, models)):
        raise ScopeMismatchError(
            "The disclosed scope should list model, n_records and forget_commitment of each model."
        )
    held = [share for share in models if share["n_records"] and "exception" not in share]
    by_commitment = {share["forget_commitment"]: share for share in held}
    if len({share["model"] for share in models}) != len(models) or len(by_commitment) != len(held):
        raise ScopeMismatchError("The disclosed scope names a model, or a set of records, twice.")
    return by_commitment


def _is_share(share: object) -> bool:
    return (
        isinstance(share, dict)
        and set(share) - {"exception"} == {"model", "n_records", "forget_commitment"}
        and isinstance(share.get("exception", ""), str)
        and canonical.is_uuid4(share["model"])
        and canonical.is_count(share["n_records"])
        and canonical.is_sha256(share["forget_commitment"])
    )


def refuse_other_completion(chain: Chain, proven: Sequence[Proven]) -> None:
    """Raises ScopeMismatchError, CompletionError or SameSignerError where a completed request rests on something else
    than this evidence, on too little of it, or on one person."""
    completed = chain.completed
    approved = chain.last("request.approved")
    if completed is None or approved is None:
        return
    # The scope may be shredded; how many models it held stands in the ledger.
    if approved.event.facts["n_targets"] != len(proven):
        raise ScopeMismatchError(
            f"The decision names {approved.event.facts['n_targets']} models that hold records; "
            f"evidence covers {len(proven)}."
        )
    _refuse_other_evidence(completed, [item.sha256 for item in proven])
    _refuse_unnamed_versions(completed, [item.facts.after_sha256 for item in proven])
    for item in proven:
        _refuse_unsound(item, chain)
    completion.refuse_other_decision(chain, approved, completed)


def _refuse_other_evidence(completed: Link, found: list[str]) -> None:
    listed = completed.event.texts("evidence")
    if sorted(listed) != sorted(found):
        raise CompletionError(
            f"{completed.event.type} lists {len(listed)} under `evidence`; they are not exactly those of the evidence "
            f"attached ({len(found)})."
        )


def _refuse_unnamed_versions(completed: Link, found: list[str]) -> None:
    missing = Counter(found) - Counter(completed.event.texts("versions"))
    if missing:
        raise CompletionError(
            f"{completed.event.type} leaves out {missing.total()} of the versions that the evidence attached is about."
        )


def _refuse_unsound(item: Proven, chain: Chain) -> None:
    target = item.facts.target_id
    if item.facts.result is Result.FAILED:
        raise CompletionError(f"The request was completed although the evidence of target {target} says FAILED.")
    failed = chain.of_job("job.failed", item.facts.job_id, target)
    if failed:
        raise CompletionError(
            f"The request was completed although the job behind the evidence of target {target} failed at entry "
            f"{failed[0].position}."
        )
    judged = [link for link in chain.all("findings.recorded") if link.event.text("target") == target]
    if judged[-1].event.text("job") != item.facts.job_id:
        raise CompletionError(
            f"The target {target} was judged again at entry {judged[-1].position}; its evidence is about an earlier run."
        )
