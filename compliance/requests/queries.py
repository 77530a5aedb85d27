"""Named reads. Nothing here writes, and each costs the same number of queries however many rows there are."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Exists, F, Max, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from compliance.evidence import leaf as leaves
from compliance.ledger.models import EntryKind, LedgerEntry, PendingEntry
from compliance.registry.models import DataSource, ModelVersion, VersionState
from compliance.requests import identities
from compliance.requests.errors import NotFoundError
from compliance.requests.models import DeletionRequest, Evidence, Job, Letter, SealedNote, SourceSearch, Target
from compliance.requests.states import FULFILLED, JobState, RequestState, TargetState

#: A sweep gives up on an address after this many tries.
MAIL_TRIES = 12
#: Of requests in one state; nobody works through more at a glance.
MOST_COUNTED = 1_000
#: A search that began this long after a source was registered has seen it, however long registering took.
SOURCE_SEEN_WITHIN = timedelta(hours=1)
_SAME_ANSWER = "There is no such request, or the token does not open it."


@dataclass(frozen=True, kw_only=True)
class TimelineEntry:
    """One ledger entry of a request. `index` is None while it waits for its position."""

    index: int | None
    event_type: str
    kind: str
    leaf_sha256: str
    recorded_at: datetime
    actor_role: str
    actor_id: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Note:
    """Words about one request, opened for a reader. They may name the person."""

    kind: str
    text: str
    created_at: datetime
    model: uuid.UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Lost:
    """Work whose message may have been lost: what a sweep sends again."""

    identities: list[uuid.UUID]
    searches: list[uuid.UUID]
    plans: list[uuid.UUID]
    jobs: list[tuple[uuid.UUID, str]]
    summaries: list[uuid.UUID]
    letters: list[int]
    destructions: list[uuid.UUID]


def by_token(request_id: uuid.UUID, token: str) -> DeletionRequest:
    """The request that this status token opens; one NotFoundError for every other case."""
    request = DeletionRequest.objects.filter(pk=request_id).first()
    # Compared even when there is no request: the time taken does not tell which ids exist.
    expected = request.token_sha256 if request is not None else "0" * 64
    if not identities.same(expected, identities.token_sha256(token)) or request is None:
        raise NotFoundError(_SAME_ANSWER)
    return request


def notes(request_id: uuid.UUID) -> list[Note]:
    """Words about a request, opened, oldest first; none once it was shredded. Raises NotFoundError or VaultError."""
    request = DeletionRequest.objects.select_related("vault").filter(pk=request_id).first()
    if request is None:
        raise NotFoundError(f"There is no request {request_id}.")
    return [
        Note(
            kind=row.kind,
            text=identities.open_note(request.vault, row.sealed_text),
            created_at=row.created_at,
            model=row.model_id,
        )
        for row in request.notes.all()
    ]


def open_question(request: DeletionRequest) -> str | None:
    """What the person is asked at the moment."""
    if request.state != RequestState.INFO_REQUESTED:
        return None
    row = request.notes.filter(kind=SealedNote.Kind.QUESTION).order_by("-pk").first()
    return None if row is None else identities.open_note(request.vault, row.sealed_text)


def evidence_summary(request: DeletionRequest) -> list[dict[str, str]]:
    """For each model in service after this request: result, assurance, and the leaf of its evidence."""
    rows = Evidence.objects.filter(target__request=request, target__state=TargetState.DEPLOYED, job=F("target__job"))
    return [
        {"result": row.result, "assurance": (row.job.outcome or {})["assurance"], "leaf_sha256": row.leaf_sha256}
        for row in rows.select_related("job").order_by("target_id")
    ]


def detail(request_id: uuid.UUID) -> DeletionRequest:
    """A request with targets, models, jobs, versions, findings and evidence; raises NotFoundError."""
    targets = Target.objects.select_related("model", "job__before", "job__after").prefetch_related(
        "findings", "evidence"
    )
    rows = DeletionRequest.objects.select_related("policy", "vault")
    request = rows.prefetch_related(Prefetch("targets", queryset=targets)).filter(pk=request_id).first()
    if request is None:
        raise NotFoundError(f"There is no request {request_id}.")
    return request


def listing() -> QuerySet[DeletionRequest]:
    """Requests, newest first, with `n_concerned`, the number of models that hold the person."""
    # Counted for the rows of a page alone: a join would count for the whole table before the first row comes out.
    targets = Target.objects.filter(request=OuterRef("pk"), n_records__gt=0).order_by().values("request")
    concerned = Coalesce(Subquery(targets.annotate(n=Count("pk")).values("n")), 0)
    return DeletionRequest.objects.annotate(n_concerned=concerned).order_by("-received_at", "id")


def counts_by_state(most: int = MOST_COUNTED) -> dict[str, int]:
    """How many requests are in each state, counted up to `most`: a number as big as that stands for that many or more.

    One query, which looks at no more entries of an index for a state: counting all reads every request there is.
    """
    counted = (
        "SELECT %s, (SELECT count(*) FROM (SELECT 1 FROM requests_deletionrequest WHERE state = %s LIMIT %s) AS n)"
    )
    parameters = [each for state in RequestState.values for each in (state, state, most)]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([counted] * len(RequestState)), parameters)
        return dict(cursor.fetchall())


def timeline(request_id: uuid.UUID) -> list[TimelineEntry]:
    """The ledger's entries about a request, in their order, those without a position last."""
    # In this order, an entry that gets its position between the two reads is seen twice instead of not at all.
    waiting = list(PendingEntry.objects.filter(request_id=request_id).order_by("pk"))
    placed = list(LedgerEntry.objects.filter(request_id=request_id).order_by("position"))
    seen = {row.entry_id for row in placed}
    return [_entry(row, row.position) for row in placed] + [
        _entry(row, None) for row in waiting if row.entry_id not in seen
    ]


