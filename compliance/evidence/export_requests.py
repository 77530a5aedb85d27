"""What the requests of an export are judged against, and one disclosed request put together and judged."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import sha256

from compliance.evidence import chain as chains
from compliance.evidence import export_folder, sigstore
from compliance.evidence.chain import Chain
from compliance.evidence.errors import SigstoreBundleError, SwappedModelError, UnexpectedFileError
from compliance.evidence.export_folder import ExportFolder, Kind
from compliance.evidence.judgement import Judged, judge
from compliance.evidence.ledger_events import Sorted
from compliance.evidence.position import Position
from compliance.evidence.record import AttachedEvidence, Logged, Record
from compliance.evidence.registry_events import Registry
from compliance.evidence.trust import Trust
from compliance.evidence.whole_log import WholeLog
from compliance.evidence.witnessing import Witnessing

_MAX_POLICIES = 16


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
    _policies: dict[str, bytes] = field(default_factory=dict, init=False, repr=False)
    _manifests: set[str] = field(default_factory=set, init=False, repr=False)

    def place_of(self, signed: sigstore.Signed, name: str) -> Position:
        """The entry that a Sigstore bundle names; raises UnexpectedFileError for one that the logs do not hold."""
        number = self._numbers.get(signed.log_id)
        if number is None or signed.index >= self.logs[number].head.size:
            raise UnexpectedFileError(f"{name} is about an entry {signed.index} that none of the export's logs holds.")
        return Position(number, signed.index)

    @cached_property
    def _numbers(self) -> Mapping[bytes, int]:
        return {sigstore.log_id(vkey): number for number, vkey in self.vkeys.items()}

    def logged(self, position: Position, kind: str) -> Logged:
        """An entry of the logs."""
        log = self.logs[position.log]
        return Logged(position, kind, log.leaves[position.index], log.tree.leaf(position.index).hex())

    def policy(self, digest: str) -> bytes:
        """A policy file by the digest that a plan names; few are shared by many requests, so the last are kept."""
        content = self._policies.pop(digest, None)
        if content is None:
            content = self.folder.read(export_folder.policy_name(digest))
        if len(self._policies) == _MAX_POLICIES:
            del self._policies[next(iter(self._policies))]
        self._policies[digest] = content
        return content

    def has_manifest(self, digest: str) -> bool:
        """True, when the manifest of a version is there; raises MissingFileError, or SwappedModelError for another one."""
        # One version is the result of a run and the beginning of the next. No manifest is needed twice.
        if digest not in self._manifests:
            name = export_folder.model_name(digest)
            if sha256(self.folder.read(name)).hexdigest() != digest:
                raise SwappedModelError(f"{name} does not have the digest of its name.")
            self._manifests.add(digest)
        return True

    def witnessed_at(self, position: Position) -> datetime | None:
        """When a log was first cosigned over this position as the trust file asks, by the heads shown."""
        newest, earlier = self.seen[position.log].quorum_at, self.earlier[position.log]
        if not earlier:
            return newest
        older = (at for size, at in earlier.items() if size > position.index)
        return min((at for at in (newest, *older) if at is not None), default=None)

    def events(self, request: str) -> tuple[Logged, ...]:
        """The events of a request, by far most of what is read."""
        return tuple(self.logged(at, "event") for at in self.entries.of_requests[request])

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
    """Judge one disclosed request: steps 4 to 13 of verify.py. Raises the EvidenceError of what is wrong first.

    A request without a folder holds only where nothing is left that could be disclosed: see `has_nothing_left`.
    """
    events = export.events(request)
    chain = chains.read(request, events)
    shown = export.folder.disclosed(request)
    evidence = _attached(export, request, "evidence", shown.evidence)
    closings = _attached(export, request, "closing", shown.closings)
    signed = [export.logged(attached.position, "evidence") for attached in (*evidence, *closings)]
    if len({entry.position for entry in signed}) != len(signed):
        raise UnexpectedFileError(f"requests/{request} holds two files about one entry.")
    entries = sorted((*events, *signed), key=lambda entry: (entry.position.log, entry.position.index))
    record = Record(
        request=request,
        entries=tuple(entries),
        evidence=evidence,
        closings=closings,
        policy=_policy(export, chain),
        openings=export.folder.read(export_folder.openings_name(request)) if shown.is_opened else None,
    )
    return judge(record, chain, export.trust, export.witnessed_at, export.had_root, export.has_manifest)


def has_nothing_left(export: Export, request: str) -> bool:
    """Whether the entries are all there is of a request: its openings were shredded, and no run was ever planned."""
    chain = chains.read(request, export.events(request))
    return chain.last("request.shredded") is not None and chain.last("request.planned") is None


def _policy(export: Export, chain: Chain) -> bytes | None:
    planned = chain.last("request.planned")
    return None if planned is None else export.policy(planned.event.text("policy_sha256"))


def _attached(export: Export, request: str, kind: Kind, targets: Iterable[str]) -> tuple[AttachedEvidence, ...]:
    """The envelopes and tokens in the order of their entries; all else in a Sigstore bundle must be what the log says."""
    attached = [_of_target(export, target, export_folder.signed_name(request, target, kind)) for target in targets]
    return tuple(sorted(attached, key=lambda each: (each.position.log, each.position.index)))


def _of_target(export: Export, target: str, name: str) -> AttachedEvidence:
    content = export.folder.read(name)
    signed = sigstore.read(content)
    position = export.place_of(signed, name)
    log = export.logs[position.log]
    expected = sigstore.Parts(
        envelope=signed.envelope,
        leaf=log.leaves[position.index],
        index=position.index,
        path=log.tree.path(position.index),
        checkpoint=log.note,
        vkey=export.vkeys[position.log],
        timestamps=signed.timestamps,
    )
    if sigstore.write(expected) != content:
        raise SigstoreBundleError(f"{name} does not carry the entry, proof and checkpoint of {position}.")
    return AttachedEvidence(target=target, position=position, envelope=signed.envelope, timestamps=signed.timestamps)
