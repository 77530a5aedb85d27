"""The witness at work: it decides, signs, writes to the disk, and only then answers."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock

from compliance.evidence import checkpoint, cosignature
from compliance.evidence.cosignature import Cosignature
from compliance.evidence.witness.service import Accepted, Answer, KnownLog, Refused, decide
from compliance.evidence.witness.store import Store, origin_sha256

_logger = logging.getLogger(__name__)


def now() -> datetime:
    """This second."""
    return datetime.now(UTC).replace(microsecond=0)


class Cosigner:
    """Answers requests one after the other: two that were judged against one head could make the second roll it back."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = now) -> None:
        self._store = store
        self._clock = clock
        self._turn = Lock()

    def add_checkpoint(self, request: bytes) -> Answer:
        """The answer to the body of one `add-checkpoint` request. A cosignature in it is on the disk already."""
        with self._turn:
            decision = decide(self._store.logs, request)
            if isinstance(decision, Refused):
                self._keep_fork(decision)
                return decision.answer
            return self._cosign(decision)

    def newest(self, origin_hash: str) -> bytes | None:
        """The newest cosigned note of the log whose origin has this hex SHA-256, or None."""
        notes = {origin_sha256(origin): log.note for origin, log in self._store.logs.items()}
        return notes.get(origin_hash)

    def _cosign(self, accepted: Accepted) -> Answer:
        at = self._clock()
        name = self._store.vkey.name
        if self._is_before(at, accepted.log):
            _logger.error("The clock of this machine stands before the newest cosignature. Nothing is signed.")
            return Answer(503, b"The clock of this witness is wrong. Nothing was signed.\n")
        line = self._line_of_this_second(at, accepted)
        if line is not None:
            return Answer(200, line)
        line = cosignature.cosign(accepted.note, name, self._store.key, at)
        try:
            self._store.save(KnownLog(accepted.log.origin, accepted.log.vkeys, accepted.note + line))
        except OSError as error:
            _logger.error("A checkpoint could not be written to the disk: %s. Nothing was given out.", error.strerror)
            return Answer(500, b"The checkpoint could not be stored. Nothing was signed.\n")
        head = self._store.logs[accepted.log.origin].head
        _logger.info("Cosigned %s at size %d.", head.origin, head.size)
        return Answer(200, line)

    def _is_before(self, at: datetime, log: KnownLog) -> bool:
        """Whether a clock was set back: times of one witness must tell in which order it saw the heads of a log."""
        newest = self._newest_line(log)
        return newest is not None and at < newest.cosigned_at

    def _line_of_this_second(self, at: datetime, accepted: Accepted) -> bytes | None:
        """The line on the disk, when it says what a new one would: of this head, at this time.

        Anybody can send the newest note again, as often as they like; the disk is written once a second for that.
        """
        head = checkpoint.parse_body(checkpoint.split_note(accepted.note)[0])
        newest = self._newest_line(accepted.log)
        is_same = newest is not None and newest.cosigned_at == at and accepted.log.head == head
        return newest.line if newest is not None and is_same else None

    def _newest_line(self, log: KnownLog) -> Cosignature | None:
        if log.note is None:
            return None
        own = cosignature.cosignatures(log.note, str(self._store.vkey))
        return max(own, key=lambda each: each.cosigned_at)

    def _keep_fork(self, refused: Refused) -> None:
        if not refused.fork:
            return
        _logger.error("A log signed two roots for one size. Both notes are kept in the folder forks.")
        try:
            self._store.keep_fork(*refused.fork)
        except OSError as error:
            _logger.error("The notes could not be written to the disk: %s.", error.strerror)
