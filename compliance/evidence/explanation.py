"""One request's story, entry by entry: what happened, who did it, where it stands in the log, and how that is proven."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from compliance.evidence import canonical, export_requests
from compliance.evidence import leaf as leaves
from compliance.evidence.conclusions import conclusions_of, state_of
from compliance.evidence.errors import SwappedRequestError, UnexpectedFileError
from compliance.evidence.judgement import Judged
from compliance.evidence.pins import Pins
from compliance.evidence.record import Logged
from compliance.evidence.report import LogShown, log_shown
from compliance.evidence.trust import Trust
from compliance.evidence.validity import Signed
from compliance.evidence.verify import judge_bundle
from compliance.evidence.verify_export import judge_export, logs_shown


@dataclass(frozen=True)
class EntryTold:
    """One entry in words. `at` is the controller's clock, None for signed statements."""

    position: str
    at: str | None
    what: str
    facts: tuple[str, ...]
    leaf_sha256: str
    proof: str


@dataclass(frozen=True, kw_only=True)
class Story:
    """A judged request with each entry in the order of the ledger."""

    request: str
    state: str
    entries: tuple[EntryTold, ...]
    conclusions: tuple[str, ...]
    logs: tuple[LogShown, ...]
    is_pinned: bool

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)


def of_bundle(data: bytes, request: str, pinned: Pins) -> Story:
    """The story of the request in a bundle; raises SwappedRequestError when it holds another, or what verify raises."""
    verified = judge_bundle(data, **pinned.for_bundle())
    record = verified.judged.record
    if record.request != request:
        raise SwappedRequestError(f"The bundle is about the request {record.request}, not {request}.")
    logs = tuple(
        log_shown(log.number, log.vkey, verified.heads[log.number], verified.seen[log.number])
        for log in verified.contents.logs
    )
    return _told(verified.judged, logs, is_pinned=verified.is_log_key_pinned and verified.is_evidence_key_pinned)


def of_export(path: Path, request: str, trust: Trust | None, n_processes: int | None = None) -> Story:
    """The story of a request that was disclosed in an export, after all of the export was verified as `verify` does it.

    So is one told of which nothing but entries is left.

    Raises UnexpectedFileError when it was not disclosed, or what verify raises.
    """
    export = judge_export(path, trust, n_processes).export
    is_known = request in export.entries.of_requests
    if request not in export.folder.requests and not (is_known and export_requests.has_nothing_left(export, request)):
        known = "its entries are in the log" if is_known else "no entry names it"
        raise UnexpectedFileError(f"The request {request} was not disclosed in this export ({known}).")
    judged = export_requests.judge_request(export, request)
    return _told(judged, logs_shown(export), is_pinned=trust is not None)


def _told(judged: Judged, logs: Sequence[LogShown], *, is_pinned: bool) -> Story:
    sizes = {log.number: log for log in logs}
    signatures = {signed.position: signed for signed in judged.signatures}
    return Story(
        request=judged.record.request,
        state=state_of(judged.chain),
        entries=tuple(_entry(entry, sizes, signatures.get(entry.position)) for entry in judged.record.entries),
        conclusions=conclusions_of(judged),
        logs=tuple(logs),
        is_pinned=is_pinned,
    )


def _entry(entry: Logged, logs: Mapping[int, LogShown], signed: Signed | None) -> EntryTold:
    log = logs[entry.position.log]
    proof = f"proven under the head of {log.origin} over {log.size} entries, root {log.root_sha256[:16]}…"
    if signed is not None:
        proven = "time not proven" if signed.proven_at is None else f"stamped {canonical.format_time(signed.proven_at)}"
        what = f"a statement signed by the evidence key {signed.key_sha256[:16]}… ({proven})"
        return EntryTold(str(entry.position), None, what, (), entry.sha256, proof)
    event = leaves.parse(entry.leaf)
    facts = tuple(f"{name}: {_shown(value)}" for name, value in sorted(event.facts.items()))
    what = f"{event.type} by {event.actor_role} {event.actor_id}"
    return EntryTold(str(entry.position), canonical.format_time(event.at), what, facts, entry.sha256, proof)


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
