"""A worker looks for the person in every declared data source, and notes how many records there are.

What the models learned from is known by lineage, made when a version was registered. The search shows whether the
sources agree: records of the person that lineage does not know came later, or were missed. It is also the search that
a refusal for want of identification has to show (Art. 11(2), 12(2) GDPR).
"""

import logging
import uuid
from datetime import UTC, datetime

from compliance.registry.models import DataSource, LineageRecord
from compliance.requests import identities
from compliance.requests.errors import NotFoundError
from compliance.requests.models import DeletionRequest, SourceSearch
from compliance.sources.declaration import SourceDeclaration
from compliance.sources.errors import SourceError
from compliance.sources.reading import records_of

logger = logging.getLogger(__name__)


def search_sources(request_id: uuid.UUID) -> list[SourceSearch]:
    """Search each source anew; raises NotFoundError, or VaultError when the identity does not open.

    No ledger entry: nothing happens to the request. No transaction: reading takes as long as the source is big.
    """
    request = DeletionRequest.objects.select_related("vault").filter(pk=request_id).first()
    if request is None:
        raise NotFoundError(f"There is no request {request_id}.")
    if request.vault.shredded_at is not None:
        return []
    began_at = datetime.now(tz=UTC)
    rows = [_search(request, source) for source in DataSource.objects.exclude(declaration=None).order_by("name")]
    DeletionRequest.objects.filter(pk=request.pk).update(searched_at=began_at)
    return rows


def _search(request: DeletionRequest, source: DataSource) -> SourceSearch:
    vault = request.vault
    lineage = LineageRecord.objects.filter(model__data_source=source, subject_pseudonym=vault.pseudonym)
    known = set(lineage.values_list("record_id", flat=True))
    found: list[str] = []
    failure = ""
    try:
        declaration = SourceDeclaration.from_dict(source.declaration)
        found = records_of(declaration, vault.identifier_kind, identities.identifier(vault))
    except SourceError as error:
        failure = type(error).__name__
        logger.warning("source %s: not searched, %s", source.name, failure)
    columns = {
        "n_found": len(found),
        "n_unknown": len(set(found) - known),
        "failure": failure,
        "searched_at": datetime.now(tz=UTC),
    }
    row, _ = SourceSearch.objects.update_or_create(request=request, data_source=source, defaults=columns)
    return row
