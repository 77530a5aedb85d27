"""Create requests that every processor has to refuse, by what is wrong with them."""

from typing import Any

from . import messages
from .messages import PERSONAL, email, encoded, without

VALID = {**messages.creation(), "status_callback_urls": []}
_OPTIONAL = {"api_version", "status_callback_urls"}
_DEEP: Any = {}
for _ in range(40):
    _DEEP = {"a": _DEEP}
BAD_BODIES: dict[str, bytes] = {
    "empty": b"",
    "no JSON": b"{",
    "an array": b"[]",
    "no UTF-8": b'{"a": "\xff"}',
    "a name twice": encoded(VALID)[:-1] + b',"regulation":"ccpa"}',
    "NaN": encoded(VALID)[:-1] + b',"extensions":{"a": NaN}}',
    "too deep": encoded({**VALID, "extensions": _DEEP}),
    "too large": encoded({**VALID, "padding": "x" * 300_000}),
    **{f"without {name}": encoded(without(VALID, name)) for name in VALID if name not in _OPTIONAL},
    "another law": encoded({**VALID, "regulation": "lgpd"}),
    "another type": encoded({**VALID, "subject_request_type": "opt_out"}),
    "a type that is not served": encoded({**VALID, "subject_request_type": "access"}),
    "a UUID in capitals": encoded({**VALID, "subject_request_id": messages.REQUEST_ID.upper()}),
    "a UUID of version 1": encoded({**VALID, "subject_request_id": "a7551968-d5d6-11b2-9831-815ac9017798"}),
    "a number for an id": encoded({**VALID, "subject_request_id": 7}),
    "a time without zone": encoded({**VALID, "submitted_time": "2026-04-30T09:15:00"}),
    "no identity": encoded({**VALID, "subject_identities": []}),
    "an object for identities": encoded({**VALID, "subject_identities": email()}),
    "an identity that is text": encoded({**VALID, "subject_identities": [PERSONAL]}),
    "an unknown kind of identity": encoded({**VALID, "subject_identities": [{**email(), "identity_type": "phone"}]}),
    "an identity with a further member": encoded({**VALID, "subject_identities": [{**email(), PERSONAL: 1}]}),
    "a kind that is not served alone": encoded({**VALID, "subject_identities": [email("a" * 64, "sha256")]}),
    "extensions that are text": encoded({**VALID, "extensions": PERSONAL}),
    "a callback that is no URL": encoded({**VALID, "status_callback_urls": [PERSONAL]}),
    "a callback that is no array": encoded({**VALID, "status_callback_urls": "https://a.example/"}),
}
