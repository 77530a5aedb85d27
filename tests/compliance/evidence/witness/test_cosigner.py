"""The witness at work: one history for ever, whatever happens to its disk, its clock and its callers."""

import dataclasses
import logging
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import checkpoint, cosignature
from compliance.evidence.witness.cosigner import Cosigner, now
from compliance.evidence.witness.service import Answer
from compliance.evidence.witness.store import State, Store, origin_sha256

from .history import ORIGIN, History

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HASH = origin_sha256(ORIGIN)


def cosigned_at(note: bytes, answer: Answer, opened: Store) -> datetime:
    """The time of a cosignature that is verified on the way."""
    assert answer.status == 200, answer
    return cosignature.verify(note + answer.body, {"w": str(opened.vkey)})["w"]


def test_a_fork_is_refused_and_both_of_its_notes_are_kept(opened: Store, folder: Path, log: History) -> None:
    cosigner = Cosigner(opened)
    fork = log.forked_at(3)
    assert cosigner.add_checkpoint(log.request(0, 5)).status == 200
    for _ in range(2):
        assert cosigner.add_checkpoint(fork.request(5, 5)).status == 422
    assert cosigner.add_checkpoint(fork.request(5, 9)).status == 422
    kept = [path.read_bytes() for path in (folder / "forks").glob("*.note")]
    assert len(kept) == State.read(folder).n_forks == 2
    heads = [checkpoint.open_note(note, [log.vkey]) for note in kept]
    assert {head.root for head in heads} == {log.head(5).root, fork.head(5).root}
    assert cosigner.add_checkpoint(log.request(5, 9)).status == 200


def test_nothing_is_signed_when_the_clock_was_set_back(opened: Store, log: History) -> None:
    times = iter([NOON, NOON - timedelta(seconds=1), NOON])
    cosigner = Cosigner(opened, clock=lambda: next(times))
    assert cosigned_at(log.note(5), cosigner.add_checkpoint(log.request(0, 5)), opened) == NOON
    assert cosigner.add_checkpoint(log.request(5, 6)).status == 503
    assert opened.logs[ORIGIN].head.size == 5
    assert cosigned_at(log.note(6), cosigner.add_checkpoint(log.request(5, 6)), opened) == NOON


def test_no_cosignature_is_given_out_that_the_disk_did_not_take(
    opened: Store, folder: Path, log: History, caplog: pytest.LogCaptureFixture
) -> None:
    cosigner = Cosigner(opened)
    # A folder in the place of the draft makes the real write fail, also for root.
    obstacle = folder / "logs" / f".{HASH}.json.new"
    obstacle.mkdir()
    with caplog.at_level(logging.ERROR):
        answer = cosigner.add_checkpoint(log.request(0, 5))
    assert (answer.status, "—".encode() in answer.body) == (500, False)
    assert "could not be written" in caplog.text
    assert (opened.logs[ORIGIN].note, cosigner.newest(HASH)) == (None, None)
    obstacle.rmdir()
    assert cosigner.add_checkpoint(log.forked_at(2).request(0, 5)).status == 200


def test_the_newest_note_carries_the_log_and_the_witness_alone(opened: Store, log: History) -> None:
    cosigner = Cosigner(opened)
    assert cosigner.newest(HASH) is None
    stranger = History().note(5).split(b"\n\n")[1]
    answer = cosigner.add_checkpoint(log.request(0, 5) + stranger)
    assert cosigner.newest(HASH) == log.note(5) + answer.body
    assert cosigner.newest("0" * 64) is None


def test_a_known_checkpoint_is_cosigned_again_at_its_new_time(opened: Store, log: History) -> None:
    times = iter([NOON, NOON + timedelta(hours=1)])
    cosigner = Cosigner(opened, clock=lambda: next(times))
    assert cosigner.add_checkpoint(log.request(0, 5)).status == 200
    answer = cosigner.add_checkpoint(log.request(5, 5))
    assert cosigned_at(log.note(5), answer, opened) == NOON + timedelta(hours=1)


def test_a_known_checkpoint_sent_again_within_the_second_is_answered_without_the_disk(
    opened: Store, folder: Path, log: History
) -> None:
    """Anybody can send the note that the witness publishes, and would wear out its disk."""
    cosigner = Cosigner(opened, clock=lambda: NOON)
    first = cosigner.add_checkpoint(log.request(0, 5))
    path = folder / "logs" / f"{HASH}.json"
    before = path.stat()
    for _ in range(3):
        assert cosigner.add_checkpoint(log.request(5, 5)) == first
    # Each write makes a new file.
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    # Something new is written within the same second.
    assert cosigned_at(log.note(6), cosigner.add_checkpoint(log.request(5, 6)), opened) == NOON
    assert path.stat().st_ino != before.st_ino


def test_a_note_with_the_line_of_a_second_key_gets_the_same_cosignature_within_the_second(
    opened: Store, log: History
) -> None:
    """A cosignature is over the text of a note, whatever signatures stand below it."""
    second = dataclasses.replace(log, key=Ed25519PrivateKey.generate())
    opened.add_log(second.vkey)
    cosigner = Cosigner(opened, clock=lambda: NOON)
    first = cosigner.add_checkpoint(log.request(0, 5))
    assert cosigner.add_checkpoint(second.request(5, 5)) == first
    assert cosigned_at(second.note(5), first, opened) == NOON


def test_logs_do_not_disturb_one_another(opened: Store, log: History) -> None:
    other = History(origin="ledger.example/2027")
    opened.add_log(other.vkey)
    cosigner = Cosigner(opened)
    for each in (log, other):
        assert cosigner.add_checkpoint(each.request(0, 5)).status == 200
    assert cosigner.add_checkpoint(log.request(5, 30)).status == 200
    assert cosigner.add_checkpoint(other.request(5, 6)).status == 200
    assert {origin: known.head.size for origin, known in opened.logs.items()} == {ORIGIN: 30, other.origin: 6}


def test_of_many_requests_at_once_one_history_is_cosigned(opened: Store, log: History) -> None:
    """Forks race for each size: the specification's own example of how a witness is rolled back."""
    cosigner = Cosigner(opened)
    histories = [log, *(log.forked_at(1, salt=bytes([number])) for number in range(5))]
    assert cosigner.add_checkpoint(log.request(0, 1)).status == 200
    signed: list[tuple[int, int]] = []

    def send(number: int) -> None:
        for size in range(2, 12):
            answer = cosigner.add_checkpoint(histories[number].request(size - 1, size))
            signed.extend([(number, size)] * (answer.status == 200))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(len(histories))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({number for number, _ in signed}) == 1
    assert [size for _, size in signed] == sorted({size for _, size in signed})


def test_the_present_is_a_time_to_the_second() -> None:
    assert (now().microsecond, now().tzinfo) == (0, UTC)
