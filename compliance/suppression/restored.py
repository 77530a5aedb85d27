"""After a restore: what the register says models hold of people who were erased since the backup was made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from compliance.registry.models import LineageRecord, RegisteredModel
from compliance.suppression.tokens import batches, suppressed_among


@dataclass(frozen=True, kw_only=True)
class Resurrected:
    """A model whose newest version was trained on records of people who were erased."""

    model: RegisteredModel
    n_records: int
    n_people: int


def resurrected() -> Iterator[Resurrected]:
    """Each such model, in name order. Lineage is read in batches."""
    for model in RegisteredModel.objects.order_by("name"):
        present = LineageRecord.objects.filter(model=model, removed_in=None).exclude(subject_pseudonym="")
        people = present.values_list("subject_pseudonym", flat=True).distinct().order_by()
        counts: Counter[str] = Counter()
        for batch in batches(people.iterator()):
            suppressed = suppressed_among(batch)
            counts["people"] += len(suppressed)
            records = present.filter(subject_pseudonym__in=suppressed).values("record_id").distinct()
            counts["records"] += records.count() if suppressed else 0
        if counts["people"]:
            yield Resurrected(model=model, n_records=counts["records"], n_people=counts["people"])
