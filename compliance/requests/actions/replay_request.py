"""After a restore a request is brought up to what the ledger says became of it: its entries are there, its row is older.

No entry is written, for each of them is in the ledger already. An end is taken over, and with it nothing of the request
is worked on any more. One that goes on, goes on from the state of the row; its next entry points to its last one.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Q

from compliance.evidence.leaf import Event
from compliance.requests import transitions
from compliance.requests.actions.shred import destroy_openings
from compliance.requests.ledger_story import RequestStory
from compliance.requests.models import DeletionRequest, Job, Letter, SubjectVault
from compliance.requests.states import FULFILLED, JobState, RequestState
from compliance.suppression.actions.suppress import remember
from compliance.suppression.tokens import token_of


@dataclass(frozen=True)
class ReplayedRequest:
    """What a request was brought up to: how many entries its row lacked, its state, and whether it is still open."""

    request_id: uuid.UUID
    n_entries: int
    state: str
    is_open: bool


@transaction.atomic
def replay_request(story: RequestStory) -> ReplayedRequest | None:
    """None where the row lacks nothing, or is not there. A second call changes nothing."""
    request = DeletionRequest.objects.select_for_update().filter(pk=story.request_id).first()
    events = [] if request is None else story.since(request.chain_head)
    if request is None or not events:
        return None
    end = None
    if story.end is not None:
        end = RequestState(story.end.type.partition(".")[2]), story.end.at
    transitions.catch_up(request, chain_head=story.hashes[-1], end=end)
    _take_over_letters(request, events)
    if story.end is not None:
        _end_jobs(request)
        _suppress_again(request)
    return ReplayedRequest(request.pk, len(events), request.get_state_display(), story.end is None)


@transaction.atomic
def shred_again(story: RequestStory) -> bool:
    """Destroy what a backup brought back of a request that the ledger says was shredded; whether there was anything.

    To be called when lineage says of the versions what the ledger does: a pseudonym at records that are still in a model
    is kept, so that the person is found in it.
    """
    vault = SubjectVault.objects.select_for_update().filter(request=story.request_id).first()
    if not story.is_shredded or vault is None or vault.shredded_at is not None:
        return False
    destroy_openings(vault)
    return True


def _take_over_letters(request: DeletionRequest, events: list[Event]) -> None:
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


def _end_jobs(request: DeletionRequest) -> None:
    unfinished = Q(state=JobState.QUEUED) | Q(state=JobState.RUNNING)
    for job in Job.objects.select_for_update().filter(unfinished, targets__request=request):
        message = "A restored backup brought this job back; its request was closed meanwhile."
        transitions.move_job(job, JobState.FAILED, failure=message, finished_at=datetime.now(tz=UTC))


def _suppress_again(request: DeletionRequest) -> None:
    """Also where the last export of the tokens is older than this request's end."""
    pseudonym = request.vault.pseudonym
    if request.state in FULFILLED and pseudonym:
        remember(token_of(pseudonym), created_on=datetime.now(tz=UTC).date(), expires_on=None)
