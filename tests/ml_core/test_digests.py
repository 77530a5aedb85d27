"""Digests of tensors: of the numbers in row-major order, whatever their layout in memory."""

import hashlib
import struct

import pytest
import torch

from ml_core.digests import tensor_sha256

TENSOR = torch.tensor([[1.0, -2.5, 0.0], [3.0, 1e300, -0.0]], dtype=torch.float64)


def test_the_digest_is_that_of_type_shape_and_little_endian_elements() -> None:
    elements = struct.pack("<6d", 1.0, -2.5, 0.0, 3.0, 1e300, -0.0)
    assert tensor_sha256(TENSOR) == hashlib.sha256(b"float64 2x3\n" + elements).hexdigest()


def test_the_layout_in_memory_does_not_matter() -> None:
    turned = TENSOR.T.contiguous().T
    assert not turned.is_contiguous()
    assert tensor_sha256(turned) == tensor_sha256(TENSOR)
    assert tensor_sha256(TENSOR.clone().requires_grad_()) == tensor_sha256(TENSOR)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(TENSOR.float(), id="type"),
        pytest.param(TENSOR.reshape(3, 2), id="shape"),
        pytest.param(TENSOR.flip(0), id="order"),
        pytest.param(TENSOR.abs(), id="sign, of zero as well"),
        pytest.param(TENSOR.view(torch.int64), id="type, with the same bytes"),
    ],
)
def test_a_difference_shows(other: torch.Tensor) -> None:
    assert tensor_sha256(other) != tensor_sha256(TENSOR)


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64, torch.bfloat16, torch.float16, torch.float32])
@pytest.mark.parametrize("shape", [(), (0,), (2, 0), (3,)])
def test_every_type_and_shape_has_a_digest(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    header = f"{str(dtype)[6:]} {'x'.join(map(str, shape))}\n".encode()
    n_bytes = torch.zeros(shape, dtype=dtype).nbytes
    assert tensor_sha256(torch.zeros(shape, dtype=dtype)) == hashlib.sha256(header + bytes(n_bytes)).hexdigest()