def lost_work(now: datetime, limit: int = 100) -> Lost:
    """At most `limit` of each kind. Sending a piece of work twice is harmless: each is claimed in the database."""
    late = now - settings.SWEEP_GRACE
    requests = DeletionRequest.objects.filter(changed_at__lt=late).order_by("changed_at")
    # Those tried least come first: mail that cannot be delivered does not hold up the rest.
    letters = Letter.objects.filter(sent_at=None, created_at__lt=late, n_tries__lt=MAIL_TRIES).order_by("n_tries", "pk")
    out_of_use = (VersionState.SUPERSEDED, VersionState.REJECTED)
    due = ModelVersion.objects.filter(status__in=out_of_use, destroy_after__lt=now).order_by("destroy_after")
    return Lost(
        identities=_unasked(requests, limit),
        searches=_unsearched(late, limit),
        plans=list(requests.filter(state=RequestState.APPROVED).values_list("pk", flat=True)[:limit]),
        jobs=_lost_jobs(now, late, limit),
        summaries=_unsummarised(requests, limit),
        letters=list(letters.values_list("pk", flat=True)[:limit]),
        destructions=list(due.values_list("pk", flat=True)[:limit]),
    )


def _unasked(requests: QuerySet[DeletionRequest], limit: int) -> list[uuid.UUID]:
    """Requests whose person was not asked for a proof yet, because nothing was done or the code was not sent."""
    owed = Q(state=RequestState.IDENTITY_PENDING, challenge__sent_at=None, challenge__n_tries__lt=MAIL_TRIES)
    # Two queries: for an OR of both, databases read every request that waits for a proof.
    found = [
        row
        for unsent in (Q(state=RequestState.RECEIVED), owed)
        for row in requests.filter(unsent).values_list("changed_at", "pk")[:limit]
    ]
    return [pk for _, pk in sorted(found)[:limit]]


def _unsearched(late: datetime, limit: int) -> list[uuid.UUID]:
    """Requests under review for which a declared source was never searched."""
    declared = DataSource.objects.exclude(declaration=None)
    known = declared.aggregate(n=Count("pk"), last=Max("registered_at"))
    if not known["n"]:
        return []
    # An index answers this, and it holds of few; the searches of those are counted.
    is_stale = Q(searched_at=None) | Q(searched_at__lt=known["last"] + SOURCE_SEEN_WITHIN)
    searches = SourceSearch.objects.filter(request=OuterRef("pk"), data_source__in=declared).order_by()
    n_searched = Coalesce(Subquery(searches.values("request").annotate(n=Count("pk")).values("n")), 0)
    reviews = DeletionRequest.objects.filter(is_stale, state=RequestState.UNDER_REVIEW, changed_at__lt=late)
    rows = reviews.alias(n_searched=n_searched).filter(n_searched__lt=known["n"]).order_by("changed_at")
    return list(rows.values_list("pk", flat=True)[:limit])


def _unsummarised(requests: QuerySet[DeletionRequest], limit: int) -> list[uuid.UUID]:
    """Completed requests of which a model that was put into service has no signed summary yet."""
    # Bounded, or the planner prepares for many: it does not know that nearly all that are in service are summed up.
    few = Target.objects.filter(state=TargetState.DEPLOYED, is_summarised=False).order_by()[:limit]
    n_waiting = Target.objects.filter(request=OuterRef("pk"), state=TargetState.DEPLOYED, summary=None).order_by()
    rows = requests.filter(pk__in=few.values("request"), state__in=FULFILLED)
    unsigned = rows.alias(n=Subquery(n_waiting.values("request").annotate(n=Count("pk")).values("n"))).filter(n__gt=0)
    return list(unsigned.values_list("pk", flat=True))


def _lost_jobs(now: datetime, late: datetime, limit: int) -> list[tuple[uuid.UUID, str]]:
    """Running jobs whose worker was lost, then of each model that is free the job that waited longest."""
    same_model = Job.objects.filter(model=OuterRef("model"))
    earlier = Q(queued_at__lt=OuterRef("queued_at")) | Q(queued_at=OuterRef("queued_at"), pk__lt=OuterRef("pk"))
    # Apart, so that an index of the few answers each: a model has thousands of jobs that are done.
    is_busy = Exists(same_model.filter(state=JobState.RUNNING))
    is_behind = Exists(same_model.filter(earlier, state=JobState.QUEUED))
    running = Job.objects.filter(state=JobState.RUNNING, lease_expires_at__lt=now).order_by("lease_expires_at")
    waiting = Job.objects.filter(~is_busy, ~is_behind, state=JobState.QUEUED, queued_at__lt=late)
    queued = waiting.order_by("queued_at")
    found = [*running.values_list("pk", "queue")[:limit], *queued.values_list("pk", "queue")[:limit]]
    return found[:limit]


def _entry(row: LedgerEntry | PendingEntry, index: int | None) -> TimelineEntry:
    event = leaves.parse(bytes(row.leaf)) if row.kind == EntryKind.EVENT else None
    return TimelineEntry(
        index=index,
        event_type=row.event_type,
        kind=row.kind,
        leaf_sha256=row.leaf_sha256,
        recorded_at=row.recorded_at,
        actor_role="worker" if event is None else event.actor_role,
        actor_id="" if event is None else event.actor_id,
        facts={} if event is None else event.facts,
    )
