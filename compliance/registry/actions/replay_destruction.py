"""After a restore a version that the ledger says was destroyed is destroyed again: its row here, its files by the sweep.

No entry is written: it is in the ledger already. What is in service is left alone: it was taken out of service before,
where the ledger says so.
"""

import uuid
from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import F

from compliance.registry.models import ModelVersion, RegisteredModel, VersionState


@transaction.atomic
def replay_destruction(model_id: uuid.UUID, sha256: str, at: datetime, *, jobs: Collection[uuid.UUID]) -> bool:
    """Whether there was anything to do. `jobs` had made it: one that another made again later is left alone."""
    model = RegisteredModel.objects.select_for_update(no_key=True).filter(pk=model_id).first()
    rows = ModelVersion.objects.select_for_update(no_key=True).exclude(status=VersionState.DESTROYED)
    version = rows.filter(model=model_id, sha256=sha256).first()
    if model is None or version is None or model.live_id == version.pk:
        return False
    if version.job_id is not None and version.job_id not in jobs:
        return False
    version.status, version.destroyed_at = VersionState.DESTROYED, at
    version.save(update_fields=["status", "destroyed_at"])
    RegisteredModel.objects.filter(pk=model_id, head=version).update(head=F("live"))
    return True
