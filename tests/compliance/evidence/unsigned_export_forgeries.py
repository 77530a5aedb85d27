"""Forgeries of whole exports in which everything is recomputed that nobody signs: tiles, seals, indices, Sigstore bundles.

Entries with their tiles made anew, logs left out, heads of other signers, evidence at other entries.
"""

import dataclasses
from collections.abc import Callable, Iterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence.errors import ExitCode
from compliance.evidence.export_folder import Kind, signed_name
from compliance.evidence.position import Position

from .export_story import ExportStory, folder_of, log_files, sigstore_file
from .forgeries import Files, Forgery, codes
from .ledgers import GrowingLog
from .unsigned_forgeries import other_heads


def of_export(told: ExportStory, files: Files) -> Iterator[Forgery]:
    """Of a whole export: entries with their tiles made anew, heads of other signers, evidence at other entries."""
    for number, log in told.ledger.logs.items():
        place = f"logs/{folder_of(log)}"
        for name, change in _histories(log).items():
            history = GrowingLog(number, log.origin, log.key)
            history.append(change(list(log.leaves)))
            kept = {key: held for key, held in files.items() if not key.startswith(f"{place}/tile/")}
            kept |= {f"{place}/{key}": held for key, held in log_files(history).items()}
            noticed = codes(ExitCode.LOG_CONTENT, ExitCode.UNEXPECTED_FILE)
            yield Forgery(f"log {number}: {name}, tiles made anew", kept, noticed)
        for name, note, _, code in other_heads(told.ledger, log):
            # An older head than the entries: what is beyond it, or not there in its width, is noticed.
            older = codes(ExitCode.LOG_CONTENT) if code is ExitCode.PROOF_CHANGED else codes(code)
            yield Forgery(f"log {number}: {name}", {**files, f"{place}/checkpoint": note}, older)
    yield from _other_evidence(told, files)
    yield from _shorter_rows(told, files)
    yield from _older_heads(told, files)


def _shorter_rows(told: ExportStory, files: Files) -> Iterator[Forgery]:
    """A log left out, index and seal made to fit, with and without what was disclosed."""
    for number, log in told.ledger.logs.items():
        place = f"logs/{folder_of(log)}/"
        for what, others in (("", ()), (" with all requests", ("requests/", "models/", "policies/"))):
            kept = {key: held for key, held in files.items() if not key.startswith((place, *others))}
            logs = tuple(each for each in told.index().logs if each.number != number)
            rows = {"": logs, ", the other as number 1": tuple(dataclasses.replace(each, number=1) for each in logs)}
            for name, row in rows.items():
                index = dataclasses.replace(told.index(), logs=row).to_bytes()
                left_out = {**kept, "export.json": index}
                yield Forgery(f"log {number} left out{what}{name}", left_out, codes(ExitCode.LOG_SUCCESSION))


def _older_heads(told: ExportStory, files: Files) -> Iterator[Forgery]:
    """Older heads beside the entries, of other signers and other histories."""
    for number, log in told.ledger.logs.items():
        size = len(log.leaves) - 1
        other = GrowingLog(number, log.origin, Ed25519PrivateKey.generate())
        other.append(log.leaves)
        notes = {
            "signed by another key": (other.note(told.ledger.cosigners, size), ExitCode.CHECKPOINT_KEY),
            "cosigned by one": (log.note(told.ledger.cosigners[:1], size), ExitCode.CHECKPOINT_UNWITNESSED),
            "of the whole log": (log.note(told.ledger.cosigners), ExitCode.UNEXPECTED_FILE),
            "that is the other log's": (
                next(each for at, each in told.ledger.notes().items() if at != number),
                ExitCode.CHECKPOINT_KEY,
            ),
        }
        for what, (note, code) in notes.items():
            name = f"logs/{folder_of(log)}/earlier/{size}.checkpoint"
            yield Forgery(f"an older head of log {number} {what}", {**files, name: note}, codes(code))


def _histories(log: GrowingLog) -> dict[str, Callable[[list[bytes]], list[bytes]]]:
    middle = len(log.leaves) // 2
    return {
        "the last entry left out": lambda leaves: leaves[:-1],
        "an entry in the middle left out": lambda leaves: leaves[:middle] + leaves[middle + 1 :],
        "an entry twice": lambda leaves: [*leaves[:middle], leaves[middle], *leaves[middle:-1]],
        "two entries exchanged": lambda leaves: [leaves[1], leaves[0], *leaves[2:]],
        "an entry put in": lambda leaves: [*leaves, leaves[0]],
        "an entry that says something else": lambda leaves: [
            leaf.replace(b'"ground":"art17_1_b"', b'"ground":"art17_1_f"') for leaf in leaves
        ],
    }


def _other_evidence(told: ExportStory, files: Files) -> Iterator[Forgery]:
    """Attachments of one request under the targets of another, each at its own entry."""
    notes = told.ledger.notes()
    first, second = told.disclosed
    kinds: tuple[tuple[str, Kind, ExitCode], ...] = (
        ("envelopes", "evidence", ExitCode.SWAPPED_REQUEST),
        ("summaries", "closing", ExitCode.CLOSING_STATEMENT),
    )
    for part, kind, code in kinds:
        own: dict[str, tuple[Position, bytes]] = getattr(first, part)
        foreign: dict[str, tuple[Position, bytes]] = getattr(second, part)
        for target, (position, envelope) in zip(own, foreign.values(), strict=True):
            content = sigstore_file(told.ledger, position, envelope, notes)
            changed = {**files, signed_name(first.request_id, target, kind): content}
            yield Forgery(f"{kind} of {target} from another request", changed, codes(code))
