"""Waiting entries that the log refuses: they stay in the outbox, keep nobody else waiting, and are told each minute.

What comes later of the same request waits with them: once positioned, it would point for ever to an entry that is not
there. Such rows are no work of record.py, or the table's rules changed since they were written.
"""

import logging
import time
import uuid
from collections.abc import Sequence

from django.db.models import QuerySet

from compliance.ledger.models import PendingEntry

SECONDS = 60.0
_N_SHOWN = 20
_logger = logging.getLogger(__name__)


class SetAside:
    """What one process knows of them. After a minute it forgets them all, and they are tried again."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self._requests: set[uuid.UUID] = set()
        self._since = 0.0
        self._n_told = 0

    def others(self) -> QuerySet[PendingEntry]:
        """The outbox without them, in its order."""
        if self.ids and time.monotonic() - self._since >= SECONDS:
            self.ids, self._requests, self._n_told = [], set(), 0
        waiting = PendingEntry.objects.order_by("pk")
        return waiting.exclude(pk__in=self.ids).exclude(request_id__in=self._requests) if self.ids else waiting

    def add(self, pk: int) -> None:
        """Set this row aside, and with it what follows of its request."""
        self._since = self._since if self.ids else time.monotonic()
        self.ids.append(pk)
        request_id = PendingEntry.objects.filter(pk=pk).values_list("request_id", flat=True).first()
        if request_id is not None:
            self._requests.add(request_id)

    def without(self, ids: Sequence[int]) -> set[int]:
        """Those of these rows that need not wait."""
        return set(self.others().filter(pk__in=ids).values_list("pk", flat=True)) if self.ids else set(ids)

    def tell(self) -> None:
        """Raise the alarm about those that were added since: ids alone, whatever stands in the rows."""
        if len(self.ids) > self._n_told:
            shown = ", ".join(map(str, self.ids[:_N_SHOWN])) + (", …" if len(self.ids) > _N_SHOWN else "")
            _logger.error(
                "ALARM: the log refuses %d waiting entries, which stay in the outbox (ledger_pendingentry, id %s), and "
                "so does what follows of their requests. Find out who wrote them. They are tried again each minute.",
                len(self.ids),
                shown,
            )
            self._n_told = len(self.ids)
