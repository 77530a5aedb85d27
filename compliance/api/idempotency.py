"""The Idempotency-Key header: who sends the same request again under it gets the same answer.

Source: draft-ietf-httpapi-idempotency-key-header, which has it as a string of RFC 8941 section 3.3.3; without quotation
marks it is taken, too.

Next: compliance/intake/receiving.py
"""

import re
from collections.abc import Mapping

from rest_framework.request import Request

from compliance.intake.receiving import Asked
from compliance.requests.errors import RequestError

#: 16 to 255 visible characters of ASCII; a quotation mark or a backslash would need an escape.
PATTERN = r'^("[!#-\[\]-~]{16,255}"|[!#-\[\]-~]{16,255})$'


class KeyInvalidError(RequestError):
    """The header is no key."""

    code = "idempotency_key_invalid"
    status = 400


def asked(request: Request, operation: str, body: Mapping[str, object]) -> Asked | None:
    """The key of this request with what it is for, None without one; raises KeyInvalidError.

    `operation` is what the body is for, and names whoever alone may repeat it, where that is known.
    """
    header = request.headers.get("Idempotency-Key")
    if header is None:
        return None
    if not re.fullmatch(PATTERN, header):
        raise KeyInvalidError(
            "Idempotency-Key: expected 16 to 255 visible characters of ASCII, in quotation marks or without, and none "
            "of them a quotation mark or a backslash; found something else. A UUID is a good key."
        )
    return Asked(key=header.strip('"'), operation=operation, body=body)
