"""A whole request in a log held in memory: two models, one passed and one warned, signed off by a second person.

Hooks change one thing and leave everything else genuine: `event` sees each event before it becomes a leaf, `facts`
each statement and `summary` each summary before it is signed, `steps` is the order in which things happen. What comes
out is signed and logged like the real thing, so a refusal is due to that one thing. Requests of other numbers have
ids, models' versions and keys of their own, and share a `ledger`.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import canonical, commitment, consistency, findings, leaf, rekord, signing
from compliance.evidence.bundle import BundleContents
from compliance.evidence.findings import Finding
from compliance.evidence.leaf import Event, FactValue
from compliance.evidence.merkle import leaf_hash
from compliance.evidence.position import Position
from compliance.evidence.record import AttachedEvidence
from compliance.evidence.statement import (
    Challenge,
    EvidenceFacts,
    Method,
    Worker,
    statement_bytes,
)
from compliance.evidence.summary import SummaryFacts, summary_bytes
from compliance.evidence.verdict import Result, Verdict

from .ledgers import Ledger

STEPS = (
    "receive",
    "request_identity",
    "confirm_identity",
    "approve",
    "plan",
    "start",
    "record",
    "find",
    "attach",
    "complete",
)
POLICY = {
    "version": 1,
    "methods": {"analytic_classifier": {"method": "acu", "config": {}}},
    "audits": [
        {
            "audit": "retrain_equality",
            "config": {"threshold": 0},
            "pass_when": "value_at_most_threshold",
            "accept_inconclusive_when_passed": [],
        },
        {
            "audit": "mia_loss",
            "config": {"threshold": 0.1},
            "pass_when": "interval_within_threshold",
            "accept_inconclusive_when_passed": ["retrain_equality"],
        },
    ],
}
START = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)


def some_id(number: int) -> str:
    """A fixed UUID version 4."""
    return str(uuid.UUID(int=number, version=4))


REQUEST, JOB_A, JOB_B, TARGET_A, TARGET_B, SECOND_JOB_A = (some_id(number) for number in range(1, 7))
DPO, OPERATOR, WORKER, SYSTEM, SECOND_DPO, SECOND_WORKER = (some_id(number) for number in range(10, 16))
MODEL_A, MODEL_B, UNCONCERNED = (some_id(number) for number in range(30, 33))


@dataclass(frozen=True)
class Ids:
    """The ids of the request with one number; number 0 has those named above."""

    number: int

    def of(self, name: str) -> str:
        """The id of this request for the one that number 0 has."""
        return some_id(uuid.UUID(name).int % 2**62 + 1000 * self.number)

    @property
    def request(self) -> str:
        return self.of(REQUEST)


def new_signer() -> signing.EvidenceSigner:
    """An evidence key that lives in memory."""
    key = ec.generate_private_key(ec.SECP256R1())
    return signing.EvidenceSigner.of(key)


@dataclass(frozen=True)
class Part:
    """One model's share of the request, and the run that it got."""

    model: str
    target: str
    job: str
    before: bytes
    after: bytes
    forget_commitment: str
    is_conclusive: bool

    @property
    def before_sha256(self) -> str:
        return sha256(self.before).hexdigest()

    @property
    def after_sha256(self) -> str:
        return sha256(self.after).hexdigest()


