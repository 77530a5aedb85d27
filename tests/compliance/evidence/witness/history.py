"""Logs to be witnessed: leaf hashes in memory, proofs by the slow twin of RFC 6962, and forks."""

from dataclasses import dataclass, field, replace
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import checkpoint, merkle, witness_client
from compliance.evidence.checkpoint import Checkpoint
from tests.compliance.evidence import rfc6962

ORIGIN = "ledger.example/2026"


def leaves(n: int, salt: bytes = b"") -> list[bytes]:
    """Hashes of n different leaves."""
    return [merkle.leaf_hash(salt + number.to_bytes(4, "big")) for number in range(n)]


@dataclass(frozen=True)
class History:
    """What one log may show: everybody who sees the same history sees the same roots."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    origin: str = ORIGIN
    leaf_hashes: tuple[bytes, ...] = tuple(leaves(40))

    @property
    def vkey(self) -> str:
        """The log's key."""
        return checkpoint.vkey(self.origin, self.key.public_key())

    def head(self, size: int) -> Checkpoint:
        """The head over the first leaves."""
        return Checkpoint(self.origin, size, rfc6962.root_of(list(self.leaf_hashes[:size])))

    def note(self, size: int) -> bytes:
        """Its signed note."""
        return checkpoint.sign(self.head(size), self.origin, self.key)

    def path(self, old_size: int, size: int) -> list[bytes]:
        """The consistency proof, empty from size 0."""
        return rfc6962.consistency_path(old_size, list(self.leaf_hashes[:size])) if old_size else []

    def request(self, old_size: int, size: int) -> bytes:
        """The body of an honest request."""
        return witness_client.request_body(old_size, self.path(old_size, size), self.note(size))

    def forked_at(self, size: int, salt: bytes = b"another history") -> Self:
        """The same log and key with other leaves from this size on."""
        return replace(self, leaf_hashes=self.leaf_hashes[:size] + tuple(leaves(40, salt)[size:]))
