"""What may be said of a judged request on the strength of the proofs, in sentences, and no more."""

from compliance.evidence.chain import Chain, Link
from compliance.evidence.closure import Proven
from compliance.evidence.course import course_of
from compliance.evidence.judgement import Judged
from compliance.evidence.validity import Signed
from compliance.evidence.verdict import Result, Verdict

_STATES = {
    "request.completed": "completed",
    "request.partly_completed": "partly_completed",
    "request.closed_unverified": "closed_unverified",
    "request.refused": "refused",
    "request.withdrawn": "withdrawn",
}


def state_of(chain: Chain) -> str:
    """The state that the chain shows: a terminal one, or the last event of a request in progress."""
    if chain.closing is not None:
        return _STATES[chain.closing.event.type]
    return f"in progress (last event: {chain.links[-1].event.type})"


def conclusions_of(judged: Judged) -> tuple[str, ...]:
    """What may be said on the strength of the proofs, and no more."""
    chain, proven = judged.chain, judged.proven
    received = chain.received.event
    basis = f"{received.text('regulation')}, ground {received.text('ground')}, by {received.text('channel')}"
    lines = [
        f"The request was received on {received.at:%Y-%m-%d %H:%M:%S} UTC ({basis}).",
        _identity(chain),
        *course_of(chain),
        *_decisions(chain),
        *_failures(chain),
        *[line for item in proven for line in _outcome(item)],
        _closing(chain, proven),
    ]
    lines += _signatures(judged.signatures)
    if judged.record.openings is None:
        lines.append("The openings were shredded: what was asked and which records were in scope cannot be shown.")
    return tuple(lines)


def _identity(chain: Chain) -> str:
    confirmed = chain.last("request.identity_confirmed")
    if confirmed is None:
        return "The ledger holds no confirmation of the person's identity."
    return f"Identity was confirmed ({confirmed.event.text('method')}, level {confirmed.event.facts['level']})."


def _decisions(chain: Chain) -> list[str]:
    lines = []
    for number, approved in enumerate(chain.all("request.approved")):
        event = approved.event
        basis = f"ground {event.text('ground')}, {_holding(int(str(event.facts['n_targets'])))}"
        anew = " anew" if number else ""
        lines.append(f"It was approved{anew} on {event.at:%Y-%m-%d} ({basis}) by {event.actor_role} {event.actor_id}.")
    return lines


def _failures(chain: Chain) -> list[str]:
    """Runs that came to nothing, and plans under other rules. A later run that passed does not make them unsaid."""
    lines = []
    for link in chain.links:
        event = link.event
        if event.type == "job.failed":
            lines.append(f"Target {event.text('target')}: a run ended without a result ({event.text('reason')}).")
        elif event.type == "request.planned" and _policy_before(chain, link) not in (None, event.text("policy_sha256")):
            lines.append(f"It was planned again on {event.at:%Y-%m-%d} under ANOTHER POLICY than before.")
        elif event.type == "findings.recorded" and event.text("verdict") == Result.FAILED.code:
            lines.append(f"Target {event.text('target')}: a run was judged failed on {event.at:%Y-%m-%d}.")
    return lines


def _policy_before(chain: Chain, planned: Link) -> str | None:
    """Digest of the policy of the plan before this one."""
    before = chain.last("request.planned", before=planned.position)
    return None if before is None else before.event.text("policy_sha256")


def _outcome(item: Proven) -> list[str]:
    facts = item.facts
    method = f"{facts.method.name} {facts.method.version} ({facts.method.assurance})"
    lines = [
        f"Target {facts.target_id}: {facts.result}. {method} took model {facts.before_sha256[:16]}… to "
        f"{facts.after_sha256[:16]}…, forgetting {facts.n_forget} records. {facts.claim}"
    ]
    for finding in facts.findings:
        because = f" ({'; '.join(finding.reasons)})" if finding.reasons else ""
        lines.append(
            f"  {finding.audit}: {finding.verdict}, {finding.statistic} = {_shown(finding.value)}, "
            f"threshold {finding.threshold}{because}"
        )
    if facts.result is Result.WARNED:
        open_audits = [finding.audit for finding in facts.findings if finding.verdict is Verdict.INCONCLUSIVE]
        lines.append(f"  Not shown by {', '.join(open_audits)}: the policy accepts that, you need not.")
    return lines


def _closing(chain: Chain, proven: tuple[Proven, ...]) -> str:
    closing = chain.closing
    if closing is None:
        return f"The request is not closed: {counted(len(proven), 'piece')} of evidence attached so far."
    if chain.completed is None:
        shown = f"{counted(len(proven), 'piece')} of evidence attached" if proven else "no model was shown to forget"
        return f"It ended as {_STATES[closing.event.type].replace('_', ' ')} on {closing.event.at:%Y-%m-%d}; {shown}."
    ground = f"on the strength of exactly the {counted(len(proven), 'piece')} of evidence above"
    if not proven:
        ground = "without evidence: by the decision no registered model held records of the person"
    extent = "in part, for models were excepted," if closing.event.type == "request.partly_completed" else ""
    return (
        f"It was completed {extent}{' ' if extent else ''}on {closing.event.at:%Y-%m-%d} by a second person, {closing.event.actor_role} "
        f"{closing.event.actor_id}, {ground}."
    )


def _signatures(signatures: tuple[Signed, ...]) -> list[str]:
    """When the signatures were made: proven by a time stamp authority, or only said by the controller's clock."""
    if not signatures:
        return []
    proven = sorted(signed.proven_at for signed in signatures if signed.proven_at is not None)
    if not proven:
        return ["No trusted time stamp proves when the evidence was signed: its dates are the controller's clock."]
    return [f"A trusted authority stamped {len(proven)} signatures, from {proven[0]:%Y-%m-%d %H:%M:%S} UTC on."]


def counted(n: int, what: str) -> str:
    """`1 entry`, `2 entries`."""
    if n == 1:
        return f"1 {what}"
    if what.endswith("ry"):
        return f"{n} {what[:-1]}ies"
    return f"{n} {what}{'es' if what.endswith('sh') else 's'}"


def _holding(n: int) -> str:
    return "1 model that holds records" if n == 1 else f"{n} models that hold records"


def _shown(value: object) -> str:
    return "not computed" if value is None else str(value)
