"""A million requests as three years of work leave them, made inside the database.

The columns of a request and of its vault row are copied from one that the service made, so that rows are as wide as
real ones; what tells requests apart is computed. Open are those of the last 36 days, of which the oldest are overdue,
and a tenth of those of the two months before, whose time was extended: of a million in three years some 4 %, of a
thousand in the first hundred days a third, so that every list has a full page. Every fulfilled request has a signed
summary, every closed one two letters, and the sources were searched for every one that was reviewed.

The sweeps have done their work: who did not prove the identity was reminded, and the request is closed after 28 days;
identities that were not proven are shredded at once, others 92 days after the end. Left to them are requests that were
just received or approved, and a few searches, summaries, letters, jobs and identities. Import it after `django.setup()`.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from django.db import connection, models, transaction

from compliance.registry.models import DataSource, RegisteredModel
from compliance.requests.actions.submit import submit
from compliance.requests.models import (
    DeletionRequest,
    IdentityChallenge,
    Job,
    Letter,
    Reminder,
    SourceSearch,
    SubjectVault,
    Summary,
    Target,
)
from compliance.requests.states import TERMINAL, RequestState

# Percent of the open, and of the closed, requests.
_OPEN = {
    RequestState.RECEIVED: 1,
    RequestState.IDENTITY_PENDING: 30,
    RequestState.UNDER_REVIEW: 40,
    RequestState.INFO_REQUESTED: 5,
    RequestState.APPROVED: 1,
    RequestState.EXECUTING: 5,
    RequestState.VERIFYING: 2,
    RequestState.ATTENTION: 4,
    RequestState.SIGNOFF: 12,
}
_CLOSED = {
    RequestState.COMPLETED: 70,
    RequestState.PARTLY_COMPLETED: 3,
    RequestState.REFUSED: 7,
    RequestState.WITHDRAWN: 5,
    RequestState.CLOSED_UNVERIFIED: 15,
}
_DIGEST = "md5(random()::text) || md5(random()::text)"
_IS_UNPROVEN = (
    "(d.state IN ('received', 'identity_pending', 'closed_unverified') OR d.state = 'withdrawn' AND d.mix < 50)"
)
# Of what the sweeps look for, one in a thousand was lost on its way.
_IS_LOST = "(d.lot < 0.001 AND coalesce(d.closed_at, now()) > now() - interval '30 days')"
_IS_SHREDDED = (
    f"(d.closed_at < now() - interval '92 days' OR d.closed_at < now() AND {_IS_UNPROVEN} AND NOT {_IS_LOST})"
)
_HAS_TARGETS = "d.state IN ('executing', 'verifying', 'attention', 'signoff', 'completed', 'partly_completed')"
_IS_FULFILLED = "d.state IN ('completed', 'partly_completed')"
_HAS_JOB = f"({_HAS_TARGETS} AND d.mix < 10)"
_WAS_SEARCHED = f"NOT {_IS_UNPROVEN} AND NOT {_IS_LOST}"
_WAS_REMINDED = (
    "d.state = 'closed_unverified' OR d.state = 'identity_pending' AND d.received_at < now() - interval '1 day' "
    f"AND NOT {_IS_LOST}"
)


def grow(size: int, n_days: int) -> None:
    """Add requests of the last so many days until there are so many, and let the server gather its statistics."""
    first = DeletionRequest.objects.count()
    source, forgetting = _models()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_draft(), {"first": first, "size": size, "n_days": n_days})
        original = submit(identifier_kind="email", identifier_value="name@example.org").request
        for statement in _copies(original, source, forgetting):
            cursor.execute(statement)
        original.delete()
        cursor.execute("DROP TABLE draft")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _models() -> tuple[DataSource, RegisteredModel]:
    # Before any request came.
    earlier = datetime(2020, 1, 1, tzinfo=UTC)
    source, _ = DataSource.objects.get_or_create(name="bench", defaults={"declaration": {}, "registered_at": earlier})
    defaults = {"family": "bench", "data_source": source, "registered_at": earlier}
    return source, RegisteredModel.objects.get_or_create(name="bench", defaults=defaults)[0]


def _draft() -> str:
    """What is computed once of each request: when it came, its state, and when it was closed, in order of receipt."""
    ended = ", ".join(f"'{state.value}'" for state in TERMINAL)
    return f"""
        CREATE TEMPORARY TABLE draft AS
        SELECT gen_random_uuid() AS id, received_at, state, floor(100 * random())::int AS mix, random() AS lot,
            CASE WHEN state IN ({ended}) THEN least(received_at + 28 * random() * interval '1 day', now()) END AS closed_at
        FROM (
            SELECT received_at,
                CASE WHEN received_at > now() - interval '36 days'
                    OR received_at > now() - interval '90 days' AND is_extended
                THEN CASE WHEN pick <= 31 AND received_at < now() - interval '28 days'
                    THEN 'under_review' ELSE {_picked(_OPEN)} END
                ELSE {_picked(_CLOSED)} END AS state
            FROM (
                SELECT now() - %(n_days)s * interval '1 day' * (%(size)s - n) / (%(size)s - %(first)s) AS received_at,
                    random() < 0.1 AS is_extended, 100 * random() AS pick
                FROM generate_series(%(first)s + 1, %(size)s) AS n
            ) AS received
        ) AS judged
    """  # noqa: S608  every part is a constant of the code


def _picked(shares: Mapping[RequestState, int]) -> str:
    cases, until = [], 0
    for state, share in shares.items():
        until += share
        cases.append(f"WHEN pick <= {until} THEN '{state.value}'")
    return f"CASE {' '.join(cases)} END"


def _copies(original: DeletionRequest, source: DataSource, forgetting: RegisteredModel) -> Iterator[str]:
    yield _copy(
        DeletionRequest,
        {
            "id": "d.id",
            "state": "d.state",
            "received_at": "d.received_at",
            "changed_at": "coalesce(d.closed_at, least(d.received_at + random() * interval '9 days', now()))",
            "due_date": "(d.received_at + CASE WHEN d.closed_at IS NULL AND d.received_at < now() - interval '36 days' "
            "THEN interval '3 months' ELSE interval '1 month' END)::date",
            "token_sha256": _DIGEST,
            "chain_head": _DIGEST,
            "commitment": _DIGEST,
            "closed_at": "d.closed_at",
            "identity_level": f"CASE WHEN {_IS_UNPROVEN} THEN 0 ELSE 2 END",
            "searched_at": f"CASE WHEN {_WAS_SEARCHED} THEN d.received_at END",
            "is_shredded": f"coalesce({_IS_SHREDDED}, false)",
            "channel": "CASE WHEN d.mix < 60 THEN 'api' WHEN d.mix < 90 THEN 'web' WHEN d.mix < 98 THEN 'portal' "
            "ELSE 'opendsr' END",
            "regulation": "CASE WHEN d.mix % 10 < 9 THEN 'gdpr' ELSE 'ccpa' END",
        },
        original=f"id = '{original.pk}'",
    )
    yield _copy(
        SubjectVault,
        {
            "request_id": "d.id",
            "pseudonym": f"CASE WHEN {_IS_SHREDDED} THEN '' ELSE {_DIGEST} END",
            "wrapped_key": f"CASE WHEN {_IS_SHREDDED} THEN '' ELSE o.wrapped_key END",
            "sealed_identifier": f"CASE WHEN {_IS_SHREDDED} THEN '' ELSE o.sealed_identifier END",
            "sealed_commitment_key": f"CASE WHEN {_IS_SHREDDED} THEN '' ELSE o.sealed_commitment_key END",
            "shredded_at": f"CASE WHEN {_IS_SHREDDED} THEN least(d.closed_at + interval '92 days', now()) END",
        },
        original=f"request_id = '{original.pk}'",
    )
    yield _copy(
        IdentityChallenge,
        {"request_id": "d.id", "code_hmac": _DIGEST, "attempts_left": "5", "sent_at": "d.received_at"}
        | {"expires_at": "d.received_at + interval '10 minutes'"},
        where="d.state = 'identity_pending'",
    )
    yield from _letters()
    yield _copy(
        Reminder,
        {"request_id": "d.id", "kind": "'due_in_14_days'", "sent_at": "now()"}
        | {"due_date": "(d.received_at + interval '1 month')::date"},
        where="d.closed_at IS NULL AND d.received_at < now() - interval '16 days'",
    )
    yield _copy(
        SourceSearch,
        {"request_id": "d.id", "data_source_id": f"'{source.pk}'::uuid", "n_found": "1", "n_unknown": "0"}
        | {"searched_at": "d.received_at"},
        where=_WAS_SEARCHED,
    )
    yield _copy(
        Job,
        {"id": "d.id", "model_id": f"'{forgetting.pk}'::uuid", "queue": "'cpu'", "method": "'bench'", "config": "'{}'"}
        | {
            "state": "CASE WHEN d.state = 'executing' THEN 'queued' ELSE 'succeeded' END",
            "number": "1",
            "progress": "1",
        }
        | {"queued_at": "d.received_at", "finished_at": "d.closed_at"},
        where=_HAS_JOB,
    )
    yield _copy(
        Target,
        {"id": "gen_random_uuid()", "request_id": "d.id", "model_id": f"'{forgetting.pk}'::uuid"}
        | {"state": f"CASE WHEN {_IS_FULFILLED} THEN 'deployed' ELSE 'queued' END", "n_records": "3"}
        | {"is_summarised": f"{_IS_FULFILLED} AND NOT {_IS_LOST}", "job_id": f"CASE WHEN {_HAS_JOB} THEN d.id END"},
        where=_HAS_TARGETS,
    )
    yield _copy(
        Summary,
        {"target_id": "t.id", "envelope": "''", "leaf_sha256": _DIGEST, "key_sha256": _DIGEST}
        | {"attached_at": "d.closed_at"},
        source=f"draft AS d JOIN {Target._meta.db_table} AS t ON t.request_id = d.id",
        where=f"{_IS_FULFILLED} AND NOT {_IS_LOST}",
    )


def _letters() -> Iterator[str]:
    """Both were sent, but for a few that are new."""
    sent = {"request_id": "d.id", "n_tries": "1", "commitment": _DIGEST}
    first = {"kind": "'receipt'", "created_at": "d.received_at", "sent_at": "d.received_at"}
    last = {"kind": "d.state", "created_at": "d.closed_at", "sent_at": "d.closed_at"}
    again = {"kind": "'identity_reminder'", "created_at": "d.received_at", "sent_at": "d.received_at"}
    owed = {"kind": "'extension'", "created_at": "now()", "sent_at": "NULL", "n_tries": "0"}
    yield _copy(Letter, sent | first)
    yield _copy(Letter, sent | last, where="d.closed_at IS NOT NULL")
    yield _copy(Letter, sent | again, where=_WAS_REMINDED)
    yield _copy(Letter, sent | owed, where="d.closed_at IS NULL AND random() < 0.01")


def _copy(
    model: type[models.Model],
    columns: Mapping[str, str],
    *,
    original: str = "",
    source: str = "draft AS d",
    where: str = "true",
) -> str:
    """An INSERT of a row for each row of the draft; columns that are not computed are those of the original or empty."""
    table = model._meta.db_table
    values = {}
    for field in model._meta.concrete_fields:
        column = str(field.column)
        if column in columns:
            values[column] = columns[column]
        elif not isinstance(field, models.AutoField):
            values[column] = f"o.{column}" if original else _empty(field)
    joined = f" CROSS JOIN (SELECT * FROM {table} WHERE {original}) AS o" if original else ""  # noqa: S608
    selected = f"SELECT {', '.join(values.values())} FROM {source}{joined} WHERE {where}"  # noqa: S608  as above
    return f"INSERT INTO {table} ({', '.join(values)}) {selected}"


def _empty(field: "models.Field[object, object]") -> str:
    if field.null:
        return "NULL"
    default = field.get_default()
    return str(default) if isinstance(default, int) else "''"
