"""Forms that a browser has sent already: a reload, or a second press of the button, makes no second request.

Kept in the session on the server: which form made which request.
"""

import uuid

from django.http import HttpRequest

MAX_KEPT = 20
_KEY = "sent_forms"


def new_form_id() -> str:
    """For a form that is shown anew."""
    return str(uuid.uuid4())


def remember(request: HttpRequest, form_id: str, made: uuid.UUID) -> None:
    """This form has made this request."""
    if form_id:
        known: dict[str, str] = {**request.session.get(_KEY, {}), form_id: str(made)}
        request.session[_KEY] = dict(list(known.items())[-MAX_KEPT:])


def made_by(request: HttpRequest, form_id: str) -> uuid.UUID | None:
    """The request that this form has made, if it was sent before."""
    made = request.session.get(_KEY, {}).get(form_id)
    return None if made is None else uuid.UUID(made)
