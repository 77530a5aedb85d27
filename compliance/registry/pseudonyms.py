"""Identifiers in one spelling, and the pseudonyms under which lineage and vault find the same person.

A pseudonym is HMAC-SHA-256 under a key of this installation: whoever has the table alone cannot test addresses
against it. It stays personal data (Art. 4(5) GDPR) and never enters the ledger.

An address has the spelling that mail servers look up: the domain as A-labels (UTS 46, non-transitional, with the rules of
STD 3; RFC 5891), so that bücher.example, BÜCHER.example and xn--bcher-kva.example are one domain.
"""

import hmac
import unicodedata
from hashlib import sha256

import idna
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

IDENTIFIER_KINDS = ("email",)
# Kinds where the canonical spelling of printable ASCII is that text stripped, in lower case: SQL may narrow a search.
LOWER_CASE_KINDS = frozenset({"email"})


def canonical_identifier(kind: str, value: str) -> str:
    """The one spelling of an identifier; raises ValueError. Messages never repeat the value: they may be logged."""
    if kind not in IDENTIFIER_KINDS:
        raise ValueError(f"identifier.kind must be one of {', '.join(IDENTIFIER_KINDS)}, found another value.")
    text = _mailbox(value)
    if text is None:
        raise ValueError(
            "identifier.value must be an e-mail address, for example name@example.org. The domain must be one that mail "
            "can be sent to, the part before it without invisible characters."
        )
    return text


def pseudonym_of(kind: str, value: str) -> str:
    """64 hex digits; raises ValueError for an identifier that has no canonical spelling."""
    text = f"{kind}|{canonical_identifier(kind, value)}"
    return hmac.new(settings.PSEUDONYM_KEY, text.encode(), sha256).hexdigest()


def _mailbox(value: str) -> str | None:
    """The address, or None instead of the errors of others, which quote it."""
    local, _, domain = unicodedata.normalize("NFC", value).strip().rpartition("@")
    try:
        # Not NFKC and not casefold, which suit domains alone: straße@ and strasse@ belong to different people.
        text = f"{local.lower()}@{_a_labels(domain)}"
        validate_email(text)
    except (ValidationError, idna.IDNAError):
        return None
    # A quoted local part could be asked for but never mailed to.
    return None if '"' in text else text


def _a_labels(domain: str) -> str:
    """Raises IDNAError for a domain that has none."""
    mapped = idna.uts46_remap(domain, std3_rules=True, transitional=False)
    return ".".join(_a_label(label) for label in mapped.split("."))


def _a_label(label: str) -> str:
    # Other names in ASCII are what DNS has, also those that RFC 5891 would not register, such as r3--x.
    is_plain = label.isascii() and not label.startswith("xn--")
    return label if is_plain else idna.alabel(label).decode("ascii")
