"""Who may do what in PostgreSQL: six group roles, the owner of the ledger's tables, and the matrix of their rights.

The roles cannot log in. The account of each process is a member of those it needs (docs/operate.md, "Database
roles"). One account for everything, as in the demo, goes on working: it owns the tables, or is a superuser.
Identity columns take their numbers without a right to the sequence behind them, so nobody has one.
"""

from collections.abc import Mapping

OWNER = "ledger_owner"
SEQUENCER = "ledger_seq"
CHECKPOINTER = "ledger_sign"
PUBLISHER = "ledger_publish"
APP = "app"
VAULT = "vault"
ROLES = (OWNER, SEQUENCER, CHECKPOINTER, PUBLISHER, APP, VAULT)

VAULT_TABLE = "requests_subjectvault"
LEDGER_PREFIX = "ledger_"

_READ = frozenset({"SELECT"})
_APPEND = _READ | {"INSERT"}
_GROW = _APPEND | {"UPDATE"}
_CHANGE = _GROW | {"DELETE"}
_NOTHING: frozenset[str] = frozenset()

# Role → table → rights. What is not named is not granted, but for the two defaults of `app` below.
GRANTS: Mapping[str, Mapping[str, frozenset[str]]] = {
    SEQUENCER: {
        "ledger_pendingentry": _READ | {"DELETE"},
        "ledger_ledgerentry": _APPEND,
        "ledger_hashtile": _GROW,
        "ledger_log": _APPEND,
        "ledger_signedcheckpoint": _READ,
        "ledger_ledgerhold": _READ,
        # Each process looks at its start whether all migrations are applied.
        "django_migrations": _READ,
    },
    CHECKPOINTER: {
        "ledger_log": _READ,
        "ledger_hashtile": _READ,
        "ledger_ledgerentry": _READ,
        "ledger_signedcheckpoint": _APPEND,
        # It publishes its key, which is an event.
        "ledger_publickey": _APPEND,
        "ledger_pendingentry": _READ,
        "ledger_ledgerhold": _CHANGE,
        "django_migrations": _READ,
    },
    PUBLISHER: {
        "ledger_log": _READ,
        "ledger_hashtile": _READ,
        "ledger_ledgerentry": _READ,
        "ledger_signedcheckpoint": _READ,
        "ledger_publickey": _READ,
        "ledger_ledgerhold": _READ,
        "ledger_cosignature": _APPEND,
        "ledger_checkpointtimestamp": _APPEND,
        "ledger_evidencetimestamp": _APPEND,
        # How it goes with witnesses and authorities: no part of the record.
        "ledger_outsider": _CHANGE,
        "django_migrations": _READ,
    },
    APP: {
        "ledger_publickey": _APPEND,
        "ledger_actorpseudonym": _GROW,
        "django_migrations": _READ,
        VAULT_TABLE: _NOTHING,
    },
    VAULT: {VAULT_TABLE: _CHANGE},
}
_APP_IN_THE_LEDGER = _READ
_APP_ELSEWHERE = _CHANGE
# All but `id`: the order of the outbox is that in which entries came. A trigger draws `entry_id` anew (one_way.py), but
# Django names that column in each INSERT.
_INTO_THE_OUTBOX = {
    "INSERT": ("entry_id", "kind", "event_type", "request_id", "subject_id", "leaf", "leaf_sha256", "recorded_at")
}
# (role, table) → right → columns, in the order of the table.
COLUMN_GRANTS: Mapping[tuple[str, str], Mapping[str, tuple[str, ...]]] = {
    (APP, "ledger_pendingentry"): _INTO_THE_OUTBOX,
    (CHECKPOINTER, "ledger_pendingentry"): _INTO_THE_OUTBOX,
    # The sequencer ends a log with its year, a rotation of the log key ends it at once.
    (SEQUENCER, "ledger_log"): {"UPDATE": ("size", "frozen_at")},
    (APP, "ledger_log"): {"UPDATE": ("frozen_at", "needs_other_key")},
    (CHECKPOINTER, "ledger_publickey"): {"UPDATE": ("valid_until",)},
    (APP, "ledger_publickey"): {"UPDATE": ("valid_until", "distrusted_from")},
}
# Whoever inserts entries runs the check of their leaves.
FUNCTION_USERS = (SEQUENCER, CHECKPOINTER, APP)


def privileges(role: str, table: str) -> frozenset[str]:
    """The rights of a role to all columns of a table, without those of an owner."""
    named = GRANTS.get(role, {})
    if table in named:
        return named[table]
    if role == APP:
        return _APP_IN_THE_LEDGER if table.startswith(LEDGER_PREFIX) else _APP_ELSEWHERE
    return _NOTHING


def is_owned(role: str, table: str) -> bool:
    """Whether the role owns this table, sequence or function, and may do anything with it."""
    return role == OWNER and table.startswith(LEDGER_PREFIX)
