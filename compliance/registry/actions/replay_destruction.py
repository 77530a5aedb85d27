"""After a restore a version that the ledger says was destroyed is destroyed again: its row here, its files by the sweep.

No entry is written: it is in the ledger already. A model whose version in service this is has none any more.
"""

import uuid
from datetime import datetime, timedelta

from django.db import transaction

from compliance.registry.models import ModelVersion, RegisteredModel, VersionState


@transaction.atomic
def replay_destruction(model_id: uuid.UUID, sha256: str, at: datetime) -> bool:
    """Whether there was anything to do. A version that was made again later is left alone."""
    rows = ModelVersion.objects.select_for_update().exclude(status=VersionState.DESTROYED)
    # Entries are dated to the second.
    version = rows.filter(model=model_id, sha256=sha256, registered_at__lt=at + timedelta(seconds=1)).first()
    if version is None:
        return False
    version.status, version.destroyed_at = VersionState.DESTROYED, at
    version.save(update_fields=["status", "destroyed_at"])
    RegisteredModel.objects.filter(pk=model_id, live=version).update(live=None)
    RegisteredModel.objects.filter(pk=model_id, head=version).update(head=None)
    return True
