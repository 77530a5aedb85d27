"""Records leave a model: with the person who asked, also for everybody else whom they are about."""

from django.db.models import Q

from compliance.registry.models import LineageRecord, ModelVersion


def leave(after: ModelVersion, subject_pseudonym: str) -> int:
    """Mark the person's records as removed in `after`; how many records. To be called inside a transaction.

    Rows of other persons at the same records are marked as well: the model no longer has these records for anybody.
    """
    # Also those that left with the same version already: one job may serve two people who share a record.
    is_in_question = Q(removed_in=None) | Q(removed_in=after)
    present = LineageRecord.objects.filter(is_in_question, model=after.model_id)
    records = present.filter(subject_pseudonym=subject_pseudonym).values("record_id")
    n_records = records.distinct().count()
    present.filter(record_id__in=records).update(removed_in=after)
    return n_records
