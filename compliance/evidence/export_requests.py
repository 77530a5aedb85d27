"""The requests of an export, judged one by one, on as many cores as there are.

A process that judges is forked, so that it shares the logs without copying them, and sends back one short line for
each request, or the refusal of the first that is wrong.
"""

import gc
import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

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

    def logged(self, position: Position, kind: str) -> Logged:
        """An entry; raises UnexpectedFileError for a position beyond the logs."""
        log = self.logs.get(position.log)
        if log is None or position.index >= log.head.size:
            raise UnexpectedFileError(f"The export names the entry {position}, which its logs do not hold.")
        return Logged(
            position=position, kind=kind, leaf=log.leaves[position.index], sha256=log.tree.leaf(position.index).hex()
        )

    def witnessed_at(self, position: Position) -> datetime | None:
        """When the log holding this position was cosigned as the trust file asks."""
        return self.seen[position.log].quorum_at


@dataclass(frozen=True)
class Line:
    """A judged request for the report, and the shared files that it accounts for."""

    line: RequestLine
    files: tuple[str, ...]


def judge_all(export: Export, n_processes: int | None = None) -> tuple[Line, ...]:
    """Judge every request of the logs; raises the EvidenceError of one that is wrong."""
    requests = sorted(export.entries.of_requests)
    n_processes = n_processes or os.cpu_count() or 1
    chunks = [requests[at : at + _CHUNK] for at in range(0, len(requests), _CHUNK)]
    with _without_garbage_collection():
        if n_processes == 1 or len(chunks) < 2 or "fork" not in multiprocessing.get_all_start_methods():
            return tuple(line for chunk in chunks for line in _judge_chunk(export, chunk))
        context = multiprocessing.get_context("fork")
        with context.Pool(n_processes, initializer=_share, initargs=(export,)) as pool:
            return tuple(line for lines in pool.imap(_judge_shared, chunks) for line in lines)


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Judging makes no cycles. Looking for them among all entries takes a fifth of the time, and in other processes
    copies every page that is shared."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


_shared: list[Export] = []


def _share(export: Export) -> None:
    _shared[:] = [export]


def _judge_shared(requests: Sequence[str]) -> list[Line]:
    return _judge_chunk(_shared[0], requests)


def _judge_chunk(export: Export, requests: Sequence[str]) -> list[Line]:
    disclosed = frozenset(export.folder.requests)
    return [_line(export, request, is_disclosed=request in disclosed) for request in requests]


def _line(export: Export, request: str, *, is_disclosed: bool) -> Line:
    try:
        if is_disclosed:
            return _disclosed_line(judge_request(export, request))
        chain = chains.read(Record(request=request, entries=_events(export, request)))
        return Line(RequestLine(request, state_of(chain), len(chain.links), 0, False), ())
    except EvidenceError as error:
        # The auditor must learn which of many requests it was.
        raise type(error)(f"Request {request}: {error}") from error


def _disclosed_line(judged: Judged) -> Line:
    record = judged.record
    line = RequestLine(record.request, state_of(judged.chain), len(record.entries), len(judged.signatures), True)
    policies = [f"policies/{judged.policy.sha256}.json"] if judged.policy.sha256 else []
    return Line(line, (*[f"models/{digest}.json" for digest in record.models], *policies))


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
    return None if digest is None else export.folder.read(f"policies/{digest}.json")


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
