"""A whole request in a log held in memory: two models, one passed and one warned, signed off by a second person.

Hooks change one thing and leave everything else genuine: `event` sees each event before it becomes a leaf, `facts`
each statement before it is signed, `steps` is the order in which things happen, `log` another request's story that
the log holds already. What comes out is signed and logged like the real thing, so a refusal is due to that one thing.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]  # re-exported without __all__

from compliance.evidence import canonical, checkpoint, commitment, findings, leaf, proof, rekord, signing, tiles
from compliance.evidence.bundle import AttachedEvidence, BundleContents, Entry
from compliance.evidence.findings import Finding
from compliance.evidence.leaf import Event, FactValue
from compliance.evidence.merkle import leaf_hash
from compliance.evidence.statement import Challenge, EvidenceFacts, Method, Worker, statement_bytes
from compliance.evidence.verdict import Result, Verdict

ORIGIN = "ledger.example/test"
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
        {"audit": "retrain_equality", "config": {"threshold": 0}, "accept_inconclusive_when_passed": []},
        {"audit": "mia_loss", "config": {"threshold": 0.1}, "accept_inconclusive_when_passed": ["retrain_equality"]},
    ],
}
START = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)


def some_id(number: int) -> str:
    """A fixed UUID version 4."""
    return str(uuid.UUID(int=number, version=4))


REQUEST, JOB_A, JOB_B, TARGET_A, TARGET_B, SECOND_JOB_A = (some_id(number) for number in range(1, 7))
DPO, OPERATOR, WORKER, SYSTEM, SECOND_DPO, SECOND_WORKER = (some_id(number) for number in range(10, 16))
MODEL_A, MODEL_B, UNCONCERNED = (some_id(number) for number in range(30, 33))


def new_signer() -> signing.EvidenceSigner:
    """An evidence key that lives in memory."""
    key = ec.generate_private_key(ec.SECP256R1())
    return signing.EvidenceSigner(CryptoSigner(key, signing.library_key(key.public_key())), key.public_key())


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
        steps: tuple[str, ...] = STEPS,
        policy: dict[str, object] | bytes = POLICY,
        n_others: int = 300,
        log: "Story | None" = None,
    ) -> None:
        self.log_key, self.signer = log_key, signer
        self.edit_event, self.edit_facts = event, facts
        self.policy = policy if isinstance(policy, bytes) else canonical.dumps(policy)
        self.leaves: list[bytes] = [] if log is None else list(log.leaves)
        self.tiles: dict[tuple[int, int], bytes] = {} if log is None else dict(log.tiles)
        self.types: set[str] = set()
        self.events: list[int] = []
        self.previous: str | None = None
        self.envelopes: dict[str, tuple[int, bytes]] = {}
        self.key = bytes(range(32))
        self.request = {"channel": "api", "scope": "all", "nonce": "1"}
        self.scope: dict[str, object] | None = None
        self.parts = self.new_parts()
        # The parts that the next step is about: all of them, or after a retry the one that is done again.
        self.active = self.parts
        for number in range(0 if log else n_others):
            self.append(b"somebody else's entry %d" % number)
        for step in steps:
            getattr(self, step)()

    def new_parts(self) -> tuple[Part, ...]:
        return (
            self._part(MODEL_A, TARGET_A, JOB_A, "a", is_conclusive=True),
            self._part(MODEL_B, TARGET_B, JOB_B, "b", is_conclusive=False),
        )

    def _part(self, model: str, target: str, job: str, name: str, *, is_conclusive: bool) -> Part:
        covered = {"model": model, "data_source": some_id(20), "records": [f"{name}1", f"{name}2"]}
        return Part(
            model=model,
            target=target,
            job=job,
            before=canonical.dumps({"model": name, "version": 1}),
            after=canonical.dumps({"model": name, "version": 2}),
            forget_commitment=commitment.commit(self.key, "forget-set", covered),
            is_conclusive=is_conclusive,
        )

    def shares(self) -> list[dict[str, Any]]:
        """What the models hold when the decision is made."""
        held = [
            {"model": part.model, "n_records": 2, "forget_commitment": part.forget_commitment} for part in self.parts
        ]
        return [*held, {"model": UNCONCERNED, "n_records": 0, "forget_commitment": "0" * 64}]

    def read_tile(self, level: int, index: int) -> bytes:
        return self.tiles.get((level, index), b"")

    def append(self, entry: bytes) -> int:
        self.tiles |= tiles.append(len(self.leaves), [leaf_hash(entry)], self.read_tile)
        self.leaves.append(entry)
        return len(self.leaves) - 1

    def note(self) -> bytes:
        size = len(self.leaves)
        head = checkpoint.Checkpoint(ORIGIN, size, tiles.root(size, self.read_tile))
        return checkpoint.sign(head, ORIGIN, self.log_key)

    def log(self, event_type: str, role: str, actor: str, facts: Mapping[str, FactValue]) -> None:
        event = Event(
            type=event_type,
            request=REQUEST,
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
        self.log("request.received", "subject", REQUEST, {**facts, "commitment": committed})
        self.received = self.previous

    def request_identity(self) -> None:
        self.log("request.identity_requested", "system", SYSTEM, {"method": "email_code"})

    def confirm_identity(self) -> None:
        self.log("request.identity_confirmed", "subject", REQUEST, {"method": "email_code", "level": 1})

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
        self.challenge = Challenge(checkpoint_sha256=sha256(self.note()).hexdigest(), size=len(self.leaves))
        for part in self.active:
            facts: dict[str, FactValue] = {
                "job": part.job,
                "target": part.target,
                "model": part.model,
                "method": "acu",
                "method_version": "1",
                "config_sha256": self.method().config_sha256,
                "before_sha256": part.before_sha256,
                "challenge_sha256": self.challenge.checkpoint_sha256,
                "attempt": 1,
            }
            self.log("job.started", "worker", WORKER, facts)

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
        again = replace(self.parts[0], job=SECOND_JOB_A)
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
            index = self.append(rekord.hashedrekord(envelope, self.signer.public_key_pem))
            # Only the last evidence of a target is exported.
            self.envelopes[part.target] = (index, envelope)

    def payload(self, part: Part) -> bytes:
        return statement_bytes(self.edit_facts(self.facts(part)))

    def complete(self) -> None:
        listed = [leaf_hash(self.leaves[index]).hex() for index, _ in self.envelopes.values()]
        live = [part.after_sha256 for part in self.parts if part.target in self.envelopes]
        self.log("request.completed", "operator", OPERATOR, {"evidence": listed, "versions": live})

    def refuse(self) -> None:
        self.log("request.refused", "dpo", DPO, {"reason": "art17_3_b"})

    def withdraw(self) -> None:
        self.log("request.withdrawn", "subject", REQUEST, {})

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
            request_id=REQUEST,
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
        """The export of this request under a checkpoint over the whole log."""
        note = self.note()
        openings = commitment.Openings(key=self.key, request=self.request, scope=self.scope)
        kinds = dict.fromkeys(self.events, "event")
        kinds |= {index: "evidence" for index, _ in self.envelopes.values()}
        manifests = [manifest for part in self.parts for manifest in (part.before, part.after)]
        return BundleContents(
            request=REQUEST,
            exported_at=START + timedelta(days=1),
            checkpoint=note,
            log_vkey=checkpoint.vkey(ORIGIN, self.log_key.public_key()),
            evidence_keys=(self.signer.public_key_pem,),
            entries=tuple(self._entry(index, kinds[index], note) for index in sorted(kinds)),
            evidence=tuple(
                AttachedEvidence(target=target, entry=index, envelope=envelope)
                for target, (index, envelope) in self.envelopes.items()
            ),
            models={sha256(m).hexdigest(): m for m in manifests} if "job.recorded" in self.types else {},
            policy=self.policy if "request.planned" in self.types else None,
            openings=openings.to_bytes(),
        )

    def _entry(self, index: int, kind: str, note: bytes) -> Entry:
        entry = self.leaves[index]
        path = tiles.inclusion_path(index, len(self.leaves), self.read_tile)
        written = proof.write(index, path, note, hint=leaf_hash(entry))
        return Entry(index=index, kind=kind, leaf=entry, proof=written)
