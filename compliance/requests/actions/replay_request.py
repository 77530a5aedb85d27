"""After a restore a request is brought up to what the ledger says became of it: its entries are there, its row is older.

No entry is written, for each of them is in the ledger already. An end is taken over, and with it nothing of the request
is worked on any more. One that goes on keeps what was decided on each model. Where it was approved or worked on since, it
needs attention: what was made and not released is made anew, after a new approval.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from django.conf import settings
from django.db import transaction

from compliance.evidence.leaf import Event
from compliance.registry.models import ModelVersion, VersionState
from compliance.registry.retirement import retire
from compliance.requests import clocks, policy, replayed_models, transitions
from compliance.requests.actions.shred import destroy_openings
from compliance.requests.ledger_story import RequestStory
from compliance.requests.letters import is_written_to
from compliance.requests.models import DeletionRequest, Evidence, Job, Letter, SealedNote, SubjectVault
from compliance.requests.queries import MAIL_TRIES
from compliance.requests.states import FULFILLED, JobState, RequestState, TargetState
from compliance.suppression.actions.suppress import remember
from compliance.suppression.tokens import token_of

_BEGUN = frozenset(
    {
        *(RequestState.APPROVED, RequestState.EXECUTING, RequestState.VERIFYING),
        *(RequestState.ATTENTION, RequestState.SIGNOFF),
    }
)
_UNFINISHED = (JobState.QUEUED, JobState.RUNNING)


class OwedLetter(Enum):
    """Whether the person still has to be told of the end, and who can."""

    NONE = "none"
    TO_BE_SENT = "to_be_sent"
    BY_HAND = "by_hand"


@dataclass(frozen=True)
class ReplayedRequest:
    """What a request was brought up to: how many entries its row lacked, its state, whether it is still open, and whether
    its person has to be told."""

    request_id: uuid.UUID
    n_entries: int
    state: str
    is_open: bool
    letter: OwedLetter


@transaction.atomic
def replay_request(story: RequestStory) -> ReplayedRequest | None:
    """None where the row lacks nothing, or is not there. A second call changes nothing."""
    jobs = _locked_jobs(story.request_id)
    request = DeletionRequest.objects.select_for_update(no_key=True).filter(pk=story.request_id).first()
    events = [] if request is None else story.since(request.chain_head)
    if request is None or not events:
        return None
    _take_over_letters(request, events)
    if story.end is None:
        letter = OwedLetter.NONE
        _take_over_decisions(request, story, events, jobs)
    else:
        _take_over_end(request, story, story.end, events)
        _end_jobs(jobs)
        letter = _owe_letter(request, story, story.end)
    return ReplayedRequest(request.pk, len(events), request.get_state_display(), story.end is None, letter)


@transaction.atomic
def shred_again(story: RequestStory) -> bool:
    """Destroy what a backup brought back of a request that the ledger says was shredded; whether there was anything.

    To be called when lineage says of the versions what the ledger does: a pseudonym at records that are still in a model
    is kept, so that the person is found in it.
    """
    vault = SubjectVault.objects.select_for_update(no_key=True).filter(request=story.request_id).first()
    if not story.is_shredded or vault is None or vault.shredded_at is not None:
        return False
    destroy_openings(vault)
    return True


def _locked_jobs(request_id: uuid.UUID) -> list[Job]:
    """The unfinished jobs, locked before their request as workers do, by primary key."""
    found = Job.objects.filter(state__in=_UNFINISHED, targets__request=request_id).order_by("pk")
    jobs = [transitions.locked_job(pk) for pk in found.values_list("pk", flat=True)]
    return [job for job in jobs if job.state in _UNFINISHED]


def _take_over_decisions(
    request: DeletionRequest, story: RequestStory, events: Sequence[Event], jobs: Sequence[Job]
) -> None:
    """Where an open request goes on. Approved or worked on since the backup, it is approved anew, and begins anew."""
    is_concerned = replayed_models.is_concerned(events)
    is_begun = request.state in _BEGUN or any(event.type == "request.approved" for event in events)
    if is_concerned:
        replayed_models.take_over(request, story, events, is_begun=is_begun)
    changes: dict[str, Any] = {"identity_level": _level(request, events)}
    if is_concerned and is_begun:
        # Without a scope nothing can be repeated: what it was is known by its commitment alone.
        changes |= {"state": RequestState.ATTENTION, "scope": None, "scope_commitment": ""}
        _end_jobs(jobs)
    elif _is_answered(request, events, changes["identity_level"]):
        changes["state"] = RequestState.UNDER_REVIEW
    transitions.catch_up(request, chain_head=story.hashes[-1], changes=changes)
    pause = request.pauses.filter(until_at=None).first()
    if pause is not None and "state" in changes:
        # Entries are dated to the second.
        clocks.resume(request, max(pause.from_at, events[-1].at))


def _is_answered(request: DeletionRequest, events: Sequence[Event], level: int) -> bool:
    """Whether the row waits for the person, who has proven the identity or answered since."""
    if request.state == RequestState.INFO_REQUESTED:
        return any(event.type == "request.question_answered" for event in events)
    is_waiting = request.state in (RequestState.RECEIVED, RequestState.IDENTITY_PENDING)
    return is_waiting and level >= settings.IDENTITY_LEVEL


def _level(request: DeletionRequest, events: Sequence[Event]) -> int:
    proven = [int(str(event.facts["level"])) for event in events if event.type == "request.identity_confirmed"]
    return max(request.identity_level, *proven, 0)


def _take_over_end(request: DeletionRequest, story: RequestStory, end: Event, events: Sequence[Event]) -> None:
    """The end, and those who decided on it."""
    was_open = request.closed_at is None
    changes: dict[str, Any] = {"state": RequestState(_kind_of(end)), "closed_at": end.at}
    changes["identity_level"] = _level(request, events)
    for event in events:
        decided = {"decided_by": uuid.UUID(event.actor_id), "decided_at": event.at}
        if event.type == "request.approved":
            scope = {"scope": None, "scope_commitment": event.text("scope_commitment")}
            changes |= decided | scope | {"accepted_ground": event.text("ground")}
        elif event.type == "request.refused":
            changes |= decided | {"refusal_reason": event.text("reason")}
        elif event is end and RequestState(_kind_of(end)) in FULFILLED:
            changes["signed_off_by"] = uuid.UUID(event.actor_id)
    transitions.catch_up(request, chain_head=story.hashes[-1], changes=changes)
    if was_open and request.state in FULFILLED:
        replayed_models.take_over_released(request, story, events)
        _suppress_again(request, end)


def _kind_of(end: Event) -> str:
    """`request.completed` is the entry, `completed` both the state and the letter."""
    return end.type.partition(".")[2]


def _take_over_letters(request: DeletionRequest, events: Sequence[Event]) -> None:
    """Nobody is written to a second time."""
    for event in events:
        if event.type != "request.notified":
            continue
        sent = {"sent_at": event.at, "commitment": event.text("commitment")}
        letter = request.letters.filter(kind=event.text("notice"), sent_at=None).order_by("pk").first()
        if letter is None:
            Letter.objects.create(request=request, kind=event.text("notice"), created_at=event.at, **sent)
        else:
            Letter.objects.filter(pk=letter.pk).update(**sent)


def _owe_letter(request: DeletionRequest, story: RequestStory, end: Event) -> OwedLetter:
    """Art. 12(3) GDPR: whoever was not told of the end yet is told now. A sweep sends it.

    A letter that would leave out what the rows do not hold any more counts as given up, for staff to see.
    """
    is_owed = not story.is_told_of_the_end and not story.is_shredded and is_written_to(request)
    if not is_owed or request.letters.filter(kind=_kind_of(end)).exists():
        return OwedLetter.NONE
    is_complete = _is_all_here(request, story, end)
    n_tries = 0 if is_complete else MAIL_TRIES
    Letter.objects.create(request=request, kind=_kind_of(end), created_at=end.at, n_tries=n_tries)
    return OwedLetter.TO_BE_SENT if is_complete else OwedLetter.BY_HAND


def _is_all_here(request: DeletionRequest, story: RequestStory, end: Event) -> bool:
    """Whether the rows hold all that the letter about this end must say. The reasons of a refusal came with it."""
    if end.type == "request.refused":
        return False
    if request.state not in FULFILLED:
        return True
    notes = set(request.notes.filter(kind=SealedNote.Kind.REASONS).values_list("model_id", flat=True))
    targets = request.targets.filter(state=TargetState.DEPLOYED)
    evidence = set(Evidence.objects.filter(target__in=targets).values_list("leaf_sha256", flat=True))
    n_planned = int(str(next(e for e in reversed(story.events) if e.type == "request.approved").facts["n_targets"]))
    return set(end.texts("evidence")) <= evidence and n_planned == targets.count() and notes >= set(story.kept)


def _end_jobs(jobs: Sequence[Job]) -> None:
    """A version that one of them had made goes the way of one that failed, and may be made again."""
    now = datetime.now(tz=UTC)
    destroy_after = now + timedelta(days=policy.superseded_weights_days(policy.in_force()))
    for job in jobs:
        message = "A restored backup brought this job back; its request went on meanwhile."
        transitions.move_job(job, JobState.FAILED, failure=message, finished_at=now, lease_expires_at=None)
        if job.after is not None:
            made = ModelVersion.objects.filter(pk=job.after.pk, status=VersionState.CANDIDATE)
            retire(made, VersionState.REJECTED, destroy_after)


def _suppress_again(request: DeletionRequest, end: Event) -> None:
    """Also where the last export of the tokens is older than this request's end; for as long as from that day."""
    day = end.at.date()
    expires_on = day + timedelta(days=settings.SUPPRESSION_DAYS) if settings.SUPPRESSION_DAYS else None
    if request.vault.pseudonym and (expires_on is None or expires_on >= datetime.now(tz=UTC).date()):
        remember(token_of(request.vault.pseudonym), created_on=day, expires_on=expires_on)
