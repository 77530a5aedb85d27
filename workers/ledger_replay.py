"""After the restore of an old backup: what the published log says happened since is done again.

The order matters. Entries first, so that the ledger can go on; then requests; then versions, while the vault rows that
came back still say whose records a version forgot; then destruction; and last the shredding, which ends that knowledge.
Nothing is made anew that the ledger says was made: no run is repeated, no person is asked or written to again.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db import transaction

from compliance.ledger import missing_entries
from compliance.ledger.published_logs import PublishedLog, read_published, signed_heads
from compliance.registry.actions.replay_destruction import replay_destruction
from compliance.registry.actions.replay_version import (
    MadeVersion,
    leave_again,
    put_back_into_service,
    replay_version,
    take_out_of_service,
)
from compliance.registry.models import LineageRecord, ModelVersion, RegisteredModel
from compliance.requests import policy
from compliance.requests.actions.replay_request import OwedLetter, replay_request, shred_again
from compliance.requests.ledger_story import LedgerStory, Made, told_by
from compliance.requests.models import DeletionRequest, SubjectVault
from compliance.suppression.tokens import suppressed_among
from ml_core.errors import ArtifactError
from workers import artifacts

_LETTERS: Mapping[OwedLetter, str] = {
    OwedLetter.NONE: "",
    OwedLetter.TO_BE_SENT: "; the letter about it will be sent",
    OwedLetter.BY_HAND: "; its person was NOT TOLD, and what the letter must say is lost: write to them yourselves",
}


@dataclass(frozen=True)
class Replayed:
    """What the database lacked and has again, a line each; and, by id, the requests and models whose rows are lost for
    good."""

    lines: list[str]
    lost: dict[uuid.UUID, str]


def replay(folder: Path, *, is_applied: bool) -> Replayed:
    """Do again what the database lacks, in one transaction. Without `is_applied` nothing is kept.

    Raises PublishedLogError, GuardError, LeafError and AnotherLeadsError; then nothing was changed.
    """
    published = read_published(folder)
    story = told_by(leaf for log in published for leaf in log.leaves)
    with transaction.atomic():
        lines = [*_entries(published), *_requests(story), *_versions(story), *_shredding(story)]
        lost = _lost(story)
        transaction.set_rollback(not is_applied)
    return Replayed(lines, lost)


def not_published(folder: Path) -> list[str]:
    """Heads that we signed over entries that no file of this folder holds, a line each: those entries are lost."""
    sizes = {log.head.origin: log.head.size for log in read_published(folder)}
    return [
        f"{origin}: {head.size} entries were signed, {sizes.get(origin, 0)} are in the published log"
        for origin, head in sorted(signed_heads().items())
        if head.size > sizes.get(origin, 0)
    ]


def _entries(published: list[PublishedLog]) -> Iterator[str]:
    n_entries = missing_entries.restore(published)
    if n_entries:
        yield f"ledger: {n_entries} entries were missing"


def _requests(story: LedgerStory) -> Iterator[str]:
    for request_id, told in story.requests.items():
        replayed = replay_request(told)
        if replayed is not None:
            open_note = ", and OPEN: staff must look at it" if replayed.is_open else ""
            yield (
                f"request {request_id}: {replayed.n_entries} entries later it is {replayed.state!r}{open_note}"
                f"{_LETTERS[replayed.letter]}"
            )


def _lost(story: LedgerStory) -> dict[uuid.UUID, str]:
    requests = set(DeletionRequest.objects.values_list("pk", flat=True))
    models = set(RegisteredModel.objects.values_list("pk", flat=True))
    lost = {}
    for request_id, told in story.requests.items():
        if request_id not in requests:
            became = told.events[-1].type if told.end is None else told.end.type
            lost[request_id] = f"request {request_id}: its row is LOST, its last entry is {became}"
    for model_id in story.models:
        if model_id not in models:
            lost[model_id] = f"model {model_id}: its row is LOST; register it again"
    return lost


def _versions(story: LedgerStory) -> Iterator[str]:
    for model in RegisteredModel.objects.select_related("live").order_by("name"):
        sha256 = story.released.get(model.pk)
        if sha256 is not None and not _is_served(model, sha256):
            yield from _serve(model, sha256, story)
    for gone in story.destroyed.values():
        if replay_destruction(gone.model_id, gone.sha256, gone.at, jobs=gone.jobs):
            yield f"version {gone.sha256}: destroyed again; the next sweep deletes its files"


def _is_served(model: RegisteredModel, sha256: str) -> bool:
    """Whether this version is in service, or a newer one, as where the published log lags behind."""
    known = ModelVersion.objects.filter(model=model, sha256=sha256).first()
    return known is not None and model.live is not None and model.live.number >= known.number


def _serve(model: RegisteredModel, sha256: str, story: LedgerStory) -> Iterator[str]:
    """Put this version into service, with rows for it and for those that it was built on where they are missing."""
    until = datetime.now(tz=UTC) + timedelta(days=policy.superseded_weights_days(policy.in_force()))
    path = _path(model, sha256, story)
    manifest = None if (model.pk, sha256) in story.destroyed or not path else _manifest(sha256)
    if manifest is None:
        row = ModelVersion.objects.filter(model=model, sha256=sha256).first()
        number = None if row is None else row.number
        if take_out_of_service(model, before_number=number, destroy_after=until):
            yield (
                f"model {model.pk} ({model.name}): OUT OF SERVICE. The ledger says that {sha256} serves, and the store "
                "does not hold it"
            )
        return
    for made in path:
        version = MadeVersion(
            before_sha256=made.before_sha256,
            after_sha256=made.after_sha256,
            job_id=made.job_id,
            made_at=made.made_at,
        )
        # Of those in between the weights may be gone for good.
        known = manifest if made.after_sha256 == sha256 else None
        if replay_version(model, version, manifest=known, subject_pseudonym=_pseudonym(made.request_id)):
            yield f"version {made.after_sha256}: known again"
    if put_back_into_service(model, sha256, destroy_after=until):
        yield f"model {model.pk} ({model.name}): {sha256} is in service again"
    if model.pk not in story.excepted:
        yield from _leave_unnamed(model, sha256)


def _path(model: RegisteredModel, sha256: str, story: LedgerStory) -> list[Made]:
    """The versions that jobs made, from the first on, up to this one; none where the version that the first of them was
    made from has no row."""
    found: list[Made] = []
    while (model.pk, sha256) in story.made:
        found.insert(0, story.made[model.pk, sha256])
        sha256 = found[0].before_sha256
    is_rooted = ModelVersion.objects.filter(model=model, sha256=sha256).exists()
    return found if is_rooted else []


def _leave_unnamed(model: RegisteredModel, sha256: str) -> Iterator[str]:
    """People whose request is lost with its row, or was shredded: only their tokens tell that their records are gone.

    Not where the law kept somebody in the model: tokens do not tell in which models people stay.
    """
    live = ModelVersion.objects.get(model=model, sha256=sha256)
    present = LineageRecord.objects.filter(model=model, removed_in=None).exclude(subject_pseudonym="")
    people = present.values_list("subject_pseudonym", flat=True).distinct().order_by()
    for pseudonym in sorted(suppressed_among(people.iterator())):
        yield f"model {model.pk} ({model.name}): {leave_again(live, pseudonym)} records of an erased person are gone"


def _shredding(story: LedgerStory) -> Iterator[str]:
    for request_id, told in story.requests.items():
        if shred_again(told):
            yield f"request {request_id}: shredded again"


def _manifest(sha256: str) -> bytes | None:
    """The manifest of a version whose every byte is in the store; None for any other."""
    try:
        return (artifacts.open(sha256).parent / artifacts.MANIFEST).read_bytes()
    except ArtifactError:
        return None


def _pseudonym(request_id: uuid.UUID) -> str:
    vault = SubjectVault.objects.filter(request=request_id).first()
    return "" if vault is None else vault.pseudonym
