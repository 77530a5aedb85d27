"""The signed summaries of a completed request against ledger and evidence: one for each model, saying the same."""

from hashlib import sha256

from compliance.evidence import dsse
from compliance.evidence.chain import Chain
from compliance.evidence.closure import Proven, model_of
from compliance.evidence.errors import ClosingStatementError, UnexpectedFileError
from compliance.evidence.record import AttachedEvidence, Record
from compliance.evidence.summary import SummaryFacts, parse_summary


def refuse_other_summaries(record: Record, chain: Chain, proven: tuple[Proven, ...]) -> None:
    """Raises ClosingStatementError unless a completed request has exactly one true summary for each model; and
    UnexpectedFileError for a summary of a request that is not completed."""
    completed = chain.completed
    if completed is None:
        if record.closings:
            raise UnexpectedFileError("A summary is shown of a request that the ledger does not say was completed.")
        return
    by_target = {item.facts.target_id: item for item in proven}
    if sorted(closing.target for closing in record.closings) != sorted(by_target):
        raise ClosingStatementError(
            f"The completion rests on {len(by_target)} targets; summaries are shown of {len(record.closings)}, or of "
            "others."
        )
    envelopes = {attached.target: attached.envelope for attached in record.evidence}
    for closing in record.closings:
        if closing.position < completed.position:
            raise ClosingStatementError(f"The summary of target {closing.target} stands before the completion.")
        item = by_target[closing.target]
        _refuse_other_words(closing, _expected(chain, item, completed.sha256, envelopes[closing.target]))


def _expected(chain: Chain, item: Proven, completed_sha256: str, envelope: bytes) -> dict[str, object]:
    """What the summary must say, out of ledger and evidence."""
    facts = item.facts
    return {
        "request_id": facts.request_id,
        "target_id": facts.target_id,
        "model_id": model_of(chain, item),
        "request_leaf_sha256": facts.request_leaf_sha256,
        "completed_leaf_sha256": completed_sha256,
        "after_sha256": facts.after_sha256,
        "policy_sha256": facts.policy_sha256,
        "evidence_sha256": sha256(envelope).hexdigest(),
        "evidence_leaf_sha256": item.sha256,
        "result": facts.result,
        "assurance": facts.method.assurance,
    }


def _refuse_other_words(closing: AttachedEvidence, expected: dict[str, object]) -> None:
    said: SummaryFacts = parse_summary(dsse.parse_envelope(closing.envelope).payload)
    for name, value in expected.items():
        if getattr(said, name) != value:
            raise ClosingStatementError(
                f"The summary of target {closing.target} says {name} {getattr(said, name)}; ledger and evidence say "
                f"{value}."
            )
