"""A person's token, from the pseudonym: HMAC-SHA-256 (RFC 2104) under SUPPRESSION_KEY.

The pseudonym is a keyed hash of the canonical identifier, so a guessed identifier is tested only by who has both keys;
and lineage, which holds pseudonyms alone, can be searched for people who were erased before a backup came back.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice

from django.conf import settings
from django.db.models import Q, QuerySet

from compliance.registry.pseudonyms import pseudonym_of
from compliance.suppression.models import SuppressionToken

BATCH_ROWS = 500


def token_of(pseudonym: str) -> str:
    """64 hex digits."""
    return _keyed(f"suppression|{pseudonym}")


def key_check() -> str:
    """Tells whether two installations have the same keys, and nothing about them: 64 hex digits."""
    return _keyed(f"key-check|{hmac.new(settings.PSEUDONYM_KEY, b'key-check', sha256).hexdigest()}")


def is_suppressed(kind: str, value: str) -> bool:
    """Whether this person was erased. Raises ValueError for an identifier that has no canonical spelling."""
    return bool(suppressed_among([pseudonym_of(kind, value)]))


def suppressed_among(pseudonyms: Iterable[str]) -> set[str]:
    """Those of the pseudonyms whose people were erased; the empty pseudonym is nobody's."""
    found: set[str] = set()
    for batch in batches(pseudonyms):
        by_token = {token_of(pseudonym): pseudonym for pseudonym in batch if pseudonym}
        found |= {by_token[token] for token in _in_force(by_token).values_list("token", flat=True)}
    return found


def batches(pseudonyms: Iterable[str]) -> Iterator[list[str]]:
    """Lists of at most `BATCH_ROWS`."""
    rest = iter(pseudonyms)
    while batch := list(islice(rest, BATCH_ROWS)):
        yield batch


def in_force() -> QuerySet[SuppressionToken]:
    """Tokens that have not expired."""
    today = datetime.now(tz=UTC).date()
    return SuppressionToken.objects.filter(Q(expires_on=None) | Q(expires_on__gte=today))


def _in_force(tokens: Collection[str]) -> QuerySet[SuppressionToken]:
    return in_force().filter(token__in=list(tokens))


def _keyed(text: str) -> str:
    return hmac.new(settings.SUPPRESSION_KEY, text.encode(), sha256).hexdigest()
