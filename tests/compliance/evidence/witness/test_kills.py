"""A witness that is killed at any moment never signs two roots for one size."""

import threading
import time
from collections import defaultdict
from pathlib import Path

from compliance.evidence import checkpoint, witness_client
from compliance.evidence.checkpoint import VerifierKey
from compliance.evidence.witness.store import State
from compliance.evidence.witness_client import WitnessError

from .history import ORIGIN, History
from .process import Running, running

N_KILLS = 20
Signed = dict[int, set[bytes]]


def ask(witness: Running, vkey: VerifierKey, history: History, old: int, size: int, signed: Signed) -> None:
    """Ask for one cosignature, and note the root that it is for."""
    try:
        path, note = history.path(old, size), history.note(size)
        witness_client.add_checkpoint(witness.url, str(vkey), old, path, note, timeout_seconds=10)
    except WitnessError:
        return
    signed[size].add(history.head(size).root)


def race(witness: Running, vkey: VerifierKey, histories: list[History], old: int, delay: float) -> Signed:
    """Two histories ask for one size at once, and the witness is killed meanwhile."""
    signed: Signed = defaultdict(set)
    threads = [
        threading.Thread(target=ask, args=(witness, vkey, history, old, old + 1, signed)) for history in histories
    ]
    for thread in threads:
        thread.start()
    time.sleep(delay)
    witness.process.kill()
    for thread in threads:
        thread.join()
    return signed


def test_it_never_signs_two_roots_for_one_size(folder: Path, vkey: VerifierKey, log: History) -> None:
    signed: Signed = defaultdict(set)
    history, size, n_answered = log, 0, 0
    for kill in range(N_KILLS):
        # Both extend what is known, so that only its memory keeps the witness from signing the second.
        histories = [history.forked_at(size, salt=bytes([kill, side])) for side in (0, 1)]
        with running(folder) as witness:
            answered = race(witness, vkey, histories, size, delay=0.0006 * (kill % 12))
        with running(folder) as witness:
            for each in histories:
                for old in (size, size + 1):
                    ask(witness, vkey, each, old, size + 1, answered)
        n_answered += len(answered)
        for at_size, roots in answered.items():
            signed[at_size] |= roots
        known = State.read(folder).logs[ORIGIN]
        assert known.note is not None
        head = checkpoint.open_note(known.note, [log.vkey])
        (history,) = [each for each in histories if each.head(head.size) == head]
        size = head.size
        assert {at_size: len(roots) for at_size, roots in signed.items()} == dict.fromkeys(signed, 1)
        assert signed[size] == {head.root}
    assert (size, n_answered) == (N_KILLS, N_KILLS)
