"""An export of one log with very many entries, made without a database: what the verifier is measured with.

Of the requests that were completed, all are disclosed, each with a signed result and a signed summary: one of a few
registered models forgets, beginning from the version that the run before left. Entries of requests that were refused
fill the log up to its size.
"""

import uuid
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

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
from compliance.evidence.export_folder import README, Kind, openings_name, signed_name
from compliance.evidence.export_index import ExportedLog, ExportIndex
from compliance.evidence.leaf import Event, FactValue
from compliance.evidence.merkle import leaf_hash
from compliance.evidence.position import Position
from compliance.evidence.statement import Challenge, statement_bytes
from compliance.evidence.summary import summary_bytes
from tests.benchmarks.ledger_parts.big_request import AT, FOUND, METHOD, POLICY, POLICY_SHA256, Subject

ORIGIN = "bench.example/ledger/2026"
N_MODELS = 3


class BigExport:
    """Plays requests into a log in memory; `write` lays the export out in a folder."""

    def __init__(self) -> None:
        self._log_key = Ed25519PrivateKey.generate()
        self._signer = signing.EvidenceSigner.of(ec.generate_private_key(ec.SECP256R1()))
        self.leaves: list[bytes] = []
        self._head = ""
        self._disclosed: list[tuple[Subject, bytes, dict[Kind, tuple[Position, bytes]]]] = []
        self._models: dict[str, bytes] = {}
        self._heads = {str(uuid.uuid4()): b"" for _ in range(N_MODELS)}
        self._tree: dict[tuple[int, int], bytes] = {}
        self._n_in_tree = 0
        for model in self._heads:
            self._register(model)

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
        model = list(self._heads)[len(self._disclosed) % N_MODELS]
        subject = Subject.new_one(model, self._heads[model], len(self._disclosed) + 1)
        received = self._receive(subject.request, subject.key)
        scope = self._decide(subject)
        challenge = Challenge(log=1, size=len(self.leaves), root_sha256=self._root().hex())
        self._run(subject, challenge)
        position, envelope = self._sign(statement_bytes(subject.facts(received, challenge)))
        evidence_leaf = leaf_hash(self.leaves[position.index]).hex()
        listed: dict[str, FactValue] = {"evidence": [evidence_leaf], "versions": [subject.new]}
        second = str(uuid.UUID(int=2, version=4))
        self._event("request.completed", subject.request, "operator", listed, actor=second)
        summary = subject.summary(received, self._head, envelope, evidence_leaf)
        closing = self._sign(summary_bytes(summary))
        openings = commitment.Openings(key=subject.key, request={"nonce": subject.request}, scope=scope).to_bytes()
        signed: dict[Kind, tuple[Position, bytes]] = {"evidence": (position, envelope), "closing": closing}
        self._disclosed.append((subject, openings, signed))
        self._models |= {subject.old: subject.before, subject.new: subject.after}
        self._heads[model] = subject.after

    def _register(self, model: str) -> None:
        self._heads[model] = canonical.dumps({"model": model, "version": 0})
        self._event(
            "model.registered", None, "system", {"model": model, "family": "analytic_classifier"}, is_first=True
        )
        version = {"version_sha256": sha256(self._heads[model]).hexdigest(), "records_commitment": "ab" * 32}
        facts: dict[str, FactValue] = {"model": model, **version, "n_records": 100_000}
        self._event("version.registered", None, "system", facts, is_first=True)

    def _root(self) -> bytes:
        """The root over all entries so far."""
        new = [leaf_hash(each) for each in self.leaves[self._n_in_tree :]]
        self._tree |= tiles.append(self._n_in_tree, new, self._read_tile)
        self._n_in_tree = len(self.leaves)
        return tiles.root(self._n_in_tree, self._read_tile)

    def _read_tile(self, level: int, index: int) -> bytes:
        return self._tree.get((level, index), b"")

    def _decide(self, subject: Subject) -> dict[str, Any]:
        request = subject.request
        self._event("request.identity_requested", request, "system", {"method": "email_code"})
        self._event("request.identity_confirmed", request, "subject", {"method": "email_code", "level": 1})
        others = [model for model in self._heads if model != subject.model]
        nothing = [{"model": model, "n_records": 0, "forget_commitment": subject.nothing(model)} for model in others]
        held = {"model": subject.model, "n_records": 2, "forget_commitment": subject.share}
        scope = {"models": [held, *nothing]}
        committed = commitment.commit(subject.key, "scope", scope)
        decided: dict[str, FactValue] = {"ground": "art17_1_b", "scope_commitment": committed, "n_targets": 1}
        self._event("request.approved", request, "dpo", decided)
        self._event("request.planned", request, "system", {"policy_sha256": POLICY_SHA256, "jobs": [subject.job]})
        return scope

    def _run(self, subject: Subject, challenge: Challenge) -> None:
        run: dict[str, FactValue] = {"job": subject.job, "target": subject.target}
        started: dict[str, FactValue] = {
            **run,
            "model": subject.model,
            "method": "acu",
            "method_version": "1",
            "config_sha256": METHOD.config_sha256,
            "before_sha256": subject.old,
            "challenge_sha256": challenge.root_sha256,
            "attempt": 1,
        }
        self._event("job.started", subject.request, "worker", started)
        versions: dict[str, FactValue] = {"before_sha256": subject.old, "after_sha256": subject.new}
        self._event("job.recorded", subject.request, "worker", {**run, **versions, "assurance": "exact"})
        judged: dict[str, FactValue] = {"findings_sha256": findings.findings_sha256(FOUND), "verdict": "passed"}
        self._event("findings.recorded", subject.request, "worker", {**run, **judged})

    def write(self, folder: Path) -> trust.Trust:
        """Lay it out; returns what an auditor pins."""
        head = checkpoint.Checkpoint(ORIGIN, len(self.leaves), self._root())
        note = checkpoint.sign(head, ORIGIN, self._log_key)
        self._write_log(folder / "logs" / "2026", self._tree, note)
        log = ExportedLog(1, self.vkey, "2026")
        _put(folder / "export.json", ExportIndex(exported_at=AT, logs=(log,)).to_bytes())
        _put(folder / "README.txt", README.encode())
        pinned = trust.of_keys([self.vkey], [self._signer.public_key])
        _put(folder / "trust.json", trust.write(pinned))
        _put(folder / "policies" / f"{sha256(POLICY).hexdigest()}.json", POLICY)
        for digest, manifest in self._models.items():
            _put(folder / "models" / f"{digest}.json", manifest)
        for subject, openings, signed in self._disclosed:
            _put(folder / openings_name(subject.request), openings)
            for kind, (position, envelope) in signed.items():
                index = position.index
                parts = sigstore.Parts(
                    envelope=envelope,
                    leaf=self.leaves[index],
                    index=index,
                    path=tiles.inclusion_path(index, head.size, self._read_tile),
                    checkpoint=note,
                    vkey=self.vkey,
                )
                _put(folder / signed_name(subject.request, subject.target, kind), sigstore.write(parts))
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
        request: str | None,
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
