"""API tokens of controllers: 256 random bits, shown once; a plain digest is stored, for nothing about them is guessed."""

import re
import secrets
from hashlib import sha256

_BYTES = 32
_PATTERN = re.compile(r"[A-Za-z0-9_-]{43}")


def new() -> str:
    """A token."""
    return secrets.token_urlsafe(_BYTES)


def is_token(text: str) -> bool:
    """Whether it could be one."""
    return _PATTERN.fullmatch(text) is not None


def digest(token: str) -> str:
    """What is stored of it: hex SHA-256."""
    return sha256(token.encode()).hexdigest()
