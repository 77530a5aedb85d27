"""What a verification found: steps passed, conclusions in sentences, fingerprints, and what is left to the reader."""

from dataclasses import asdict, dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from compliance.evidence.bundle import BundleContents
from compliance.evidence.chain import Chain
from compliance.evidence.checkpoint import Checkpoint, parse_vkey
from compliance.evidence.closure import Proven
from compliance.evidence.signing import public_key_sha256
from compliance.evidence.verdict import Result, Verdict

LEFT_TO_CALLER = (
    "Whether this is the request you asked about: compare its id.",
    "Whether the keys are the controller's: compare the fingerprints with those obtained out of band.",
    "Whether others are shown the same log: compare this checkpoint with one from a witness or another auditor.",
    "Whether more has happened to a request that is still open: its last events can be left out of a bundle, so ask "
    "for a newer one. After the end of a request nothing follows.",
    "Whether the policy asks enough: read policy.json.",
    "Whether the time stamps are right: they are the controller's clock, bounded only by the order of the log.",
)

TITLES = (
    "The archive is complete",
    "The checkpoint is signed by the ledger key",
    "Every entry is in the log",
    "The events are one unbroken chain",
    "The openings match the ledger",
    "Policy and model manifests match the ledger",
    "The evidence is signed and logged",
    "The evidence is about this request, in order",
    "The evidence is about these models and this run",
    "The findings support the result",
    "The closing rests on this evidence",
)
_STATES = {
    "request.completed": "completed",
    "request.refused": "refused",
    "request.withdrawn": "withdrawn",
}


@dataclass(frozen=True)
class Step:
    """One numbered step of the verification and what it looked at."""

    number: int
    title: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """A verified bundle. `state` is what the events shown lead to; `is_…_pinned` tells for both kinds of key whether
    the caller brought them."""

    request: str
    state: str
    origin: str
    size: int
    steps: tuple[Step, ...]
    conclusions: tuple[str, ...]
    log_key_sha256: str
    evidence_key_sha256s: tuple[str, ...]
    is_log_key_pinned: bool
    is_evidence_key_pinned: bool
    left_to_caller: tuple[str, ...] = LEFT_TO_CALLER

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What came through every step, for the report."""

    contents: BundleContents
    head: Checkpoint
    chain: Chain
    policy_sha256: str
    proven: tuple[Proven, ...]
    evidence_keyids: tuple[str, ...]
    is_log_key_pinned: bool
    is_evidence_key_pinned: bool


def report_of(verified: Verified) -> Report:
    """The report of a bundle that came through every step."""
    log_key = Ed25519PublicKey.from_public_bytes(parse_vkey(verified.contents.log_vkey).public_key_bytes)
    numbered = enumerate(zip(TITLES, _details(verified), strict=True), start=1)
    return Report(
        request=verified.contents.request,
        state=state_of(verified.chain),
        origin=verified.head.origin,
        size=verified.head.size,
        steps=tuple(Step(number, title, detail) for number, (title, detail) in numbered),
        conclusions=_conclusions(verified),
        log_key_sha256=public_key_sha256(log_key),
        evidence_key_sha256s=verified.evidence_keyids,
        is_log_key_pinned=verified.is_log_key_pinned,
        is_evidence_key_pinned=verified.is_evidence_key_pinned,
    )


def _details(verified: Verified) -> list[str]:
    contents, head, links = verified.contents, verified.head, verified.chain.links
    statements = (
        _counted(len(verified.proven), "statement") if verified.proven else "nothing to check: no evidence is attached"
    )
    policy = f"policy {verified.policy_sha256[:16]}…" if verified.policy_sha256 else "no plan, no policy"
    return [
        f"{_counted(len(contents.entries), 'entry')}, {_counted(len(contents.evidence), 'piece')} of evidence",
        f"{head.origin}, {head.size} entries, root {head.root.hex()[:16]}…",
        _counted(len(contents.entries), "inclusion proof"),
        f"{_counted(len(links), 'event')}, from {links[0].event.type} to {links[-1].event.type}",
        "shredded or withheld: nothing to open" if contents.openings is None else "opened",
        f"{policy}, {_counted(len(contents.models), 'manifest')}",
        *[statements] * 4,
        state_of(verified.chain),
    ]


def state_of(chain: Chain) -> str:
    """The state that the chain shows: a terminal one, or the last event of a request in progress."""
    last = chain.links[-1].event.type
    return _STATES.get(last, f"in progress (last event: {last})")


def _conclusions(verified: Verified) -> tuple[str, ...]:
    """What may be said on the strength of the proofs, and no more."""
    chain, proven = verified.chain, verified.proven
    received = chain.received.event
    basis = f"{received.text('regulation')}, ground {received.text('ground')}, by {received.text('channel')}"
    lines = [
        f"The request was received on {received.at:%Y-%m-%d %H:%M:%S} UTC ({basis}).",
        _identity(chain),
        *_decisions(chain),
        *_failures(chain),
        *[line for item in proven for line in _outcome(item)],
        _closing(chain, proven),
    ]
    if verified.contents.openings is None:
        lines.append("Openings shredded or withheld: what was asked and which records were in scope cannot be shown.")
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
    """Runs that came to nothing. A later run that passed does not make them unsaid."""
    lines = []
    for link in chain.links:
        event = link.event
        if event.type == "job.failed":
            lines.append(f"Target {event.text('target')}: a run ended without a result ({event.text('reason')}).")
        elif event.type == "findings.recorded" and event.text("verdict") == Result.FAILED.code:
            lines.append(f"Target {event.text('target')}: a run was judged failed on {event.at:%Y-%m-%d}.")
    return lines


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
        return f"The request is not closed: {_counted(len(proven), 'piece')} of evidence attached so far."
    if closing.event.type != "request.completed":
        shown = f"{_counted(len(proven), 'piece')} of evidence attached" if proven else "no model was shown to forget"
        return f"It ended as {_STATES[closing.event.type]} on {closing.event.at:%Y-%m-%d}; {shown}."
    ground = f"on the strength of exactly the {_counted(len(proven), 'piece')} of evidence above"
    if not proven:
        ground = "without evidence: by the decision no registered model held records of the person"
    return (
        f"It was completed on {closing.event.at:%Y-%m-%d} by a second person, {closing.event.actor_role} "
        f"{closing.event.actor_id}, {ground}."
    )


def _counted(n: int, what: str) -> str:
    """`1 entry`, `2 entries`."""
    if n == 1:
        return f"1 {what}"
    return f"{n} {what[:-1]}ies" if what.endswith("ry") else f"{n} {what}s"


def _holding(n: int) -> str:
    return "1 model that holds records" if n == 1 else f"{n} models that hold records"


def _shown(value: object) -> str:
    return "not computed" if value is None else str(value)
