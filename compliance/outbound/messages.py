"""What goes on the wire: a body and the headers that belong to it, checked before anything is sent."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from compliance.outbound.errors import MessageError

MAX_BODY_BYTES = 256 * 1024
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_VALUE = re.compile(r"[!-~](?:[ -~]{0,8190}[!-~])?")
# The exchange itself says these.
_OF_THE_EXCHANGE = {"host", "content-length", "transfer-encoding", "connection", "expect", "upgrade", "te", "trailer"}


@dataclass(frozen=True)
class Message:
    """A body in bytes and its headers; raises MessageError for what is no header (RFC 9110, section 5) or too long."""

    body: bytes
    headers: Mapping[str, str]

    def __post_init__(self) -> None:
        if len(self.body) > MAX_BODY_BYTES:
            raise MessageError(f"Expected a body of at most {MAX_BODY_BYTES} bytes, found {len(self.body)}.")
        for name, value in self.headers.items():
            if not _NAME.fullmatch(name) or name.lower() in _OF_THE_EXCHANGE:
                raise MessageError("Expected a header that a message may set, found another name.")
            if not _VALUE.fullmatch(value):
                raise MessageError(f"Expected printable ASCII on one line in the header {name}, found something else.")
        if len({name.lower() for name in self.headers}) != len(self.headers):
            raise MessageError("Expected each header once, found one twice.")
