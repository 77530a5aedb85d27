"""SHA-256 of tensors, so that "equal" can be checked by someone who has only the digests."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from ml_core.contract import Model


def tensor_sha256(tensor: Tensor) -> str:
    """Hex SHA-256 over ``<dtype> <shape>\\n`` followed by the elements in row-major little-endian order."""
    dense = tensor.detach().to("cpu").contiguous()
    header = f"{str(dense.dtype).removeprefix('torch.')} {'x'.join(map(str, dense.shape))}\n"
    return hashlib.sha256(header.encode() + dense.reshape(-1).view(torch.uint8).numpy().tobytes()).hexdigest()


def model_sha256s(model: Model) -> dict[str, str]:
    """Name to hex SHA-256, for every named tensor, in order of name."""
    return {name: tensor_sha256(tensor) for name, tensor in sorted(model.named_tensors().items())}
