"""Writes one entry into the outbox, inside the caller's transaction: a change and its record commit together or not at all.

Next: compliance/ledger/sequencer.py
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

from django.db import connection, transaction

from compliance.evidence import leaf as leaves
from compliance.evidence.merkle import leaf_hash
from compliance.ledger.actors import Actor
from compliance.ledger.inserting import insert
from compliance.ledger.models import EntryKind, PendingEntry


class NoTransactionError(RuntimeError):
    """An entry was about to be written outside a transaction, where it could outlive or miss its change."""


def record_event(
    event_type: str,
    *,
    actor: Actor,
    facts: Mapping[str, leaves.FactValue],
    request_id: uuid.UUID | None = None,
    previous: str | None = None,
    subject_id: uuid.UUID | None = None,
) -> str:
    """Append an event leaf to the outbox and return its RFC 6962 leaf hash as hex.

    `previous` is the leaf hash of the request's last event, so that an auditor sees when one was left out.
    Raises LeafError when the facts are not on the allow-list of this event type.
    """
    now = datetime.now(tz=UTC)
    leaf = leaves.build(
        leaves.Event(
            type=event_type,
            request=None if request_id is None else str(request_id),
            previous=previous,
            at=now.replace(microsecond=0),
            actor_role=actor.role.value,
            actor_id=str(actor.id),
            facts=facts,
        )
    )
    return _append(EntryKind.EVENT, event_type, leaf, now, request_id, subject_id)


def record_evidence(envelope: bytes, public_key_pem: bytes, *, request_id: uuid.UUID) -> str:
    """Append the hashedrekord leaf of a signed envelope and return its leaf hash as hex."""
    leaf = leaves.hashedrekord(envelope, public_key_pem)
    return _append(EntryKind.EVIDENCE, "evidence.attached", leaf, datetime.now(tz=UTC), request_id, None)


def _append(
    kind: EntryKind,
    event_type: str,
    leaf: bytes,
    now: datetime,
    request_id: uuid.UUID | None,
    subject_id: uuid.UUID | None,
) -> str:
    if not transaction.get_connection().in_atomic_block:
        raise NoTransactionError(f"{event_type} must be recorded inside the transaction of the change it records.")
    _make_durable()
    digest = leaf_hash(leaf).hex()
    entry = PendingEntry(
        kind=kind,
        event_type=event_type,
        request_id=request_id,
        subject_id=subject_id,
        leaf=leaf,
        leaf_sha256=digest,
        recorded_at=now,
    )
    insert(entry)
    return digest


# Whether the sessions of the database's connections begin with synchronous_commit=off.
_is_volatile: WeakKeyDictionary[object, bool] = WeakKeyDictionary()


def _make_durable() -> None:
    """What is acknowledged to a person survives a crash, whatever the account's default for synchronous_commit is.

    The default holds for a whole session, so it is asked for once a connection.
    """
    if connection.vendor != "postgresql":
        return
    session: object = connection.connection
    if _is_volatile.get(session) is False:
        return
    with connection.cursor() as cursor:
        if session not in _is_volatile:
            cursor.execute("SHOW synchronous_commit")
            _is_volatile[session] = cursor.fetchone() == ("off",)
        if _is_volatile[session]:
            cursor.execute("SET LOCAL synchronous_commit = on")
