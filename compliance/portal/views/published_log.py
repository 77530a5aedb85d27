"""The published log over HTTP, as C2SP tlog-tiles has it: checkpoints for everybody, tiles and entries for staff.

The files are those that `manage.py publisher` wrote; nothing is made here.
"""

from functools import lru_cache

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from compliance.evidence import tile_files
from compliance.ledger import log_files
from compliance.ledger.actors import STAFF_ROLES
from compliance.ledger.log_store import LogStore, StoreError, store_at
from compliance.ledger.models import Log
from compliance.portal.access import Viewer, only_for

TEXT = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"
TOKEN = "application/timestamp-reply"
# A full tile never changes; it is for the eyes of the one who is signed in.
FOREVER = "private, max-age=31536000, immutable"


@require_safe
@never_cache
def checkpoint(request: HttpRequest, name: str) -> HttpResponseBase:
    """The newest published checkpoint with its cosignatures: whoever compares it finds a second history."""
    return _file(name, "checkpoint", TEXT)


@require_safe
@never_cache
def timestamp(request: HttpRequest, name: str) -> HttpResponseBase:
    """The RFC 3161 token over that checkpoint, where it has one."""
    return _file(name, "checkpoint.tsr", TOKEN)


def tile(request: HttpRequest, name: str, path: str) -> HttpResponseBase:
    """A tile or a bundle of entries; the full ones may be kept for ever."""
    response = _tile(request, name, path)
    if response.status_code == HttpResponse.status_code and not tile_files.is_partial(path):
        response["Cache-Control"] = FOREVER
        del response["Expires"]
    return response


@require_safe
@only_for(*STAFF_ROLES)
def _tile(request: HttpRequest, viewer: Viewer, name: str, path: str) -> HttpResponseBase:
    if not tile_files.is_tile_path(path):
        raise Http404
    return _file(name, path, BYTES)


def _file(name: str, path: str, content_type: str) -> HttpResponseBase:
    # Only the name of a log of ours becomes a part of a path.
    if name not in map(log_files.folder_of, Log.objects.values_list("origin", flat=True)):
        raise Http404
    try:
        return FileResponse(_store(settings.LOG_DIR).open(f"{name}/{path}"), content_type=content_type)
    except FileNotFoundError as error:
        raise Http404 from error
    except StoreError:
        return HttpResponse("The published log cannot be read at the moment.\n", content_type=TEXT, status=503)


@lru_cache(maxsize=4)
def _store(place: str) -> LogStore:
    """Kept, so that the connection to an object store is."""
    return store_at(place)
