"""Requests that belong to one: those it names, and those that name it."""

from dataclasses import dataclass

from compliance.requests.models import DeletionRequest


@dataclass(frozen=True, kw_only=True)
class Related:
    """Another request, the reason in words, and whether it came before the one that is looked at."""

    request: DeletionRequest
    reason: str
    is_earlier: bool


def related(deletion: DeletionRequest) -> list[Related]:
    """Earlier ones first. Two queries; what the dates were counted from stays in the database."""
    named = deletion.links.select_related("linked").defer("linked__deadlines")
    naming = deletion.linked_from.select_related("request").defer("request__deadlines")
    return [
        *(Related(request=link.linked, reason=link.get_reason_display(), is_earlier=True) for link in named),
        *(Related(request=link.request, reason=link.get_reason_display(), is_earlier=False) for link in naming),
    ]
