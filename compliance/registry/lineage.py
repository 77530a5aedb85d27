"""Records leave a model: with the person who asked, also for everybody else whom they are about."""

from compliance.registry.models import LineageRecord, ModelVersion


def leave(after: ModelVersion, subject_pseudonym: str) -> int:
    """Mark the person's records as removed in `after`; how many records. To be called inside a transaction.

    Rows of other persons at the same records are marked as well: the model no longer has these records for anybody.
    """
    present = LineageRecord.objects.filter(model=after.model_id, removed_in=None)
    records = present.filter(subject_pseudonym=subject_pseudonym).values("record_id")
    n_records = records.distinct().count()
    present.filter(record_id__in=records).update(removed_in=after)
    return n_records
