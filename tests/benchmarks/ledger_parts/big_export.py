"""An export of one log with very many entries, made without a database: what the verifier is measured with.

Of the requests that were completed, all are disclosed, each with a signed result and a signed summary; entries of
requests that were refused fill the log up to its size.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import (
    canonical,
    checkpoint,
    commitment,
    findings,
    leaf,
    rekord,
    signing,
    sigstore,
    tile_files,
    tiles,
    trust,
)
from compliance.evidence.export_folder import README
from compliance.evidence.export_index import Disclosure, ExportedLog, ExportIndex
from compliance.evidence.leaf import Event, FactValue
from compliance.evidence.merkle import leaf_hash
from compliance.evidence.position import Position
from compliance.evidence.statement import Challenge, EvidenceFacts, Method, Worker, statement_bytes
from compliance.evidence.summary import SummaryFacts, summary_bytes
from compliance.evidence.verdict import Result, Verdict

ORIGIN = "bench.example/ledger/2026"
AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
POLICY = canonical.dumps(
    {
        "version": 1,
        "methods": {"analytic_classifier": {"method": "acu", "config": {}}},
        "audits": [
            {"audit": "retrain_equality", "config": {"threshold": 0}, "accept_inconclusive_when_passed": []},
            {"audit": "mia_loss", "config": {"threshold": 0.1}, "accept_inconclusive_when_passed": []},
        ],
    }
)
_METHOD = Method(
    name="acu",
    version="1",
    source_sha256="ab" * 32,
    config={"gamma": 1.0, "n_bits": 8},
    assurance="exact",
    spec_source="paper",
)
_EQUAL = findings.Finding(
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
_ATTACK = replace(
    _EQUAL,
    audit="mia_loss",
    statistic="AUC after minus AUC of the retrained model",
    value=0.0123,
    threshold=0.1,
    interval=(-0.021, 0.043),
    level=0.9,
    n={"forget": 2, "holdout": 200},
)


_FOUND = (_EQUAL, _ATTACK)
_POLICY_SHA256 = sha256(POLICY).hexdigest()


@dataclass(frozen=True)
class _Subject:
    """The ids and versions of one completed request about one model."""

    request: str
    job: str
    target: str
    model: str
    before: bytes
    after: bytes

    @classmethod
    def new_one(cls) -> Self:
        request, job, target, model = (str(uuid.uuid4()) for _ in range(4))
        before, after = (canonical.dumps({"model": model, "version": version}) for version in (1, 2))
        return cls(request, job, target, model, before, after)

    @property
    def key(self) -> bytes:
        return sha256(self.request.encode()).digest()

    @property
    def old(self) -> str:
        return sha256(self.before).hexdigest()

    @property
    def new(self) -> str:
        return sha256(self.after).hexdigest()

    @property
    def share(self) -> str:
        return commitment.commit(self.key, "forget-set", {"records": [self.request]})

    def facts(self, received: str, challenge: Challenge) -> EvidenceFacts:
        return EvidenceFacts(
            request_leaf_sha256=received,
            before_sha256=self.old,
            after_sha256=self.new,
            forget_commitment=self.share,
            policy_sha256=_POLICY_SHA256,
            result=Result.PASSED,
            request_id=self.request,
            target_id=self.target,
            job_id=self.job,
            method=_METHOD,
            findings=_FOUND,
            guarantee_terms={"residual": 1e-12, "gram_sha256": "cd" * 32},
            challenge=challenge,
            started_at=AT,
            finished_at=AT + timedelta(minutes=5),
            worker=Worker(id=self.job, code_version="0.1.0"),
            n_forget=2,
        )

    def summary(self, received: str, completed: str, envelope: bytes, evidence_leaf: str) -> SummaryFacts:
        return SummaryFacts(
            request_id=self.request,
            target_id=self.target,
            model_id=self.model,
            request_leaf_sha256=received,
            completed_leaf_sha256=completed,
            after_sha256=self.new,
            policy_sha256=_POLICY_SHA256,
            evidence_sha256=sha256(envelope).hexdigest(),
            evidence_leaf_sha256=evidence_leaf,
            result=Result.PASSED,
            assurance="exact",
            verified_at=AT,
            worker_id=self.job,
            code_version="0.1.0",
        )


class BigExport:
    """Plays requests into a log in memory; `write` lays the export out in a folder."""

    def __init__(self) -> None:
        self._log_key = Ed25519PrivateKey.generate()
        self._signer = signing.EvidenceSigner.of(ec.generate_private_key(ec.SECP256R1()))
        self.leaves: list[bytes] = []
        self._head = ""
        self._disclosed: list[tuple[Disclosure, bytes, dict[str, bytes]]] = []
        self._models: dict[str, bytes] = {}

    @property
    def vkey(self) -> str:
        """The key of the log."""
        return checkpoint.vkey(ORIGIN, self._log_key.public_key())

    def refuse(self) -> None:
        """Three entries of a request that nobody sees."""
        request = str(uuid.uuid4())
        self._receive(request, bytes(32))
        self._event("request.identity_requested", request, "system", {"method": "email_code"})
        self._event("request.refused", request, "dpo", {"reason": "art17_3_b"})

    def complete(self) -> None:
        """Eleven entries of a request that is disclosed: two of them are signed statements."""
        subject = _Subject.new_one()
        received = self._receive(subject.request, subject.key)
        scope = self._decide(subject)
        challenge = Challenge(checkpoint_sha256=subject.old, log=1, size=len(self.leaves))
        self._run(subject, challenge)
        position, envelope = self._sign(statement_bytes(subject.facts(received, challenge)))
        evidence_leaf = leaf_hash(self.leaves[position.index]).hex()
        listed: dict[str, FactValue] = {"evidence": [evidence_leaf], "versions": [subject.new]}
        second = str(uuid.UUID(int=2, version=4))
        self._event("request.completed", subject.request, "operator", listed, actor=second)
        summary = subject.summary(received, self._head, envelope, evidence_leaf)
        closing_position, closing = self._sign(summary_bytes(summary))
        disclosure = Disclosure(
            request=subject.request,
            evidence={subject.target: position},
            closings={subject.target: closing_position},
            models=(subject.old, subject.new),
            policy_sha256=_POLICY_SHA256,
            is_opened=True,
        )
        openings = commitment.Openings(key=subject.key, request={"nonce": subject.request}, scope=scope).to_bytes()
        envelopes = {f"evidence/{subject.target}": envelope, f"closing/{subject.target}": closing}
        self._disclosed.append((disclosure, openings, envelopes))
        self._models |= {subject.old: subject.before, subject.new: subject.after}

    def _decide(self, subject: _Subject) -> dict[str, Any]:
        request = subject.request
        self._event("request.identity_requested", request, "system", {"method": "email_code"})
        self._event("request.identity_confirmed", request, "subject", {"method": "email_code", "level": 1})
        scope = {"models": [{"model": subject.model, "n_records": 2, "forget_commitment": subject.share}]}
        committed = commitment.commit(subject.key, "scope", scope)
        decided: dict[str, FactValue] = {"ground": "art17_1_b", "scope_commitment": committed, "n_targets": 1}
        self._event("request.approved", request, "dpo", decided)
        self._event("request.planned", request, "system", {"policy_sha256": _POLICY_SHA256, "jobs": [subject.job]})
        return scope

    def _run(self, subject: _Subject, challenge: Challenge) -> None:
        run: dict[str, FactValue] = {"job": subject.job, "target": subject.target}
        started: dict[str, FactValue] = {
            **run,
            "model": subject.model,
            "method": "acu",
            "method_version": "1",
            "config_sha256": _METHOD.config_sha256,
            "before_sha256": subject.old,
            "challenge_sha256": challenge.checkpoint_sha256,
            "attempt": 1,
        }
        self._event("job.started", subject.request, "worker", started)
        versions: dict[str, FactValue] = {"before_sha256": subject.old, "after_sha256": subject.new}
        self._event("job.recorded", subject.request, "worker", {**run, **versions, "assurance": "exact"})
        judged: dict[str, FactValue] = {"findings_sha256": findings.findings_sha256(_FOUND), "verdict": "passed"}
        self._event("findings.recorded", subject.request, "worker", {**run, **judged})

    def write(self, folder: Path) -> trust.Trust:
        """Lay it out; returns what an auditor pins."""
        hashes = [leaf_hash(each) for each in self.leaves]
        built = tiles.append(0, hashes, lambda level, index: b"")
        size = len(hashes)

        def read_tile(level: int, index: int) -> bytes:
            return built.get((level, index), b"")

        head = checkpoint.Checkpoint(ORIGIN, size, tiles.root(size, read_tile))
        note = checkpoint.sign(head, ORIGIN, self._log_key)
        self._write_log(folder / "logs" / "2026", built, note)
        log = ExportedLog(1, self.vkey, "2026")
        _put(folder / "export.json", ExportIndex(exported_at=AT, logs=(log,)).to_bytes())
        _put(folder / "README.txt", README.encode())
        pinned = trust.of_keys([self.vkey], [self._signer.public_key])
        _put(folder / "trust.json", trust.write(pinned))
        _put(folder / "policies" / f"{sha256(POLICY).hexdigest()}.json", POLICY)
        for digest, manifest in self._models.items():
            _put(folder / "models" / f"{digest}.json", manifest)
        for disclosure, openings, envelopes in self._disclosed:
            place = folder / "requests" / disclosure.request
            _put(place / "request.json", disclosure.to_bytes())
            _put(place / "openings.json", openings)
            positions = {f"evidence/{target}": at for target, at in disclosure.evidence.items()}
            positions |= {f"closing/{target}": at for target, at in disclosure.closings.items()}
            for name, envelope in envelopes.items():
                index = positions[name].index
                parts = sigstore.Parts(
                    envelope=envelope,
                    leaf=self.leaves[index],
                    index=index,
                    path=tiles.inclusion_path(index, size, read_tile),
                    checkpoint=note,
                    vkey=self.vkey,
                )
                _put(place / f"{name}.sigstore.json", sigstore.write(parts))
        return pinned

    def _write_log(self, folder: Path, built: Mapping[tuple[int, int], bytes], note: bytes) -> None:
        for (level, index), content in built.items():
            _put(folder / tile_files.tile_path(level, index, len(content) // 32), content)
        for index in range((len(self.leaves) + 255) // 256):
            bundle = self.leaves[index * 256 : (index + 1) * 256]
            _put(folder / tile_files.entries_path(index, len(bundle)), tile_files.encode_entries(bundle))
        _put(folder / "checkpoint", note)

    def _receive(self, request: str, key: bytes) -> str:
        facts = {"channel": "api", "regulation": "gdpr", "ground": "art17_1_b"}
        committed = commitment.commit(key, "request", {"nonce": request})
        self._event("request.received", request, "subject", {**facts, "commitment": committed}, is_first=True)
        return self._head

    def _event(
        self,
        name: str,
        request: str,
        role: str,
        facts: Mapping[str, FactValue],
        *,
        actor: str = str(uuid.UUID(int=1, version=4)),
        is_first: bool = False,
    ) -> None:
        event = Event(
            type=name,
            request=request,
            previous=None if is_first else self._head,
            at=AT,
            actor_role=role,
            actor_id=actor,
            facts=facts,
        )
        self.leaves.append(leaf.build(event))
        self._head = leaf_hash(self.leaves[-1]).hex()

    def _sign(self, payload: bytes) -> tuple[Position, bytes]:
        envelope = self._signer.sign(payload)
        self.leaves.append(rekord.hashedrekord(envelope, self._signer.public_key_pem))
        return Position(1, len(self.leaves) - 1), envelope


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
