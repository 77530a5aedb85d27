"""Versions that go out of use get a date on which their weights are destroyed; the first date given stands."""

from datetime import datetime

from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from compliance.registry.models import ModelVersion, VersionState


def retire(versions: QuerySet[ModelVersion], status: VersionState, destroy_after: datetime) -> None:
    """Mark versions superseded or rejected. Called inside the transaction of the verb that takes them out of use."""
    versions.update(status=status, destroy_after=Coalesce("destroy_after", destroy_after))
