"""The limits of the API, counted together with it: whoever is refused there is refused here."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle

from compliance.api.authentication import Subject
from compliance.requests.models import DeletionRequest


@dataclass(frozen=True, kw_only=True)
class _Caller:
    """What a throttle reads of a request. Not Django's own: a member of staff who is signed in here is anybody."""

    META: Mapping[str, Any]
    headers: Mapping[str, str]
    user: Subject | None


def seconds_to_wait(request: HttpRequest, scope: str, opened: DeletionRequest | None = None) -> int | None:
    """Count this call under a scope of REST_FRAMEWORK's rates; None while the limit is kept.

    Calls are counted for the request that is open, or for the address that they come from.
    """
    user = None if opened is None else Subject(opened)
    caller = _Caller(META=request.META, headers=request.headers, user=user)
    throttle = ScopedRateThrottle()
    # A throttle reads no more of a request than the caller has, and of a view the scope alone.
    if throttle.allow_request(cast(Request, caller), cast(Any, SimpleNamespace(throttle_scope=scope))):
        return None
    return max(1, math.ceil(throttle.wait() or 60))
