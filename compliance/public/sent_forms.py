"""Forms that a browser has sent already: a reload, or a second press of the button, makes no second request.

Which form made which request is kept in the session on the server. Of two that are sent at the same time neither is
there yet: then the database lets one through, and the other gets the same receipt.
"""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.http import HttpRequest

from compliance.identity.browser_session import OPEN_SECONDS
from compliance.intake import receiving
from compliance.intake.receiving import Asked
from compliance.requests.actions.submit import Submitted

MAX_KEPT = 20
_KEY = "sent_forms"


def new_form_id() -> str:
    """For a form that is shown anew."""
    return str(uuid.uuid4())


def once(request: HttpRequest, form_id: str, receive: Callable[[], Submitted]) -> Submitted:
    """What `receive` makes, or has made of this form of this browser a moment ago; raises what it raises.

    A browser is known by its secret against forged forms: a session it may not have yet.
    """
    browser = request.META.get("CSRF_COOKIE", "")
    if not form_id or not browser:
        return receive()
    return receiving.once(Asked(key=form_id, operation=f"public form|{browser}", body={}), receive)


def is_fresh(submitted: Submitted) -> bool:
    """Whether its token may be shown: what is sent again later may come from whoever found the browser."""
    return datetime.now(tz=UTC) - submitted.request.received_at < timedelta(seconds=OPEN_SECONDS)


def remember(request: HttpRequest, form_id: str, made: uuid.UUID) -> None:
    """This form has made this request."""
    if form_id:
        known: dict[str, str] = {**request.session.get(_KEY, {}), form_id: str(made)}
        request.session[_KEY] = dict(list(known.items())[-MAX_KEPT:])


def made_by(request: HttpRequest, form_id: str) -> uuid.UUID | None:
    """The request that this form has made, if it was sent before."""
    made = request.session.get(_KEY, {}).get(form_id)
    return None if made is None else uuid.UUID(made)
