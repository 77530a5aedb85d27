"""Verify an export of whole logs offline. No network, no server, no database; the first fault ends it.

 1. The export is complete: every file accounted for, each in its format.
 2. Each log's checkpoint is signed by a pinned key, and cosigned as the trust file asks; a time stamp beside it is one
    of a trusted authority. No log is missing that the trust file names.
 3. Every entry of every log is hashed; the root over all is the signed one, and the tiles are those of the entries.
    Older heads that lie beside are signed, cosigned, and have the root that the log had.
 4. The logs begin with number 1, and each next one begins with the end of the one before it.
 5. What the ledger says about its keys, the trust file says, too.
 6. Every entry is of the allow-list and by a role that may write it; the events of each request are one unbroken chain. A request that was not
    disclosed holds as far as its entries tell (undisclosed.py).
 7. Each request that was disclosed passes steps 4 to 13 of verify.py, and each of its Sigstore bundles is the one that
    its envelope, entry, proof and time stamps determine.
 8. Decisions, runs and versions are those of the models registered (registry_events.py, model_runs.py).

Left to the caller: see report.LEFT_TO_CALLER; and which requests were disclosed is the controller's choice unless you
named them.
"""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from compliance.evidence import (
    cosignature,
    earlier_heads,
    export_folder,
    ledger_events,
    log_row,
    membership,
    sigstore_root,
    validity,
    whole_log,
    witnessing,
)
from compliance.evidence import trust as trusts
from compliance.evidence.checkpoint import parse_vkey
from compliance.evidence.errors import MalformedFileError, UnexpectedFileError
from compliance.evidence.export_folder import ExportFolder
from compliance.evidence.export_index import ExportedLog
from compliance.evidence.export_report import ExportReport
from compliance.evidence.export_requests import Export
from compliance.evidence.judging import Judgement, judge_all
from compliance.evidence.registry_events import read_registry
from compliance.evidence.report import LogShown, log_shown
from compliance.evidence.trust import Trust


@dataclass(frozen=True, kw_only=True)
class VerifiedExport:
    """An export that came through every step. `own_trust` is what its own trust file says."""

    export: Export
    judged: Judgement
    own_trust: Trust
    is_pinned: bool


def verify_export(path: Path, *, trust: Trust | None = None, n_processes: int | None = None) -> ExportReport:
    """Verify the export in a folder; raises the EvidenceError of the first thing that is wrong.

    With None the trust file in the export is used: then the report proves only that the export fits the keys it names.
    Requests are judged by `n_processes` at once (the number of cores when None, 64 at most).
    """
    return _report(judge_export(path, trust, n_processes))


def judge_export(path: Path, trust: Trust | None, n_processes: int | None = None) -> VerifiedExport:
    """All steps, for those who need more of it than the report. Raises as `verify_export`."""
    with _without_garbage_collection():
        # 1. to 5. The logs.
        folder = export_folder.open_folder(path)
        own = trusts.parse(folder.read("trust.json"))
        export = _open_logs(folder, own, own if trust is None else trust)
        # 6. to 8. The requests, disclosed or not, and evidence that belongs to none of those disclosed.
        judged = judge_all(export, n_processes)
        unread = [position for position in export.entries.evidence if position not in judged.evidence]
        ledger_events.refuse_malformed_evidence(unread, export.logs)
    _refuse_unused_files(export.folder, judged.files)
    return VerifiedExport(export=export, judged=judged, own_trust=own, is_pinned=trust is not None)


def _report(verified: VerifiedExport) -> ExportReport:
    export, judged = verified.export, verified.judged
    asks_for_stamps = bool(export.trust.timestamp_authorities)
    return ExportReport(
        exported_at=export.folder.index.exported_at,
        logs=logs_shown(export),
        n_entries=sum(log.head.size for log in export.logs.values()),
        n_evidence=len(export.entries.evidence),
        n_earlier_heads=sum(map(len, export.earlier.values())),
        n_models=len(export.registry.first),
        n_runs=len(judged.runs),
        requests=tuple(sorted(judged.lines, key=lambda line: line.request)),
        overtaken=tuple(sorted(judged.overtaken)),
        unstamped=tuple(
            export.logs[log.number].head.origin
            for log in export.folder.index.logs
            if asks_for_stamps and not export.folder.holds(_stamp_name(log))
        ),
        is_pinned=verified.is_pinned,
        is_own_trust_pinned=verified.own_trust == export.trust,
    )


