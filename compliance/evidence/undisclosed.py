"""A request of an export that was not disclosed, as far as its entries alone can be held against each other.

Whether the evidence is about this request, and supports its result, only its bytes would show. That a completion rests
on evidence that is in the log, on versions that this request's runs made and that passed, and on two persons, the
entries show.
"""

from collections.abc import Callable, Sequence

from compliance.evidence.chain import Chain, Link
from compliance.evidence.completion import refuse_other_decision
from compliance.evidence.errors import CompletionError, ScopeMismatchError
from compliance.evidence.model_runs import ModelRun
from compliance.evidence.position import Position

# Where the entry with a leaf hash (hex) stands that records signed evidence; None when there is none.
FindEvidence = Callable[[str], Position | None]
_ABOUT_NO_MODEL = frozenset(
    {
        *("request.received", "request.identity_requested", "request.identity_confirmed", "request.linked"),
        *("request.question_asked", "request.question_answered", "request.extended", "request.notified"),
        *("request.refused", "request.withdrawn", "request.closed_unverified", "request.unveiled", "request.shredded"),
    }
)


def is_about_no_model(chain: Chain) -> bool:
    """Whether nothing was decided or done that models have to do with: most requests of a big log."""
    return all(link.event.type in _ABOUT_NO_MODEL for link in chain.links)


def refuse_unsupported(chain: Chain, runs: Sequence[ModelRun], find_evidence: FindEvidence) -> list[Position]:
    """The evidence that a completed request rests on, by its entries; nothing for any other request.

    Raises ScopeMismatchError, CompletionError or SameSignerError.
    """
    completed, approved = chain.completed, chain.last("request.approved")
    if completed is None or approved is None:
        return []
    evidence, versions = completed.event.texts("evidence"), completed.event.texts("versions")
    n_targets = approved.event.facts["n_targets"]
    if not n_targets == len(evidence) <= len(versions):
        raise ScopeMismatchError(
            f"The decision names {n_targets} models that hold records; the completion rests on {len(evidence)} pieces of "
            f"evidence and {len(versions)} versions."
        )
    passed = _passed(chain, runs)
    if len(passed) < len(evidence):
        raise CompletionError(
            f"Entry {completed.position} rests on evidence about {len(evidence)} models; this request's last runs passed "
            f"on {len(passed)}."
        )
    refuse_other_decision(chain, approved, completed)
    return _refuse_missing_evidence(completed, evidence, passed, find_evidence)


def _passed(chain: Chain, runs: Sequence[ModelRun]) -> list[ModelRun]:
    """The runs that passed and were the last to be judged on their model."""
    models = {run.job: run.model for run in runs}
    judged = {models[link.event.text("job")]: link.event.text("job") for link in chain.all("findings.recorded")}
    last = {run.job: run for run in runs if run.passed is not None}
    return [last[job] for job in judged.values() if job in last]


def _refuse_missing_evidence(
    completed: Link, evidence: Sequence[str], passed: Sequence[ModelRun], find_evidence: FindEvidence
) -> list[Position]:
    first = min((run.passed for run in passed if run.passed is not None), default=completed.position)
    positions = []
    for digest in evidence:
        position = find_evidence(digest)
        if position is None or not first < position < completed.position:
            raise CompletionError(
                f"Entry {completed.position} rests on the evidence {digest[:16]}…, which is not in the logs between the "
                "findings and this entry."
            )
        positions.append(position)
    if len(set(positions)) != len(positions):
        raise CompletionError(f"Entry {completed.position} rests on one piece of evidence twice.")
    return positions
