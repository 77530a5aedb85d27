"""The vault: identifiers sealed under one key per request, pseudonyms for lookups, one-time codes.

Each request has a random 256-bit data key. It seals the identifier, the commitment key and every note of the request
(AES-256-GCM, RFC 5116; the request's id and the purpose are bound as associated data, so that nothing opens in another
row or place). A master key wraps the data key (compliance/vault); destroying the wrapped key destroys what it sealed.
"""

import hmac
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from django.conf import settings

from compliance.evidence import commitment
from compliance.registry.pseudonyms import canonical_identifier, pseudonym_of
from compliance.requests.errors import InvalidInputError, NotReadyError
from compliance.requests.models import DeletionRequest, SubjectVault
from compliance.vault import ring, sealing
from compliance.vault.errors import KeyServiceError, VaultError
from compliance.vault.switching import hold_keys

# What callers catch comes from here.
__all__ = ["VaultError"]

CODE_DIGITS = 10
_KEY, _IDENTIFIER, _COMMITMENT, _NOTE = b"key", b"identifier", b"commitment", b"note"


class ShreddedError(VaultError):
    """The vault row was shredded: there is nothing left to open."""


class VaultNotReadyError(VaultError, NotReadyError):
    """The key service that holds the master key gives no answer. Nothing was lost; trying again later is right."""

    status = 503


def canonical(kind: str, value: str) -> str:
    """The one spelling of an identifier under which it is looked up; raises InvalidInputError."""
    try:
        return canonical_identifier(kind, value)
    except ValueError as error:
        raise InvalidInputError(str(error)) from error


def seal(request: DeletionRequest, kind: str, canonical_value: str, commitment_key: bytes) -> SubjectVault:
    """A vault row (not yet saved) for this request. Call it in the transaction that saves the row.

    Raises VaultNotReadyError, and VaultError when there is no master key to wrap with.
    """
    data_key = sealing.new_key()
    hold_keys()
    with _told_apart():
        master = ring.configured().current()
        wrapped_key = master.wrap(data_key, _context(request.pk, _KEY))
    return SubjectVault(
        request=request,
        identifier_kind=kind,
        pseudonym=pseudonym_of(kind, canonical_value),
        wrapped_key=wrapped_key,
        master_key_id=master.key_id,
        sealed_identifier=sealing.seal(data_key, canonical_value.encode(), _context(request.pk, _IDENTIFIER)),
        sealed_commitment_key=sealing.seal(data_key, commitment_key, _context(request.pk, _COMMITMENT)),
    )


def identifier(vault: SubjectVault) -> str:
    """The identifier in clear, for the one moment in which a message is sent to the person.

    This and what follows raises ShreddedError, VaultNotReadyError, VaultError.
    """
    return _open(vault, vault.sealed_identifier, _IDENTIFIER).decode()


def commitment_key(vault: SubjectVault) -> bytes:
    """The random key k_r under which this request's commitments were made."""
    return _open(vault, vault.sealed_commitment_key, _COMMITMENT)


def seal_note(vault: SubjectVault, text: str) -> bytes:
    """Words that may name the person, sealed with the request's own key: they are shredded with it."""
    return sealing.seal(_data_key(vault), text.encode(), _context(vault.request_id, _NOTE))


def open_note(vault: SubjectVault, sealed: bytes | memoryview) -> str:
    """The words of a note of this request."""
    return _open(vault, sealed, _NOTE).decode()


def wrapping_context(vault: SubjectVault) -> bytes:
    """What the wrapped key of this row is bound to."""
    return _context(vault.request_id, _KEY)


def new_commitment_key() -> bytes:
    """32 random bytes, never derived from anything about the person."""
    return commitment.new_key()


def new_token() -> str:
    """A status token for the data subject: 256 random bits."""
    return secrets.token_urlsafe(32)


def token_sha256(token: str) -> str:
    """What is stored of a token. A plain hash is enough: the token has 256 bits of entropy."""
    return sha256(token.encode()).hexdigest()


def new_code() -> str:
    """A one-time code of ten digits: tries are limited per code, but an attacker may open many requests at once."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def code_hmac(request_id: uuid.UUID, code: str) -> str:
    """What is stored of a code: keyed, because digits alone are guessed in a moment from a plain hash."""
    return hmac.new(settings.PSEUDONYM_KEY, f"identity-code|{request_id}|{code}".encode(), sha256).hexdigest()


def same(left: str, right: str) -> bool:
    """Equality in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


def _data_key(vault: SubjectVault) -> bytes:
    if vault.shredded_at is not None:
        raise ShreddedError(f"The vault row of request {vault.request_id} was shredded.")
    with _told_apart():
        master = ring.configured().named(vault.master_key_id)
        return master.unwrap(bytes(vault.wrapped_key), wrapping_context(vault))


def _open(vault: SubjectVault, sealed: bytes | memoryview, purpose: bytes) -> bytes:
    data_key = _data_key(vault)
    try:
        return sealing.unseal(data_key, sealed, _context(vault.request_id, purpose))
    except VaultError as error:
        raise VaultError(
            f"What the vault holds for request {vault.request_id} does not open: it was changed."
        ) from error


def _context(request_id: uuid.UUID, purpose: bytes) -> bytes:
    return request_id.bytes + purpose


@contextmanager
def _told_apart() -> Iterator[None]:
    """A service that does not answer is for callers what any other "not yet" is."""
    try:
        yield
    except KeyServiceError as error:
        raise VaultNotReadyError(f"{error} Try again later.") from error
