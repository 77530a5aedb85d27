"""What one more entry and one more proof cost when the log holds ten thousand, a hundred thousand, a million entries.

The log is filled through the outbox by COPY, and positioned by the product's sequencer.
"""

import statistics
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

SIZES = (10_000, 100_000, 1_000_000)
FILL_ROWS = 5_000
N_APPENDS = 30
N_PROOFS = 200


@dataclass(frozen=True)
class Cost:
    """Medians in milliseconds at one size of the log: position one entry, sign its head, prove an entry of the log."""

    size: int
    append_ms: float
    checkpoint_ms: float
    proof_ms: float


def measure() -> list[Cost]:
    """Fill the log to each size in turn and measure there."""
    from compliance.ledger import keys, logs

    keys.create_missing()
    costs = []
    for size in SIZES:
        log = logs.newest()
        _fill(size - (0 if log is None else log.end))
        costs.append(_cost(size))
    return costs


def _fill(n_entries: int) -> None:
    from django.db import connection

    from compliance.ledger.sequencer import sequence_batch

    connection.ensure_connection()
    raw = connection.connection
    columns = "entry_id, kind, event_type, request_id, leaf, leaf_sha256, recorded_at"
    for start in range(0, n_entries, FILL_ROWS):
        with raw.cursor() as cursor, cursor.copy(f"COPY ledger_pendingentry ({columns}) FROM STDIN") as copy:
            for _ in range(min(FILL_ROWS, n_entries - start)):
                copy.write_row(_row())
        while sequence_batch(limit=FILL_ROWS):
            pass
    with raw.cursor() as cursor:
        # A million rows went through the outbox in a minute. What they leave in its index is cleaned by autovacuum, which
        # comes once in a minute or two: without this, the figures would tell whether it just came.
        cursor.execute("VACUUM ANALYZE ledger_pendingentry")


def _row() -> tuple[object, ...]:
    from datetime import UTC, datetime

    from compliance.evidence.leaf import Event, build
    from compliance.evidence.merkle import leaf_hash

    request = uuid.uuid4()
    now = datetime.now(tz=UTC)
    leaf = build(
        Event(
            type="request.withdrawn",
            request=str(request),
            previous="0" * 64,
            at=now.replace(microsecond=0),
            actor_role="subject",
            actor_id=str(request),
            facts={},
        )
    )
    return uuid.uuid4(), "event", "request.withdrawn", request, leaf, leaf_hash(leaf).hex(), now


def _cost(size: int) -> Cost:
    import random

    from compliance.evidence import tiles
    from compliance.ledger import logs
    from compliance.ledger.checkpointer import sign_checkpoint
    from compliance.ledger.sequencer import sequence_batch

    while sign_checkpoint() is not None:
        pass
    appends, checkpoints = [], []
    for _ in range(N_APPENDS):
        _append_one()
        appends.append(_timed(sequence_batch))
        checkpoints.append(_timed(sign_checkpoint))
    log = logs.newest()
    assert log is not None
    generator = random.Random(size)  # noqa: S311  which entries are proven is no secret
    proofs = [
        _timed(lambda: tiles.inclusion_path(generator.randrange(log.size), log.size, logs.reader(log)))
        for _ in range(N_PROOFS)
    ]
    median = statistics.median
    return Cost(size, median(appends) * 1000, median(checkpoints) * 1000, median(proofs) * 1000)


def _append_one() -> None:
    from django.db import transaction

    from compliance.ledger.actors import SYSTEM
    from compliance.ledger.record import record_event

    facts = {"job": str(uuid.uuid4()), "target": str(uuid.uuid4()), "reason": "unexpected_error"}
    with transaction.atomic():
        record_event("job.failed", actor=SYSTEM, facts=facts, request_id=uuid.uuid4(), previous="0" * 64)


def _timed(step: Callable[[], object]) -> float:
    started = time.perf_counter()
    step()
    return time.perf_counter() - started
