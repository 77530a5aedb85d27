"""The ledger: how long it is, what was signed last, with which keys, and what still waits."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from compliance.ledger import checkpointer
from compliance.ledger.actors import STAFF_ROLES
from compliance.ledger.models import LedgerEntry, LogHead, PendingEntry, PublicKey
from compliance.portal.access import Viewer, only_for

SHOWN_ENTRIES = 20


@require_safe
@only_for(*STAFF_ROLES)
def ledger(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """One page; entries are read by their position, so it costs the same for any length of the log."""
    head = LogHead.objects.filter(pk=1).first()
    size = 0 if head is None else head.size
    checkpoint = checkpointer.latest()
    context = {
        "viewer": viewer,
        "section": "ledger",
        "size": size,
        "checkpoint": checkpoint,
        "note": "" if checkpoint is None else bytes(checkpoint.note).decode(),
        "n_unsigned": size - (0 if checkpoint is None else checkpoint.size),
        "keys": PublicKey.objects.order_by("purpose", "-published_at"),
        "n_waiting": PendingEntry.objects.count(),
        "waiting": PendingEntry.objects.defer("leaf").order_by("-pk")[:SHOWN_ENTRIES],
        "entries": LedgerEntry.objects.defer("leaf").order_by("-index")[:SHOWN_ENTRIES],
    }
    return render(request, "portal/ledger.html", context)
