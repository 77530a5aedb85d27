"""Randomness that belongs to a job: whoever runs it, and however often, draws the same numbers."""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def generator(job_id: uuid.UUID, purpose: str) -> torch.Generator:
    """A CPU generator seeded with 63 bits of SHA-256 over the job's id and a purpose, independent between purposes."""
    import torch

    digest = hashlib.sha256(f"{job_id}|{purpose}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8]) >> 1)
