"""The end of a request: what the completion rests on, who signed, and whether the whole scope was covered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compliance.evidence.chain import Chain
from compliance.evidence.commitment import Openings
from compliance.evidence.errors import CompletionError, SameSignerError, ScopeMismatchError
from compliance.evidence.statement import EvidenceFacts
from compliance.evidence.verdict import Result


@dataclass(frozen=True)
class Proven:
    """Evidence that passed every check of its own, with the leaf hash (hex) of its ledger entry."""

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


def refuse_other_scope(proven: Sequence[Proven], scope: Mapping[str, Any], *, is_completed: bool) -> None:
    """Raises ScopeMismatchError where evidence is about records outside the scope, or leaves a model of it out."""
    models = scope.get("models")
    if not isinstance(models, list) or not all(isinstance(model, dict) for model in models):
        raise ScopeMismatchError("The disclosed scope holds no list of models.")
    approved = {model.get("forget_commitment") for model in models}
    covered = {item.facts.forget_commitment for item in proven}
    if not covered <= approved:
        raise ScopeMismatchError("Evidence is about a set of records that the disclosed scope does not name.")
    needed = {model.get("forget_commitment") for model in models if model.get("n_records")}
    if is_completed and not needed <= covered:
        raise ScopeMismatchError(
            f"The scope names {len(needed)} models that hold records; evidence covers {len(needed & covered)} of them."
        )


def refuse_other_completion(chain: Chain, proven: Sequence[Proven]) -> None:
    """Raises CompletionError or SameSignerError where a completed request rests on something else than this."""
    completed = chain.last("request.completed")
    if completed is None:
        return
    _refuse_other_lists(
        "evidence", completed.event.texts("evidence"), [item.sha256 for item in proven], "the evidence attached"
    )
    _refuse_other_lists(
        "live", completed.event.texts("live"), [item.facts.after_sha256 for item in proven], "the versions verified"
    )
    failed = [item.facts.target_id for item in proven if item.facts.result is Result.FAILED]
    if failed:
        raise CompletionError(f"The request was completed although the evidence of target {failed[0]} says FAILED.")
    for approved in chain.all("request.approved"):
        if approved.event.actor_id == completed.event.actor_id:
            raise SameSignerError(
                f"The person {completed.event.actor_id} approved (entry {approved.index}) and signed off "
                f"(entry {completed.index})."
            )


def _refuse_other_lists(fact: str, listed: list[str], found: list[str], what: str) -> None:
    if len(set(listed)) != len(listed) or set(listed) != set(found):
        raise CompletionError(
            f"request.completed lists {len(listed)} under `{fact}`; they are not exactly {what} ({len(found)})."
        )
