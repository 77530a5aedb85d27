"""What a verification found: steps passed, conclusions in sentences, fingerprints, and what is left to the reader."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from compliance.evidence.bundle import BundleContents
from compliance.evidence.checkpoint import Checkpoint, parse_vkey
from compliance.evidence.conclusions import conclusions_of, counted, state_of
from compliance.evidence.dsse import public_key_sha256
from compliance.evidence.judgement import Judged
from compliance.evidence.witnessing import Witnessing

LEFT_TO_CALLER = (
    "Whether this is the request you asked about: compare its id.",
    "Whether the keys are the controller's: compare the fingerprints with those obtained out of band.",
    "Whether others are shown the same log: compare this checkpoint with one from a witness or another auditor.",
    "Whether more has happened to a request that is still open: its last events can be left out of a bundle, so ask "
    "for a newer one. After the end of a request nothing follows.",
    "Whether the policy asks enough: read policy.json.",
    "Whether the dates of entries are right: they are the controller's clock, bounded by the order of the log, and by "
    "witnesses and time stamps where the report names any.",
)

TITLES = (
    "The archive is complete",
    "The checkpoints are signed by the ledger key",
    "Every entry is in its log",
    "The events are one unbroken chain",
    "The openings match the ledger",
    "Policy and model manifests match the ledger",
    "The evidence is signed and logged",
    "Its key was valid when it signed",
    "The evidence is about this request, in order",
    "The evidence is about these models and this run",
    "The findings are those recorded, and the result follows",
    "The closing rests on this evidence",
    "The summaries say what the ledger says",
)


@dataclass(frozen=True)
class Step:
    """One numbered step of the verification and what it looked at."""

    number: int
    title: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class LogShown:
    """One log of a bundle: its head, the key that signed it, and who else has seen it."""

    number: int
    origin: str
    size: int
    root_sha256: str
    key_sha256: str
    witnesses: tuple[str, ...]
    is_witnessed: bool


@dataclass(frozen=True, kw_only=True)
class Report:
    """A verified bundle. `state` is what the events shown lead to; `is_…_pinned` tells for both kinds of key whether
    the caller brought them."""

    request: str
    state: str
    logs: tuple[LogShown, ...]
    steps: tuple[Step, ...]
    conclusions: tuple[str, ...]
    evidence_key_sha256s: tuple[str, ...]
    is_log_key_pinned: bool
    is_evidence_key_pinned: bool
    left_to_caller: tuple[str, ...] = LEFT_TO_CALLER

    @property
    def is_witnessed(self) -> bool:
        """Whether every checkpoint has the cosignatures that the trust file asks for."""
        return all(log.is_witnessed for log in self.logs)

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {**asdict(self), "is_witnessed": self.is_witnessed}


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What came through every step, for the report. `heads` and `seen` are by log number."""

    contents: BundleContents
    heads: Mapping[int, Checkpoint]
    seen: Mapping[int, Witnessing]
    judged: Judged
    is_log_key_pinned: bool
    is_evidence_key_pinned: bool


def report_of(verified: Verified) -> Report:
    """The report of a bundle that came through every step."""
    judged = verified.judged
    numbered = enumerate(zip(TITLES, _details(verified), strict=True), start=1)
    return Report(
        request=judged.record.request,
        state=state_of(judged.chain),
        logs=tuple(
            log_shown(log.number, log.vkey, verified.heads[log.number], verified.seen[log.number])
            for log in verified.contents.logs
        ),
        steps=tuple(Step(number, title, detail) for number, (title, detail) in numbered),
        conclusions=conclusions_of(judged),
        evidence_key_sha256s=tuple(sorted({signed.key_sha256 for signed in judged.signatures})),
        is_log_key_pinned=verified.is_log_key_pinned,
        is_evidence_key_pinned=verified.is_evidence_key_pinned,
    )


def log_shown(number: int, vkey: str, head: Checkpoint, seen: Witnessing) -> LogShown:
    """A verified log as reports show it."""
    key = Ed25519PublicKey.from_public_bytes(parse_vkey(vkey).public_key_bytes)
    return LogShown(
        number=number,
        origin=head.origin,
        size=head.size,
        root_sha256=head.root.hex(),
        key_sha256=public_key_sha256(key),
        witnesses=tuple(sorted(seen.cosigned_at)),
        is_witnessed=seen.quorum_at is not None,
    )


def _details(verified: Verified) -> list[str]:
    judged, links = verified.judged, verified.judged.chain.links
    record = judged.record
    statements = counted(len(judged.proven), "statement") if judged.proven else "nothing to check: no evidence attached"
    policy = f"policy {judged.policy.sha256[:16]}…" if judged.policy.sha256 else "no plan, no policy"
    heads = [f"{head.origin}, {head.size} entries, root {head.root.hex()[:16]}…" for head in verified.heads.values()]
    witnesses = [
        f"{len(seen.cosigned_at)} witnesses" if seen.quorum_at else "unwitnessed" for seen in verified.seen.values()
    ]
    return [
        f"{counted(len(record.entries), 'entry')}, {counted(len(record.evidence), 'piece')} of evidence",
        "; ".join(f"{head}, {seen}" for head, seen in zip(heads, witnesses, strict=True)),
        counted(len(verified.contents.entries), "inclusion proof"),
        f"{counted(len(links), 'event')}, from {links[0].event.type} to {links[-1].event.type}",
        "shredded: nothing to open" if record.openings is None else "opened",
        f"{policy}, {counted(len(verified.contents.models), 'manifest')}",
        counted(len(judged.signatures), "signature") if judged.signatures else statements,
        counted(len([s for s in judged.signatures if s.proven_at]), "proven time"),
        *[statements] * 3,
        state_of(judged.chain),
        counted(len(record.closings), "summary") if record.closings else "nothing to check: no summary is due",
    ]
