"""Weights that still know a person are given up: recorded first, then the caller deletes the files.

In this order a crash between the two leaves files that a sweep finds and deletes, never an unrecorded destruction.
"""

import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.ledger.record import record_event
from compliance.registry.errors import VersionStateError
from compliance.registry.models import ModelVersion, VersionState


@transaction.atomic
def destroy_version(version_id: uuid.UUID, *, actor: Actor) -> ModelVersion:
    """Mark and record; a version destroyed before is returned as it is. Raises VersionStateError for one in use."""
    version = ModelVersion.objects.select_for_update(no_key=True).get(pk=version_id)
    if version.status == VersionState.DESTROYED:
        return version
    if version.status not in (VersionState.SUPERSEDED, VersionState.REJECTED):
        raise VersionStateError(
            f"Version {version.sha256[:16]}… is {version.status}; only weights out of use are destroyed."
        )
    version.status = VersionState.DESTROYED
    version.destroyed_at = datetime.now(tz=UTC)
    version.save(update_fields=["status", "destroyed_at"])
    facts = {"model": str(version.model_id), "version_sha256": version.sha256}
    record_event("version.destroyed", actor=actor, facts=facts, subject_id=version.model_id)
    return version
