"""What the requests of an export are judged against, and one disclosed request put together and judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from compliance.evidence import sigstore
from compliance.evidence.errors import SigstoreBundleError, UnexpectedFileError
from compliance.evidence.export_folder import ExportFolder
from compliance.evidence.export_index import Disclosure
from compliance.evidence.judgement import Judged, judge
from compliance.evidence.ledger_events import Sorted
from compliance.evidence.position import Position
from compliance.evidence.record import AttachedEvidence, Logged, Record
from compliance.evidence.registry_events import Registry
from compliance.evidence.trust import Trust
from compliance.evidence.whole_log import WholeLog
from compliance.evidence.witnessing import Witnessing

_MAX_KEPT = 32


@dataclass(frozen=True, kw_only=True)
class Export:
    """An export whose logs are verified: what its requests are judged against.

    Logs, keys and witnesses by number of the log; `earlier` has, by size, when older heads of a log were cosigned.
    """

    folder: ExportFolder
    logs: Mapping[int, WholeLog]
    vkeys: Mapping[int, str]
    seen: Mapping[int, Witnessing]
    earlier: Mapping[int, Mapping[int, datetime | None]]
    trust: Trust
    entries: Sorted
    registry: Registry
    _kept: dict[str, bytes] = field(default_factory=dict, init=False, repr=False)

    def logged(self, position: Position, kind: str) -> Logged:
        """An entry; raises UnexpectedFileError for a position beyond the logs."""
        log = self.logs.get(position.log)
        if log is None or position.index >= log.head.size:
            raise UnexpectedFileError(f"The export names the entry {position}, which its logs do not hold.")
        return Logged(
            position=position, kind=kind, leaf=log.leaves[position.index], sha256=log.tree.leaf(position.index).hex()
        )

    def shared(self, name: str) -> bytes:
        """A model or policy file; requests that follow each other share some, so the last few are kept."""
        content = self._kept.pop(name, None)
        if content is None:
            content = self.folder.read(name)
        if len(self._kept) == _MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[name] = content
        return content

    def witnessed_at(self, position: Position) -> datetime | None:
        """When a log was first cosigned over this position as the trust file asks, by the heads shown."""
        newest, earlier = self.seen[position.log].quorum_at, self.earlier[position.log]
        if not earlier:
            return newest
        older = (at for size, at in earlier.items() if size > position.index)
        return min((at for at in (newest, *older) if at is not None), default=None)

    def events(self, request: str) -> tuple[Logged, ...]:
        """The events of a request, by far most of what is read."""
        return tuple(
            Logged(at, "event", self.logs[at.log].leaves[at.index], self.logs[at.log].tree.leaf(at.index).hex())
            for at in self.entries.of_requests[request]
        )

    def find_evidence(self, sha256: str) -> Position | None:
        """The entry of evidence with this leaf hash (hex)."""
        return self._evidence.get(sha256)

    @cached_property
    def _evidence(self) -> Mapping[str, Position]:
        return {self.logs[at.log].tree.leaf(at.index).hex(): at for at in self.entries.evidence}

    def had_root(self, log: int, size: int, root: bytes) -> bool:
        """Whether a log had this root at a size; not when the export does not hold that much of it."""
        whole = self.logs.get(log)
        return whole is not None and size <= whole.head.size and whole.tree.root_at(size) == root


def judge_request(export: Export, request: str) -> Judged:
    """Judge one disclosed request: steps 4 to 13 of verify.py. Raises the EvidenceError of what is wrong first."""
    disclosure = export.folder.disclosure(request)
    evidence = _attachments(export, request, "evidence", disclosure.evidence)
    closings = _attachments(export, request, "closing", disclosure.closings)
    signed = [export.logged(attached.position, "evidence") for attached in (*evidence, *closings)]
    entries = sorted((*export.events(request), *signed), key=lambda entry: (entry.position.log, entry.position.index))
    record = Record(
        request=request,
        entries=tuple(entries),
        evidence=evidence,
        closings=closings,
        models={digest: export.shared(f"models/{digest}.json") for digest in disclosure.models},
        policy=_policy(export, disclosure),
        openings=export.folder.read(f"requests/{request}/openings.json") if disclosure.is_opened else None,
    )
    return judge(record, export.trust, export.witnessed_at, export.had_root)


def _policy(export: Export, disclosure: Disclosure) -> bytes | None:
    digest = disclosure.policy_sha256
    return None if digest is None else export.shared(f"policies/{digest}.json")


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