def logs_shown(export: Export) -> tuple[LogShown, ...]:
    """The logs as reports show them."""
    return tuple(
        log_shown(number, export.vkeys[number], log.head, export.seen[number])
        for number, log in sorted(export.logs.items())
    )


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Verifying makes no cycles. Looking for them among all entries takes a fifth of the time, and in other processes
    copies every page that is shared."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _open_logs(folder: ExportFolder, own: Trust, trusted: Trust) -> Export:
    """Steps 1 to 5: an export whose logs are verified, so that its requests can be judged."""
    # 1. The export is complete.
    _refuse_other_root(folder, own)
    # 2. The checkpoints.
    notes = {log.number: folder.read(f"logs/{log.folder}/checkpoint") for log in folder.index.logs}
    vkeys = {log.number: log.vkey for log in folder.index.logs}
    heads = {number: membership.open_checkpoint(vkeys[number], notes[number], trusted.log_vkeys) for number in notes}
    seen = {number: witnessing.witnessing_of(note, trusted) for number, note in notes.items()}
    for log in folder.index.logs:
        _refuse_other_stamp(folder, log, notes[log.number], trusted)
    log_row.refuse_incomplete(heads, trusted)
    # 3. Every entry of every log.
    paths = {log.number: folder.log_path(log.folder) for log in folder.index.logs}
    logs = {
        number: whole_log.read_whole(number, paths[number], notes[number], heads[number]) for number in sorted(heads)
    }
    earlier = {
        number: earlier_heads.read_earlier(log, paths[number], vkeys[number], trusted) for number, log in logs.items()
    }
    # 4. Log after log.
    log_row.refuse_broken(logs)
    # 5. What the ledger says about keys, logs and models.
    entries = ledger_events.sort_entries(list(logs.values()))
    ledger_events.refuse_untold_keys(entries.others, trusted)
    log_row.refuse_misplaced_openings(entries.others)
    _refuse_unknown_requests(folder, entries.of_requests)
    return Export(
        folder=folder,
        logs=logs,
        vkeys=vkeys,
        seen=seen,
        earlier=earlier,
        trust=trusted,
        entries=entries,
        registry=read_registry(entries.others),
    )


def _refuse_other_root(folder: ExportFolder, own: Trust) -> None:
    """Raises MalformedFileError for a file for Sigstore clients that says something else than the trust file beside."""
    if folder.holds("trusted_root.json") and folder.read("trusted_root.json") != sigstore_root.write(own):
        raise MalformedFileError("trusted_root.json does not say to Sigstore clients what trust.json says.")


def _refuse_other_stamp(folder: ExportFolder, log: ExportedLog, note: bytes, trust: Trust) -> None:
    """Raises TimestampError for a token beside a checkpoint that is not about it, or of nobody who is trusted.

    Without trusted authorities nothing can be said of a token, and nothing is.
    """
    name = _stamp_name(log)
    if not trust.timestamp_authorities or not folder.holds(name):
        return
    # What was stamped is the note as the log signed it; cosignatures come later.
    stamped = cosignature.with_lines_of(note, [parse_vkey(log.vkey)])
    validity.stamped_at(folder.read(name), stamped, trust.timestamp_authorities)


def _stamp_name(log: ExportedLog) -> str:
    return f"logs/{log.folder}/checkpoint.tsr"


def _refuse_unknown_requests(folder: ExportFolder, known: Mapping[str, object]) -> None:
    unknown = sorted(set(folder.requests) - set(known))
    if unknown:
        raise UnexpectedFileError(f"requests/{unknown[0]} is the folder of a request that no log names.")


def _refuse_unused_files(folder: ExportFolder, used: set[str]) -> None:
    """Raises UnexpectedFileError for a model or policy that no disclosed request accounts for."""
    shared = {
        f"{name}/{file}" for name in ("models", "policies") for file in export_folder.names_in(f"{folder.path}/{name}")
    }
    if shared - used:
        raise UnexpectedFileError(f"No disclosed request accounts for {min(shared - used)}.")
