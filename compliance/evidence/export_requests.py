"""The requests of an export, judged one by one, on as many cores as there are.

A process that judges is forked, so that it shares the logs without copying them, and sends back one short line for
each request, or the refusal of the first that is wrong.
"""

import multiprocessing
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Self

from compliance.evidence import chain as chains
from compliance.evidence import sigstore
from compliance.evidence.conclusions import state_of
from compliance.evidence.errors import (
    EvidenceError,
    SigstoreBundleError,
    UnexpectedFileError,
)
from compliance.evidence.export_folder import ExportFolder
from compliance.evidence.export_index import Disclosure
from compliance.evidence.export_report import RequestLine
from compliance.evidence.judgement import Judged, judge
from compliance.evidence.ledger_events import Sorted
from compliance.evidence.position import Position
from compliance.evidence.record import AttachedEvidence, Logged, Record
from compliance.evidence.trust import Trust
from compliance.evidence.whole_log import WholeLog
from compliance.evidence.witnessing import Witnessing

_CHUNK = 200


@dataclass(frozen=True, kw_only=True)
class Export:
    """An export whose logs are verified: what its requests are judged against. Logs, keys and witnesses by number."""

    folder: ExportFolder
    logs: Mapping[int, WholeLog]
    vkeys: Mapping[int, str]
    seen: Mapping[int, Witnessing]
    trust: Trust
    entries: Sorted
    _policies: dict[str, bytes] = field(default_factory=dict, init=False, repr=False)

    def logged(self, position: Position, kind: str) -> Logged:
        """An entry; raises UnexpectedFileError for a position beyond the logs."""
        log = self.logs.get(position.log)
        if log is None or position.index >= log.head.size:
            raise UnexpectedFileError(f"The export names the entry {position}, which its logs do not hold.")
        return Logged(
            position=position, kind=kind, leaf=log.leaves[position.index], sha256=log.tree.leaf(position.index).hex()
        )

    def policy(self, digest: str) -> bytes:
        """A policy file; many requests share one, so each is read once."""
        if digest not in self._policies:
            self._policies[digest] = self.folder.read(f"policies/{digest}.json")
        return self._policies[digest]

    def witnessed_at(self, position: Position) -> datetime | None:
        """When the log holding this position was cosigned as the trust file asks."""
        return self.seen[position.log].quorum_at

    def root_at(self, log: int, size: int) -> bytes | None:
        """The root that a log had at a size; None where the export does not hold that much of it."""
        whole = self.logs.get(log)
        return None if whole is None or size > whole.head.size else whole.tree.root_at(size)


class Judgement(NamedTuple):
    """Requests that hold: their lines for the report, the shared files they account for, the evidence that was read."""

    lines: list[RequestLine]
    files: set[str]
    evidence: set[Position]

    def add(self, other: Self) -> None:
        """Take in what was judged elsewhere."""
        self.lines.extend(other.lines)
        self.files.update(other.files)
        self.evidence.update(other.evidence)


def judge_all(export: Export, n_processes: int | None = None) -> Judgement:
    """Judge every request of the logs, as they were received; raises the EvidenceError of one that is wrong."""
    # In the order of the log, processes do not work on the same pages of memory, which would have to be copied.
    requests = list(export.entries.of_requests)
    n_processes = n_processes or os.cpu_count() or 1
    chunks = [requests[at : at + _CHUNK] for at in range(0, len(requests), _CHUNK)]
    if n_processes == 1 or len(chunks) < 2 or "fork" not in multiprocessing.get_all_start_methods():
        return _judge_chunk(export, requests)
    context = multiprocessing.get_context("fork")
    total = Judgement([], set(), set())
    with context.Pool(n_processes, initializer=_share, initargs=(export,)) as pool:
        for judgement in pool.imap(_judge_shared, chunks):
            total.add(judgement)
    return total


_shared: list[Export] = []


def _share(export: Export) -> None:
    _shared[:] = [export]


def _judge_shared(requests: Sequence[str]) -> Judgement:
    return _judge_chunk(_shared[0], requests)


def _judge_chunk(export: Export, requests: Sequence[str]) -> Judgement:
    total = Judgement([], set(), set())
    for request in requests:
        try:
            _judge_one(export, request, total)
        except EvidenceError as error:
            # The auditor must learn which of many requests it was.
            raise type(error)(f"Request {request}: {error}") from error
    return total


def _judge_one(export: Export, request: str, total: Judgement) -> None:
    if request not in export.folder.requests:
        chain = chains.read(Record(request=request, entries=_events(export, request)))
        total.lines.append(RequestLine(request, state_of(chain), len(chain.links), 0, False))
        return
    judged = judge_request(export, request)
    n_entries, n_signatures = len(judged.record.entries), len(judged.signatures)
    total.lines.append(RequestLine(request, state_of(judged.chain), n_entries, n_signatures, True))
    total.files.update(f"models/{digest}.json" for digest in judged.record.models)
    if judged.policy.sha256:
        total.files.add(f"policies/{judged.policy.sha256}.json")
    total.evidence.update(signed.position for signed in judged.signatures)


def judge_request(export: Export, request: str) -> Judged:
    """Judge one disclosed request: steps 4 to 13 of verify.py. Raises the EvidenceError of what is wrong first."""
    disclosure = export.folder.disclosure(request)
    evidence = _attachments(export, request, "evidence", disclosure.evidence)
    closings = _attachments(export, request, "closing", disclosure.closings)
    signed = [export.logged(attached.position, "evidence") for attached in (*evidence, *closings)]
    entries = sorted((*_events(export, request), *signed), key=lambda entry: entry.position)
    record = Record(
        request=request,
        entries=tuple(entries),
        evidence=evidence,
        closings=closings,
        models={digest: export.folder.read(f"models/{digest}.json") for digest in disclosure.models},
        policy=_policy(export, disclosure),
        openings=export.folder.read(f"requests/{request}/openings.json") if disclosure.is_opened else None,
    )
    return judge(record, export.trust, export.witnessed_at)


def _events(export: Export, request: str) -> tuple[Logged, ...]:
    return tuple(export.logged(position, "event") for position in export.entries.of_requests[request])


def _policy(export: Export, disclosure: Disclosure) -> bytes | None:
    digest = disclosure.policy_sha256
    return None if digest is None else export.policy(digest)


def _attachments(
    export: Export, request: str, folder: str, positions: Mapping[str, Position]
) -> tuple[AttachedEvidence, ...]:
    """The envelopes and tokens; all else in a Sigstore bundle must be what the log says."""
    attachments = []
    for target, position in positions.items():
        name = f"requests/{request}/{folder}/{target}.sigstore.json"
        content = export.folder.read(name)
        parts = sigstore.read(content)
        entry, log = export.logged(position, "evidence"), export.logs[position.log]
        expected = sigstore.Parts(
            envelope=parts.envelope,
            leaf=entry.leaf,
            index=position.index,
            path=log.tree.path(position.index),
            checkpoint=log.note,
            vkey=export.vkeys[position.log],
            timestamps=parts.timestamps,
        )
        if sigstore.write(expected) != content:
            raise SigstoreBundleError(f"{name} does not carry the entry, proof and checkpoint of {position}.")
        attachments.append(
            AttachedEvidence(target=target, position=position, envelope=parts.envelope, timestamps=parts.timestamps)
        )
    return tuple(attachments)
