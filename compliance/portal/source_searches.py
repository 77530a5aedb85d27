"""What workers found of the person in the data sources, and where that differs from what the models' lineage knows."""

from dataclasses import dataclass

from compliance.portal.access import Viewer
from compliance.portal.permissions import SEARCHERS
from compliance.registry.models import DataSource
from compliance.requests.actions.search_again import SEARCHABLE
from compliance.requests.models import DeletionRequest, SourceSearch


@dataclass(frozen=True, kw_only=True)
class SourceSearches:
    """The newest search of each source, and the names of declared ones that were not searched yet."""

    rows: list[SourceSearch]
    unsearched: list[str]
    may_search: bool

    @property
    def n_unknown(self) -> int:
        """Records of the person that no lineage knows, over all sources."""
        return sum(row.n_unknown for row in self.rows)

    @property
    def n_failed(self) -> int:
        """Sources that could not be searched."""
        return sum(1 for row in self.rows if row.failure)


def source_searches(deletion: DeletionRequest, viewer: Viewer) -> SourceSearches:
    """At most two queries. Nobody waits for a source once the request is closed, nor before the identity is proven."""
    rows = list(deletion.searches.select_related("data_source"))
    if deletion.state not in SEARCHABLE:
        return SourceSearches(rows=rows, unsearched=[], may_search=False)
    declared = DataSource.objects.exclude(declaration=None).order_by("name").values_list("name", flat=True)
    names, searched = list(declared), {row.data_source.name for row in rows}
    return SourceSearches(
        rows=rows,
        unsearched=[name for name in names if name not in searched],
        may_search=bool(names) and viewer.has_any(SEARCHERS),
    )
