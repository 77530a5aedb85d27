"""The ledger: how long it is, how far its entries are, what was signed last, with which keys, and who has seen it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from compliance.evidence import trust
from compliance.evidence.errors import TrustFileError
from compliance.ledger import checkpointer, logs
from compliance.ledger.actors import STAFF_ROLES
from compliance.ledger.log_files import folder_of
from compliance.ledger.models import LedgerEntry, Outsider, PendingEntry, PublicKey
from compliance.ledger.progress import progress
from compliance.ledger.trust_file import current_trust
from compliance.portal.access import Viewer, only_for
from compliance.portal.permissions import BUNDLE_ROLES

SHOWN_ENTRIES = 20


@require_safe
@only_for(*STAFF_ROLES)
def ledger(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """One page; entries are read by their position, so it costs the same for any length of the log."""
    log = logs.newest()
    size = 0 if log is None else log.end
    checkpoint = checkpointer.latest()
    entries = list(LedgerEntry.objects.defer("leaf").order_by("-position")[:SHOWN_ENTRIES])
    far = progress(since=entries[-1].position if entries else 0)
    context = {
        "viewer": viewer,
        "section": "ledger",
        "size": size,
        "checkpoint": checkpoint,
        "folder": "" if checkpoint is None else folder_of(checkpoint.log.origin),
        "note": "" if checkpoint is None else bytes(checkpoint.note).decode(),
        "n_unsigned": size - (0 if checkpoint is None else checkpoint.end),
        "keys": PublicKey.objects.order_by("purpose", "-published_at"),
        "n_waiting": PendingEntry.objects.count(),
        "waiting": PendingEntry.objects.defer("leaf").order_by("-pk")[:SHOWN_ENTRIES],
        "entries": [(entry, far.state_of(entry.position)) for entry in entries],
        "witnessing": far.witnessing,
        "newest": far.logs[0] if far.logs else None,
        "held": far.held,
        "outsiders": Outsider.objects.all(),
        "trust_sha256": _trust_sha256(),
        "may_export": viewer.has_any(BUNDLE_ROLES),
    }
    return render(request, "portal/ledger.html", context)


def _trust_sha256() -> str:
    """The fingerprint of the trust file as it is now; empty while a key is missing."""
    try:
        return trust.fingerprint(trust.write(current_trust()))
    except TrustFileError:
        return ""
