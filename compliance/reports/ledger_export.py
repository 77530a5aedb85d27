"""Whole ledgers for an auditor: every log as published files, and what is disclosed of the requests that were chosen.

The folder is written beside its place and moved there when it is complete and our own verifier accepts it, so that an
export is whole or not there. It holds what opens the commitments of the requests disclosed, so only its owner can
read it.

Next: compliance/evidence/verify_export.py
"""

import shutil
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from compliance.evidence import earlier_heads, export_folder, sigstore, sigstore_root, tiles
from compliance.evidence import trust as trusts
from compliance.evidence.errors import EvidenceError
from compliance.evidence.export_folder import README, Kind
from compliance.evidence.export_index import ExportedLog, ExportIndex
from compliance.evidence.trust import Trust
from compliance.evidence.verify_export import verify_export
from compliance.ledger import checkpointer, log_files, logs, notes, tokens
from compliance.ledger.log_store import DirectoryStore
from compliance.ledger.models import LedgerEntry
from compliance.ledger.trust_file import current_trust, refuse_left_out
from compliance.reports.heads import Head, head_over, heads_of, position_of
from compliance.reports.request_files import RequestFiles, collect
from compliance.reports.witnessed_heads import witnessed_before_distrust
from compliance.requests.errors import NotReadyError
from compliance.requests.models import DeletionRequest, Evidence, Summary


class ExportRefusedError(RuntimeError):
    """Our own verifier refuses what was written; it is not handed out."""


class ExportExistsError(FileExistsError):
    """There is something in the place of the export already."""


def ready(request_ids: Sequence[uuid.UUID]) -> tuple[list[uuid.UUID], dict[uuid.UUID, NotReadyError]]:
    """Which of these requests can be disclosed now, and why the others cannot. Raises NotFoundError."""
    waiting: dict[uuid.UUID, NotReadyError] = {}
    for request_id in request_ids:
        try:
            collect(request_id)
        except NotReadyError as error:
            waiting[request_id] = error
    return [request_id for request_id in request_ids if request_id not in waiting], waiting


def export(folder: Path, request_ids: Sequence[uuid.UUID], *, now: datetime | None = None) -> Path:
    """Write the export of all logs with these requests disclosed; returns its folder.

    Raises ExportExistsError, NotFoundError, NotReadyError, LogFilesError, StoreError, and TrustFileError while a key
    is not published, or where a log is signed with one that is distrusted and nobody else vouches for it;
    ExportRefusedError when an auditor would refuse what was written.
    """
    if folder.exists():
        raise ExportExistsError(f"{folder} exists already. An export is never written over: choose another place.")
    draft = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    try:
        _write(draft, request_ids, (now or datetime.now(tz=UTC)).replace(microsecond=0))
        _refuse_unverified(draft)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _refuse_unverified(draft: Path) -> None:
    """Under its own trust file, in this process: a fork would share the connections to the database."""
    try:
        verify_export(draft, n_processes=1)
    except EvidenceError as error:
        raise ExportRefusedError(
            f"The export was not handed out, for an auditor would refuse it (exit code {int(error.code)}, "
            f"{error.code.name.lower()}). {error} If witnesses or a time stamp authority have not come yet, try again in "
            "a few seconds."
        ) from error


def _write(draft: Path, request_ids: Sequence[uuid.UUID], now: datetime) -> None:
    # The requests first: what is read of them then lies under the heads that are read after.
    disclosed = [collect(request_id) for request_id in sorted(set(request_ids))]
    heads = _heads(max((files.entries[-1].position for files in disclosed), default=-1))
    refuse_left_out(head.vkey for head in heads)
    trust = current_trust()
    store = DirectoryStore(draft, is_private=True)
    for head in heads:
        _write_log(DirectoryStore(draft / "logs", is_private=True), head, trust)
    index = ExportIndex(exported_at=now, logs=tuple(_exported(head) for head in heads))
    store.write("export.json", index.to_bytes())
    store.write("README.txt", README.encode())
    store.write("trust.json", trusts.write(trust))
    store.write("trusted_root.json", sigstore_root.write(trust))
    for files in disclosed:
        _write_request(store, files, heads)
    _refuse_moved_on(disclosed)


def _refuse_moved_on(disclosed: Sequence[RequestFiles]) -> None:
    """The logs were read after the requests. Above all, one that was shredded meanwhile must not be told any more."""
    chain_heads = {files.request.pk: files.request.chain_head for files in disclosed}
    now = dict(DeletionRequest.objects.filter(pk__in=chain_heads).values_list("pk", "chain_head"))
    moved = [request_id for request_id, chain_head in chain_heads.items() if now.get(request_id) != chain_head]
    if moved:
        raise NotReadyError(f"The request {moved[0]} moved on while the export was written. Try again.")


def _heads(covered: int) -> list[Head]:
    """The heads of all logs, over this position at least; a log that has only just begun, and has none yet, is left out."""
    newest = checkpointer.latest()
    if newest is None:
        raise NotReadyError("No checkpoint was signed yet. Start `manage.py sequencer` and `manage.py checkpointer`.")
    return heads_of(1, newest.log_id, covered)


def _write_log(store: DirectoryStore, head: Head, trust: Trust) -> None:
    folder = log_files.folder_of(head.checkpoint.log.origin)
    log_files.export(store, head.checkpoint)
    for earlier in witnessed_before_distrust(head, trust):
        store.write(f"{folder}/{earlier_heads.path_of(earlier.size)}", notes.cosigned(earlier))
    log_files.announce(store, head.checkpoint, head.note, tokens.of_checkpoint(head.checkpoint))


def _exported(head: Head) -> ExportedLog:
    log = head.checkpoint.log
    return ExportedLog(log.number, head.vkey, log_files.folder_of(log.origin))


def _write_request(store: DirectoryStore, files: RequestFiles, heads: Sequence[Head]) -> None:
    # Of a request that was shredded before anything was signed, only its entries are left.
    if files.openings is None and not files.evidence:
        return
    request, entries = str(files.request.pk), {entry.leaf_sha256: entry for entry in files.entries}
    signed: tuple[tuple[Kind, Sequence[Evidence | Summary]], ...] = (
        ("evidence", files.evidence),
        ("closing", files.summaries),
    )
    for kind, rows in signed:
        for row in rows:
            name = export_folder.signed_name(request, str(row.target_id), kind)
            store.write(name, _sigstore(row, entries[row.leaf_sha256], files, heads))
    for digest, manifest in files.models.items():
        store.write(export_folder.model_name(digest), manifest)
    if files.policy is not None:
        store.write(export_folder.policy_name(sha256(files.policy).hexdigest()), files.policy)
    if files.openings is not None:
        store.write(export_folder.openings_name(request), files.openings)


def _sigstore(row: Evidence | Summary, entry: LedgerEntry, files: RequestFiles, heads: Sequence[Head]) -> bytes:
    head, index = head_over(entry, heads), position_of(entry, heads).index
    return sigstore.write(
        sigstore.Parts(
            envelope=bytes(row.envelope),
            leaf=bytes(entry.leaf),
            index=index,
            path=tiles.inclusion_path(index, head.checkpoint.size, logs.reader(head.checkpoint.log)),
            checkpoint=head.note,
            vkey=head.vkey,
            timestamps=files.timestamps.get(row.leaf_sha256, ()),
        )
    )
