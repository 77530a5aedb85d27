"""The vault: identifiers sealed under one key per request, pseudonyms for lookups, one-time codes.

Each request has a random 256-bit data key, wrapped by the master key (AES-256-GCM, RFC 5116; the request id is bound
as associated data, so a row cannot be moved to another request). Destroying the wrapped key destroys what it sealed.
"""

import hmac
import secrets
import uuid
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from compliance.evidence import commitment
from compliance.registry.pseudonyms import canonical_identifier, pseudonym_of
from compliance.requests.errors import InvalidInputError
from compliance.requests.models import DeletionRequest, SubjectVault

CODE_DIGITS = 10
_NONCE_BYTES = 12


class VaultError(RuntimeError):
    """A vault row does not open: wrong master key, or the row was changed."""


class ShreddedError(VaultError):
    """The vault row was shredded: there is nothing left to open."""


def canonical(kind: str, value: str) -> str:
    """The one spelling of an identifier under which it is looked up; raises InvalidInputError."""
    try:
        return canonical_identifier(kind, value)
    except ValueError as error:
        raise InvalidInputError(str(error)) from error


def seal(request: DeletionRequest, kind: str, canonical_value: str, commitment_key: bytes) -> SubjectVault:
    """A vault row (not yet saved) for this request."""
    data_key = AESGCM.generate_key(bit_length=256)
    return SubjectVault(
        request=request,
        identifier_kind=kind,
        pseudonym=pseudonym_of(kind, canonical_value),
        wrapped_key=_seal(settings.VAULT_MASTER_KEY, data_key, request.pk, b"key"),
        sealed_identifier=_seal(data_key, canonical_value.encode(), request.pk, b"identifier"),
        sealed_commitment_key=_seal(data_key, commitment_key, request.pk, b"commitment"),
    )


def identifier(vault: SubjectVault) -> str:
    """The identifier in clear, for the one moment in which a message is sent to the person."""
    return _open(_data_key(vault), vault.sealed_identifier, vault.request_id, b"identifier").decode()


def commitment_key(vault: SubjectVault) -> bytes:
    """The random key k_r under which this request's commitments were made."""
    return _open(_data_key(vault), vault.sealed_commitment_key, vault.request_id, b"commitment")


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
    return _open(settings.VAULT_MASTER_KEY, vault.wrapped_key, vault.request_id, b"key")


def _seal(key: bytes, plaintext: bytes, request_id: uuid.UUID, purpose: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, request_id.bytes + purpose)


def _open(key: bytes, sealed: bytes | memoryview, request_id: uuid.UUID, purpose: bytes) -> bytes:
    box = bytes(sealed)
    try:
        return AESGCM(key).decrypt(box[:_NONCE_BYTES], box[_NONCE_BYTES:], request_id.bytes + purpose)
    except InvalidTag as error:
        raise VaultError(
            f"The vault row of request {request_id} does not open. Is VAULT_MASTER_KEY the one it was sealed under?"
        ) from error
