"""Which requests a browser has opened with their status token: kept in its session on the server, for a short time.

The page that takes the token calls `remember_opened`; what goes on from there without the token asks `opened`. Whoever
leaves the browser to others calls `forget`.
"""

import time
import uuid

from django.http import HttpRequest

OPEN_SECONDS = 3600
MAX_OPENED = 20
_KEY = "opened_requests"


def remember_opened(request: HttpRequest, deletion_request_id: uuid.UUID) -> None:
    """This browser has shown the status token of this request. The session gets another key: whoever planted the old
    one is not let in with it."""
    known: dict[str, float] = request.session.get(_KEY, {})
    known[str(deletion_request_id)] = time.time()
    latest = sorted(known.items(), key=lambda item: item[1])[-MAX_OPENED:]
    request.session[_KEY] = dict(latest)
    request.session.cycle_key()


def opened(request: HttpRequest, deletion_request_id: uuid.UUID) -> bool:
    """Whether this browser has shown the token within the hour."""
    since = request.session.get(_KEY, {}).get(str(deletion_request_id))
    return since is not None and 0 <= time.time() - since < OPEN_SECONDS


def forget(request: HttpRequest) -> None:
    """The session of this browser ends: its row is deleted, with all that was opened, sent or signed in to in it."""
    request.session.flush()
