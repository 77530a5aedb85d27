"""Asking a witness for its cosignature: what a log sends to `add-checkpoint`, and what it believes of the answer.

A witness is a stranger: it may be slow, broken or hostile. A call ends within its time whatever is trickled, follows no
redirect, reads a bounded answer, and returns a line only after its signature and time were checked. A refusal that
says that the witness knows another history is an error of its own: nothing may be signed until somebody has looked.

Source: https://c2sp.org/tlog-witness
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from compliance.evidence import bounded_post, checkpoint, cosignature
from compliance.evidence.bounded_post import NoAnswerError, Reply, TooLongAnswerError
from compliance.evidence.canonical import encode_base64
from compliance.evidence.cosignature import Cosignature
from compliance.evidence.errors import EvidenceError
from compliance.evidence.merkle import HASH_BYTES

_MAX_ANSWER_BYTES = 65_536
_MAX_PROOF_LINES = 63
# More than two honest clocks differ, less than what would matter for the question when a log was seen.
_MAX_CLOCK_DIFFERENCE = timedelta(minutes=10)
_SIZE_LINE = re.compile(rb"(0|[1-9][0-9]{0,18})\n")


class WitnessError(Exception):
    """A witness gave no cosignature. `is_retryable`: the same call may succeed later, with no person's help."""

    is_retryable: ClassVar[bool] = False


class WitnessUnreachableError(WitnessError):
    """No answer in time, or one that says that the witness is not well (429, 5xx)."""

    is_retryable = True


class WitnessSizeError(WitnessError):
    """The witness holds another size than `old_size`: send a proof from its size, `witness_size`.

    When it is larger than any size that this log ever signed, the log lost a part of its history, or was forked.
    """

    is_retryable = True

    def __init__(self, message: str, witness_size: int) -> None:
        super().__init__(message)
        self.witness_size = witness_size


class WitnessInconsistentError(WitnessError):
    """The witness says that this checkpoint does not extend the one it holds: a fork, or a wrong proof. Stop and look."""


class WitnessRefusedError(WitnessError):
    """The witness does not know this log or its key, or took the request for malformed: somebody must configure it."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class WitnessAnswerError(WitnessError):
    """An answer that is not of this protocol, or a cosignature that is not the witness's own over this checkpoint."""


def request_body(old_size: int, path: Sequence[bytes], note: bytes) -> bytes:
    """The body of an `add-checkpoint` request: `old N`, the consistency proof of 32-byte hashes, the signed note.

    Raises ValueError for what no witness would take.
    """
    if old_size < 0 or len(path) > _MAX_PROOF_LINES or any(len(sibling) != HASH_BYTES for sibling in path):
        raise ValueError(
            f"Expected an old size of 0 or more and at most {_MAX_PROOF_LINES} hashes of {HASH_BYTES} bytes, "
            f"found {old_size} and {len(path)} hashes."
        )
    lines = [f"old {old_size}", *map(encode_base64, path)]
    return "".join(f"{line}\n" for line in lines).encode() + b"\n" + note


def add_checkpoint(
    url: str, cosigner_vkey: str, old_size: int, path: Sequence[bytes], note: bytes, *, timeout_seconds: float = 10.0
) -> Cosignature:
    """Ask the witness at a submission prefix to cosign a note; returns its verified line and time.

    `old_size` is what the witness is believed to hold, `path` the consistency proof from there to the note's size, empty
    from size 0. Raises WitnessError in one of its kinds, and ValueError for a URL, vkey or note that cannot be sent.
    """
    cosignature.parse_vkey(cosigner_vkey)
    body = request_body(old_size, path, note)
    head = checkpoint.parse_body(checkpoint.split_note(note)[0])
    reply = _post(_address(url), body, timeout_seconds)
    if reply.status == 200:
        return _accept(note, reply.body, cosigner_vkey)
    raise _refusal(reply, old_size, head.size)


def _accept(note: bytes, answer: bytes, cosigner_vkey: str) -> Cosignature:
    text, _ = checkpoint.split_note(note)
    try:
        found = cosignature.cosignatures(text + b"\n" + answer, cosigner_vkey)
    except EvidenceError as error:
        raise WitnessAnswerError(f"The witness answered with no cosignature of this checkpoint. {error}") from error
    if not found or not answer.startswith("— ".encode()):
        raise WitnessAnswerError("Expected a cosignature under the key of this witness, found none in its answer.")
    newest = max(found, key=lambda each: each.cosigned_at)
    difference = abs(newest.cosigned_at - datetime.now(UTC))
    if difference > _MAX_CLOCK_DIFFERENCE:
        raise WitnessAnswerError(
            f"The witness dates its cosignature {newest.cosigned_at.isoformat()}, more than "
            f"{_MAX_CLOCK_DIFFERENCE.seconds // 60} minutes from this machine's time. Compare the two clocks."
        )
    return newest


def _refusal(reply: Reply, old_size: int, new_size: int) -> WitnessError:
    status = reply.status
    if status == 409:
        return _other_size(reply, old_size, new_size)
    if status == 422:
        return WitnessInconsistentError(
            f"The witness holds a checkpoint of size {old_size} that the one of size {new_size} does not extend."
        )
    if status == 429 or status >= 500:
        return WitnessUnreachableError(f"The witness answered with the status {status}.")
    reasons = {
        400: "took the request for malformed",
        403: "found no signature of a key that it knows for this log; tell its operator the log's vkey",
        404: "does not watch this log, or is not at this address; tell its operator the log's vkey",
    }
    if status in reasons:
        return WitnessRefusedError(f"The witness {reasons[status]} (status {status}).", status)
    return WitnessAnswerError(f"Expected an answer of the witness protocol, found the status {status}.")


def _other_size(reply: Reply, old_size: int, new_size: int) -> WitnessError:
    match = _SIZE_LINE.fullmatch(reply.body)
    if match is None or reply.content_type != "text/x.tlog.size":
        return WitnessAnswerError("Expected the witness's size with a conflict (status 409), found something else.")
    size = int(match[1])
    if size == old_size:
        # Witnesses of earlier versions of the specification say so when the roots of one size differ.
        return WitnessInconsistentError(f"The witness holds another root at size {size} than this log.")
    return WitnessSizeError(f"The witness holds size {size}, the proof for size {new_size} began at {old_size}.", size)


def _address(url: str) -> str:
    try:
        bounded_post.refuse_other_url(url)
    except ValueError as error:
        raise ValueError(
            f"Expected the URL of a witness, http or https with a host and a path alone, found {url!r}."
        ) from error
    return url.rstrip("/") + "/add-checkpoint"


def _post(url: str, body: bytes, timeout_seconds: float) -> Reply:
    try:
        return bounded_post.post(
            url, body, "text/plain; charset=utf-8", max_bytes=_MAX_ANSWER_BYTES, timeout_seconds=timeout_seconds
        )
    except TooLongAnswerError as error:
        raise WitnessAnswerError(f"The witness said too much. {error}") from error
    except NoAnswerError as error:
        raise WitnessUnreachableError(f"The witness could not be asked. {error}") from error
