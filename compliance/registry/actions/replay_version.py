"""After a restore the version that the ledger says is in service is put back: its row is lost, its weights are not.

No entry is written: job and completion are in the ledger already. Where the weights are lost, too, the model is taken
out of service, for what a backup put in its place still knows people who were erased.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F

from compliance.registry.lineage import leave
from compliance.registry.manifests import manifest_sha256
from compliance.registry.models import LineageRecord, ModelVersion, RegisteredModel, VersionState
from compliance.registry.retirement import retire


@dataclass(frozen=True, kw_only=True)
class MadeVersion:
    """What the ledger says of a version: from which one, by which job and when it was made."""

    before_sha256: str
    after_sha256: str
    job_id: uuid.UUID
    made_at: datetime


@transaction.atomic
def replay_version(
    model: RegisteredModel, made: MadeVersion, *, manifest: bytes | None, subject_pseudonym: str
) -> bool:
    """Write the row of a version again where it is missing, with the records of this person ("": not known) removed in it.

    Whether it was missing. `manifest` is None where its weights are lost. Raises ValueError for that of another version.
    """
    if manifest is not None and manifest_sha256(manifest) != made.after_sha256:
        raise ValueError("The manifest is that of another version.")
    versions = ModelVersion.objects.filter(model=model)
    known = versions.filter(sha256=made.after_sha256).first()
    if known is not None:
        # A candidate of the backup's time, whose number of records leaves them out already.
        if subject_pseudonym:
            leave(known, subject_pseudonym)
        return False
    before, last = versions.get(sha256=made.before_sha256), versions.order_by("-number").first()
    after = ModelVersion.objects.create(
        model=model,
        number=1 if last is None else last.number + 1,
        sha256=made.after_sha256,
        manifest=manifest or b"",
        parent=before,
        status=VersionState.CANDIDATE,
        n_records=before.n_records,
        commitment_key=b"",
        job_id=made.job_id,
        registered_at=made.made_at,
    )
    if subject_pseudonym:
        leave_again(after, subject_pseudonym)
    return True


@transaction.atomic
def leave_again(after: ModelVersion, subject_pseudonym: str) -> int:
    """The person's records were removed in this version; how many of them lineage still showed."""
    present = LineageRecord.objects.filter(model=after.model_id, subject_pseudonym=subject_pseudonym, removed_in=None)
    # Counted here: what somebody else shares and has left with already is not subtracted twice.
    n_records = present.values("record_id").distinct().count()
    leave(after, subject_pseudonym)
    ModelVersion.objects.filter(pk=after.pk).update(n_records=F("n_records") - n_records)
    return n_records


@transaction.atomic
def put_back_into_service(model: RegisteredModel, sha256: str, *, destroy_after: datetime) -> bool:
    """This version serves again; older ones are out of use, and destroyed from `destroy_after` on. Whether it did not.

    Whatever its row says of it: in the backup's time it may have been rejected, and was made again since. What a job builds
    upon next (`head`) only goes forward: newer versions may have passed, and wait for their signature.
    """
    locked = RegisteredModel.objects.select_for_update(no_key=True, of=("self",)).select_related("live", "head")
    model = locked.get(pk=model.pk)
    version = ModelVersion.objects.get(model=model, sha256=sha256)
    if model.live is not None and model.live.number >= version.number:
        return False
    older = ModelVersion.objects.filter(
        model=model, number__lt=version.number, status__in=(VersionState.LIVE, VersionState.CANDIDATE)
    )
    retire(older, VersionState.SUPERSEDED, destroy_after)
    fresh = {"destroy_after": None, "destroyed_at": None}
    ModelVersion.objects.filter(pk=version.pk).update(status=VersionState.LIVE, **fresh)
    is_ahead = model.head is not None and model.head.number > version.number
    RegisteredModel.objects.filter(pk=model.pk).update(live=version, head=model.head if is_ahead else version)
    return True


@transaction.atomic
def take_out_of_service(model: RegisteredModel, *, before_number: int | None, destroy_after: datetime) -> bool:
    """Of versions before this number (None: of all) none serves, and none is built upon; they are out of use. Whether one
    did."""
    older = ModelVersion.objects.filter(model=model)
    if before_number is not None:
        older = older.filter(number__lt=before_number)
    in_use = older.filter(status__in=(VersionState.LIVE, VersionState.CANDIDATE))
    retire(in_use, VersionState.SUPERSEDED, destroy_after)
    models = RegisteredModel.objects.filter(pk=model.pk)
    n_changed = models.filter(live__in=older).update(live=None) + models.filter(head__in=older).update(head=None)
    return bool(n_changed)
