"""What a witness answers to `add-checkpoint`: a decision from what it knows and what it was sent, and nothing else.

The order of the checks is that of the specification: form (400), origin (404), signature (403), sizes (400, 409),
then consistency (422). Nothing here reads a clock, a file or a key.

Source: https://c2sp.org/tlog-witness
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from compliance.evidence import checkpoint, merkle
from compliance.evidence.canonical import decode_base64
from compliance.evidence.checkpoint import Checkpoint
from compliance.evidence.cosignature import with_lines_of
from compliance.evidence.errors import (
    CheckpointKeyError,
    CheckpointMalformedError,
    CheckpointSignatureError,
    ProofError,
)

# 63 lines of a proof are 3 kB; sixteen signatures after quantum computers are 80 kB.
MAX_REQUEST_BYTES = 131_072
MAX_PROOF_LINES = 63
_OLD_SIZE = re.compile(rb"old (0|[1-9][0-9]{0,18})")
_TEXT = "text/plain; charset=utf-8"
_SIZE = "text/x.tlog.size"


@dataclass(frozen=True)
class Answer:
    """What goes back over HTTP."""

    status: int
    body: bytes
    content_type: str = _TEXT


@dataclass(frozen=True)
class KnownLog:
    """A log that is watched: the vkeys of its origin, and the newest note that was cosigned (None: none yet).

    The note carries the log's signature lines and the line of the witness itself.
    """

    origin: str
    vkeys: tuple[str, ...]
    note: bytes | None = None

    @property
    def head(self) -> Checkpoint:
        """The newest head, or that of the empty log. The note was verified when it was stored or read."""
        if self.note is None:
            return Checkpoint(self.origin, 0, merkle.EMPTY_ROOT)
        return checkpoint.parse_body(checkpoint.split_note(self.note)[0])


@dataclass(frozen=True)
class Submission:
    """The parts of a request."""

    old_size: int
    path: tuple[bytes, ...]
    note: bytes


@dataclass(frozen=True)
class Accepted:
    """A checkpoint to cosign: its log, and its note with the log's own signature lines alone."""

    log: KnownLog
    note: bytes


@dataclass(frozen=True)
class Refused:
    """An answer that cosigns nothing.

    `fork` holds two notes of one log that cannot stand beside one another: one size, two roots, both signed.
    """

    answer: Answer
    fork: tuple[bytes, ...] = ()


def decide(logs: Mapping[str, KnownLog], request: bytes) -> Accepted | Refused:
    """Judge the body of one request against the logs that are watched, by origin."""
    try:
        submission = parse_request(request)
        head = checkpoint.parse_body(checkpoint.split_note(submission.note)[0])
    except ValueError as error:
        return _refuse(400, str(error))
    log = logs.get(head.origin)
    if log is None:
        return _refuse(404, "This witness does not watch a log of this origin.")
    try:
        checkpoint.open_note(submission.note, log.vkeys)
    except (CheckpointKeyError, CheckpointSignatureError) as error:
        return _refuse(403, str(error))
    refused = _judge_sizes(log.head, head, submission) or _judge_consistency(log, head, submission)
    if refused is not None:
        return refused
    return Accepted(log, with_lines_of(submission.note, map(checkpoint.parse_vkey, log.vkeys)))


def parse_request(request: bytes) -> Submission:
    """Split the body of a request; raises CheckpointMalformedError or ValueError. The note itself is not parsed."""
    if len(request) > MAX_REQUEST_BYTES:
        raise CheckpointMalformedError(f"Expected a request of at most {MAX_REQUEST_BYTES} bytes.")
    head, blank, note = request.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    old = _OLD_SIZE.fullmatch(first)
    if old is None or not blank:
        raise CheckpointMalformedError("Expected the line `old SIZE`, proof lines, an empty line and a checkpoint.")
    if len(lines) > MAX_PROOF_LINES:
        raise CheckpointMalformedError(f"Expected at most {MAX_PROOF_LINES} proof lines, found {len(lines)}.")
    path = tuple(decode_base64(line.decode("latin-1")) for line in lines)
    if any(len(sibling) != merkle.HASH_BYTES for sibling in path):
        raise CheckpointMalformedError(f"Expected proof lines of {merkle.HASH_BYTES} bytes each, found another length.")
    return Submission(int(old[1]), path, note)


def _judge_sizes(known: Checkpoint, head: Checkpoint, submission: Submission) -> Refused | None:
    if submission.old_size > head.size:
        return _refuse(400, "Expected an old size of at most the size of the checkpoint.")
    if submission.old_size != known.size:
        return Refused(Answer(409, f"{known.size}\n".encode(), _SIZE))
    return None


def _judge_consistency(log: KnownLog, head: Checkpoint, submission: Submission) -> Refused | None:
    """The old size is that of the known head from here on."""
    known = log.head
    if head.size == known.size and head.root != known.root:
        refused = _refuse(422, f"Of the log at size {head.size} another root is known.")
        return Refused(refused.answer, fork=(log.note, submission.note) if log.note else ())
    if known.size == 0:
        return _refuse(422, "Expected no proof lines from size 0.") if submission.path else None
    try:
        merkle.verify_consistency(known.size, head.size, submission.path, known.root, head.root)
    except ProofError as error:
        return _refuse(422, str(error))
    return None


def _refuse(status: int, reason: str) -> Refused:
    return Refused(Answer(status, reason.encode() + b"\n"))
