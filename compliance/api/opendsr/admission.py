"""Who may ask: a controller with its token, and not without any limit."""

import math
import uuid
from typing import Any

from django.http import HttpRequest
from rest_framework.throttling import SimpleRateThrottle

from compliance.api.opendsr.refusals import CeilingError
from compliance.controllers import queries, tokens
from compliance.controllers.errors import UnknownControllerError
from compliance.controllers.models import Controller


class _Ceiling(SimpleRateThrottle):
    """So many questions of one controller: the rate `opendsr` of the settings."""

    scope = "opendsr"

    def __init__(self, controller_id: uuid.UUID) -> None:
        self._controller_id = controller_id
        super().__init__()

    def get_cache_key(self, request: Any, view: Any) -> str:
        """One count for each controller."""
        return f"opendsr-{self._controller_id}"


def admitted(request: HttpRequest) -> Controller:
    """The controller in `Authorization: Bearer <token>`; raises UnknownControllerError or CeilingError."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not tokens.is_token(token):
        raise UnknownControllerError("Expected Authorization: Bearer with the token of a controller, found none.")
    controller = queries.by_token(token)
    ceiling = _Ceiling(controller.pk)
    if not ceiling.allow_request(request, None):  # type: ignore[arg-type]  # neither is looked at
        raise CeilingError(max(1, math.ceil(ceiling.wait() or 1)))
    return controller