class Story:
    """Plays the steps on construction; `contents()` exports the bundle."""

    def __init__(
        self,
        *,
        log_key: Ed25519PrivateKey,
        signer: signing.EvidenceSigner,
        event: Callable[[Event], Event] = lambda event: event,
        facts: Callable[[EvidenceFacts], EvidenceFacts] = lambda facts: facts,
        summary: Callable[[SummaryFacts], SummaryFacts] = lambda facts: facts,
        steps: tuple[str, ...] = STEPS,
        policy: dict[str, object] | bytes = POLICY,
        n_others: int = 300,
        ledger: Ledger | None = None,
        number: int = 0,
    ) -> None:
        self.log_key, self.signer = log_key, signer
        self.ledger = Ledger(log_key, n_others=n_others) if ledger is None else ledger
        self.ids = Ids(number)
        self.number, self.request_id = number, self.ids.request
        self.edit_event, self.edit_facts, self.edit_summary = event, facts, summary
        self.policy = policy if isinstance(policy, bytes) else canonical.dumps(policy)
        self.types: set[str] = set()
        self.events: list[Position] = []
        self.previous: str | None = None
        self.envelopes: dict[str, tuple[Position, bytes]] = {}
        self.challenged: dict[str, Challenge] = {}
        self.summaries: dict[str, tuple[Position, bytes]] = {}
        self.key = bytes(range(number, number + 32))
        self.request = {"channel": "api", "scope": "all", "nonce": "1"}
        self.scope: dict[str, object] | None = None
        self.parts = self.new_parts()
        # The parts that the next step is about: all of them, or after a retry the one that is done again.
        self.active = self.parts
        for step in steps:
            getattr(self, step)()

    def new_parts(self) -> tuple[Part, ...]:
        return (
            self._part(MODEL_A, self.ids.of(TARGET_A), self.ids.of(JOB_A), "a", is_conclusive=True),
            self._part(MODEL_B, self.ids.of(TARGET_B), self.ids.of(JOB_B), "b", is_conclusive=False),
        )

    def _part(self, model: str, target: str, job: str, name: str, *, is_conclusive: bool) -> Part:
        covered = {"model": model, "data_source": some_id(20), "records": [f"{name}1", f"{name}2"]}
        return Part(
            model=model,
            target=target,
            job=job,
            before=canonical.dumps({"model": name, "version": 1 + 2 * self.number}),
            after=canonical.dumps({"model": name, "version": 2 + 2 * self.number}),
            forget_commitment=commitment.commit(self.key, "forget-set", covered),
            is_conclusive=is_conclusive,
        )

    def shares(self) -> list[dict[str, Any]]:
        """What the models hold when the decision is made."""
        held = [
            {"model": part.model, "n_records": 2, "forget_commitment": part.forget_commitment} for part in self.parts
        ]
        return [*held, {"model": UNCONCERNED, "n_records": 0, "forget_commitment": "0" * 64}]

    def append(self, entry: bytes) -> Position:
        return self.ledger.append(entry)

    def turn_year(self) -> None:
        """The ledger goes on in another log."""
        self.ledger.open_next()

    def log(self, event_type: str, role: str, actor: str, facts: Mapping[str, FactValue]) -> None:
        event = Event(
            type=event_type,
            request=self.request_id,
            previous=self.previous,
            at=START + timedelta(minutes=len(self.events)),
            actor_role=role,
            actor_id=actor,
            facts=facts,
        )
        entry = self.to_leaf(self.edit_event(event))
        self.types.add(event_type)
        self.previous = leaf_hash(entry).hex()
        self.events.append(self.append(entry))

    def to_leaf(self, event: Event) -> bytes:
        return leaf.build(event)

    def receive(self) -> None:
        facts = {"channel": "api", "regulation": "gdpr", "ground": "art17_1_b"}
        committed = commitment.commit(self.key, "request", self.request)
        self.log("request.received", "subject", self.request_id, {**facts, "commitment": committed})
        self.received = self.previous

    def request_identity(self) -> None:
        self.log("request.identity_requested", "system", SYSTEM, {"method": "email_code"})

    def confirm_identity(self) -> None:
        self.log("request.identity_confirmed", "subject", self.request_id, {"method": "email_code", "level": 1})

    def approve(self) -> None:
        self.decide(DPO)

    def approve_anew(self) -> None:
        self.decide(SECOND_DPO)

    def decide(self, dpo: str) -> None:
        self.scope = {"models": self.shares()}
        committed = commitment.commit(self.key, "scope", self.scope)
        facts: dict[str, FactValue] = {"ground": "art17_1_b", "scope_commitment": committed}
        self.log("request.approved", "dpo", dpo, {**facts, "n_targets": len(self.parts)})

    def plan(self) -> None:
        jobs = [part.job for part in self.active]
        facts: dict[str, FactValue] = {"policy_sha256": sha256(self.policy).hexdigest(), "jobs": jobs}
        self.log("request.planned", "system", SYSTEM, facts)

    def start(self) -> None:
        self.challenge = self.new_challenge()
        for part in self.active:
            facts: dict[str, FactValue] = {
                "job": part.job,
                "target": part.target,
                "model": part.model,
                "method": "acu",
                "method_version": "1",
                "config_sha256": self.method().config_sha256,
                "before_sha256": part.before_sha256,
                "challenge_sha256": self.challenge.root_sha256,
                "attempt": 1,
            }
            self.log("job.started", "worker", WORKER, facts)

    def new_challenge(self) -> Challenge:
        """The newest head."""
        head = self.ledger.last.head()
        return Challenge(log=self.ledger.last.number, size=head.size, root_sha256=head.root.hex())

    def record(self) -> None:
        for part in self.active:
            versions = {"before_sha256": part.before_sha256, "after_sha256": part.after_sha256}
            facts = {"job": part.job, "target": part.target, **versions, "assurance": "exact"}
            self.log("job.recorded", "worker", WORKER, facts)

    def fail(self) -> None:
        for part in self.active:
            facts: dict[str, FactValue] = {"job": part.job, "target": part.target, "reason": "out_of_memory"}
            self.log("job.failed", "worker", WORKER, facts)

    def need_attention(self) -> None:
        self.log("request.attention", "system", SYSTEM, {"reason": "job_failed"})

    def only_first(self) -> None:
        """The next steps are about the first model alone."""
        self.active = self.parts[:1]

    def only_second(self) -> None:
        self.active = self.parts[1:]

    def retry(self) -> None:
        """The first model gets a new job."""
        again = replace(self.parts[0], job=self.ids.of(SECOND_JOB_A))
        self.parts, self.active = (again, *self.parts[1:]), (again,)
        self.log("request.retried", "operator", OPERATOR, {"job": again.job})

    def find(self) -> None:
        for part in self.active:
            digest = findings.findings_sha256(self.findings(part))
            verdict = self.result(part).code
            facts = {"job": part.job, "target": part.target, "findings_sha256": digest, "verdict": verdict}
            self.log("findings.recorded", "worker", WORKER, facts)

    def attach(self) -> None:
        for part in self.active:
            envelope = self.signer.sign(self.payload(part))
            self.challenged[part.target] = self.challenge
            # Only the last evidence of a target is exported.
            self.envelopes[part.target] = (self.append(self.logged(envelope)), envelope)

    def logged(self, envelope: bytes) -> bytes:
        """The entry of an envelope."""
        return rekord.hashedrekord(envelope, self.signer.public_key_pem)

    def payload(self, part: Part) -> bytes:
        return statement_bytes(self.edit_facts(self.facts(part)))

    def complete(self) -> None:
        listed = [leaf_hash(self.ledger.leaf(position)).hex() for position, _ in self.envelopes.values()]
        live = [part.after_sha256 for part in self.parts if part.target in self.envelopes]
        self.log("request.completed", "operator", OPERATOR, {"evidence": listed, "versions": live})
        for part in self.parts:
            if part.target in self.envelopes:
                self.summarise(part)

    def shred(self) -> None:
        self.log("request.shredded", "system", SYSTEM, {})

    def summarise(self, part: Part) -> None:
        """A worker signs what the request came to for one model."""
        signed = self.signer.sign(self.summary_payload(part))
        self.summaries[part.target] = (self.append(self.logged(signed)), signed)

    def summary_payload(self, part: Part) -> bytes:
        return summary_bytes(self.edit_summary(self.summary_facts(part)))

    def summary_facts(self, part: Part) -> SummaryFacts:
        position, envelope = self.envelopes[part.target]
        said = self.edit_facts(self.facts(part))
        return SummaryFacts(
            request_id=said.request_id,
            target_id=said.target_id,
            model_id=part.model,
            request_leaf_sha256=said.request_leaf_sha256,
            completed_leaf_sha256=str(self.previous),
            after_sha256=said.after_sha256,
            policy_sha256=said.policy_sha256,
            evidence_sha256=sha256(envelope).hexdigest(),
            evidence_leaf_sha256=leaf_hash(self.ledger.leaf(position)).hex(),
            result=said.result,
            assurance=said.method.assurance,
            verified_at=START + timedelta(hours=1),
            worker_id=WORKER,
            code_version="0.1.0",
        )

    def refuse(self) -> None:
        self.log("request.refused", "dpo", DPO, {"reason": "art17_3_b"})

    def withdraw(self) -> None:
        self.log("request.withdrawn", "subject", self.request_id, {})

    def method(self) -> Method:
        return Method(
            name="acu",
            version="1",
            source_sha256="ab" * 32,
            config={"gamma": 1.0, "n_bits": 8},
            assurance="exact",
            spec_source="paper",
        )

    def result(self, part: Part) -> Result:
        return Result.PASSED if part.is_conclusive else Result.WARNED

    def findings(self, part: Part) -> tuple[Finding, ...]:
        equal = Finding(
            audit="retrain_equality",
            version="1",
            statistic="largest difference of weights",
            value=0,
            threshold=0,
            interval=None,
            level=None,
            p_value=None,
            n={"retain": 500},
            verdict=Verdict.PASS,
        )
        attack = replace(
            equal,
            audit="mia_loss",
            statistic="AUC after minus AUC of the retrained model",
            value=0.01,
            threshold=0.1,
            interval=(-0.02, 0.04),
            level=0.9,
            n={"forget": 2, "holdout": 200},
            verdict=Verdict.PASS if part.is_conclusive else Verdict.INCONCLUSIVE,
            reasons=() if part.is_conclusive else ("the attack has no power on the model before",),
        )
        return equal, attack

    def facts(self, part: Part) -> EvidenceFacts:
        return EvidenceFacts(
            request_leaf_sha256=str(self.received),
            before_sha256=part.before_sha256,
            after_sha256=part.after_sha256,
            forget_commitment=part.forget_commitment,
            policy_sha256=sha256(self.policy).hexdigest(),
            result=self.result(part),
            request_id=self.request_id,
            target_id=part.target,
            job_id=part.job,
            method=self.method(),
            findings=self.findings(part),
            guarantee_terms={"residual": 1e-12, "gram_sha256": "cd" * 32},
            challenge=self.challenge,
            started_at=START,
            finished_at=START + timedelta(minutes=5),
            worker=Worker(id=WORKER, code_version="0.1.0"),
            n_forget=2,
        )

    def contents(self) -> BundleContents:
        """The export of this request under checkpoints over the whole ledger."""
        kinds = dict.fromkeys(self.events, "event")
        kinds |= {position: "evidence" for position, _ in (*self.envelopes.values(), *self.summaries.values())}
        logs, entries = self.ledger.shown(kinds)
        return BundleContents(
            request=self.request_id,
            exported_at=START + timedelta(days=1),
            logs=logs,
            evidence_keys=(self.signer.public_key_pem,),
            entries=entries,
            evidence=_attached(self.envelopes),
            closings=_attached(self.summaries),
            challenges=self.challenges(),
            models=self.manifests(),
            policy=self.policy if "request.planned" in self.types else None,
            openings=None if "request.shredded" in self.types else self.openings().to_bytes(),
        )

    def challenges(self) -> dict[tuple[int, int], bytes]:
        """What proves that the log had the root that evidence names."""
        notes = self.ledger.notes()
        return {
            (each.log, each.size): self._consistency(each, notes[each.log])
            for each in sorted(self.challenged.values(), key=lambda each: (each.log, each.size))
        }

    def _consistency(self, challenge: Challenge, note: bytes) -> bytes:
        log = self.ledger.logs[challenge.log]
        path = consistency.path_between(challenge.size, len(log.leaves), log.read_tile)
        return consistency.write(challenge.size, path, note)

    def openings(self) -> commitment.Openings:
        return commitment.Openings(key=self.key, request=self.request, scope=self.scope)

    def manifests(self) -> dict[str, bytes]:
        """The models' manifests by digest, once a result is recorded."""
        if "job.recorded" not in self.types:
            return {}
        return {sha256(held).hexdigest(): held for part in self.parts for held in (part.before, part.after)}


def _attached(envelopes: dict[str, tuple[Position, bytes]]) -> tuple[AttachedEvidence, ...]:
    return tuple(
        AttachedEvidence(target=target, position=position, envelope=envelope)
        for target, (position, envelope) in envelopes.items()
    )
