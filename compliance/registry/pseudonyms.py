"""Identifiers in one spelling, and the pseudonyms under which lineage and vault find the same person.

A pseudonym is HMAC-SHA-256 under a key of this installation: whoever has the table alone cannot test addresses
against it. It stays personal data (Art. 4(5) GDPR) and never enters the ledger.
"""

import hmac
import unicodedata
from hashlib import sha256

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

IDENTIFIER_KINDS = ("email",)
# Kinds whose canonical spelling is the text itself in NFC, stripped, in lower case: SQL may narrow a search for them.
LOWER_CASE_KINDS = frozenset({"email"})


def canonical_identifier(kind: str, value: str) -> str:
    """The one spelling of an identifier; raises ValueError. Messages never repeat the value: they may be logged."""
    if kind not in IDENTIFIER_KINDS:
        raise ValueError(f"identifier.kind must be one of {', '.join(IDENTIFIER_KINDS)}, found another value.")
    # Not NFKC and not casefold: they make one spelling of addresses that belong to different people (straße, strasse).
    text = unicodedata.normalize("NFC", value).strip().lower()
    try:
        validate_email(text)
        # A label that mail servers cannot look up, or a quoted local part, could be asked for but never mailed to.
        text.rpartition("@")[2].encode("idna")
        if '"' in text:
            raise ValueError("quoted")
    except (ValidationError, ValueError) as error:
        raise ValueError("identifier.value must be an e-mail address, for example name@example.org.") from error
    return text


def pseudonym_of(kind: str, value: str) -> str:
    """64 hex digits; raises ValueError for an identifier that has no canonical spelling."""
    text = f"{kind}|{canonical_identifier(kind, value)}"
    return hmac.new(settings.PSEUDONYM_KEY, text.encode(), sha256).hexdigest()
