"""Rows are wrapped anew under the current master key, in batches, beside everything else that runs.

Each row is changed only if it is still as it was read, so a killed run, a second one, or a row that is shredded
meanwhile does no harm: what is left is found again. What a row seals is not touched, only the key that opens it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from compliance.vault import ring
from compliance.vault.errors import KeyRingError, KeyServiceError, VaultError
from compliance.vault.switching import hold_keys
from compliance.vault.wrapping import KeyWrapper

BATCH_ROWS = 200
# Of a row, what its wrapped key is bound to.
ContextOf = Callable[[Any], bytes]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What came of up to `BATCH_ROWS` rows. `unopened` are primary keys of rows that no key here opens."""

    n_rewrapped: int
    unopened: tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class _Fresh:
    pk: Any
    old: bytes
    new: bytes


def waiting(rows: QuerySet[Any], key_id: str) -> QuerySet[Any]:
    """Those that are wrapped under another key than this one; shredded rows hold no key."""
    return rows.exclude(wrapped_key=b"").exclude(master_key_id=key_id)


def rewrap(rows: QuerySet[Any], context_of: ContextOf, n_batch: int = BATCH_ROWS) -> Iterator[Batch]:
    """Wrap the rows (of a model with `wrapped_key` and `master_key_id`) under the current key; yields after each batch.

    It goes through the table once. Raises KeyServiceError and KeyRingError between two batches.
    """
    last: Any = None
    while True:
        master = _current()
        left = waiting(rows, master.key_id).order_by("pk")
        batch = list((left if last is None else left.filter(pk__gt=last))[:n_batch])
        if not batch:
            return
        fresh, unopened = _wrapped_anew(batch, master, context_of)
        n_rewrapped = _store(rows, fresh, master.key_id)
        if n_rewrapped is None:
            continue
        last = batch[-1].pk
        yield Batch(n_rewrapped=n_rewrapped, unopened=tuple(unopened))


@transaction.atomic
def _current() -> KeyWrapper:
    """Held while it is read: it may be turned and destroyed at any time."""
    hold_keys()
    return ring.configured().current()


def _wrapped_anew(batch: list[Any], master: KeyWrapper, context_of: ContextOf) -> tuple[list[_Fresh], list[Any]]:
    """Outside a transaction: a key service may take its time."""
    fresh, unopened = [], []
    for row in batch:
        context, old = context_of(row), bytes(row.wrapped_key)
        try:
            data_key = ring.configured().named(row.master_key_id).unwrap(old, context)
        except (KeyServiceError, KeyRingError):
            raise
        except VaultError:
            unopened.append(row.pk)
            continue
        fresh.append(_Fresh(pk=row.pk, old=old, new=master.wrap(data_key, context)))
    return fresh, unopened


@transaction.atomic
def _store(rows: QuerySet[Any], fresh: list[_Fresh], key_id: str) -> int | None:
    """How many rows were changed; None when the current key is another by now."""
    hold_keys()
    if ring.configured().current_id() != key_id:
        return None
    return sum(
        rows.filter(pk=each.pk, wrapped_key=each.old).update(wrapped_key=each.new, master_key_id=key_id)
        for each in fresh
    )
