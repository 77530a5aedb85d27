"""A worker that starts says which methods and audits it has; portal and planner then know without importing torch."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from compliance.registry.models import MethodCard


@transaction.atomic
def publish_cards(cards: Iterable[Mapping[str, Any]]) -> None:
    """Replace the catalogue by these cards (`ml_core.contract.Card.to_dict`)."""
    now = datetime.now(tz=UTC)
    rows = [
        MethodCard(
            kind=card["kind"],
            name=card["name"],
            version=card["version"],
            source_sha256=card["source_sha256"],
            card=dict(card),
            published_at=now,
        )
        for card in cards
    ]
    published = {(row.kind, row.name) for row in rows}
    gone = [row.pk for row in MethodCard.objects.all() if (row.kind, row.name) not in published]
    MethodCard.objects.filter(pk__in=gone).delete()
    MethodCard.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["kind", "name"],
        update_fields=["version", "source_sha256", "card", "published_at"],
    )
