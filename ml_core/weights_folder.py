"""Weights on disk: one folder with ``weights.safetensors`` and ``config.json``, the same bytes for the same model.

Nothing that can run code is ever opened: pickles are refused by name before any byte is read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as format_safetensors
from torch import Tensor

from ml_core.errors import ArtifactError

CONFIG, WEIGHTS = "config.json", "weights.safetensors"
FORMAT = 1
CAN_RUN_CODE = {".pkl", ".pickle", ".pt", ".pth", ".bin", ".ckpt", ".joblib", ".npy", ".py"}

#: Name of a tensor to its dtype and shape.
Layout = Mapping[str, tuple[torch.dtype, tuple[int, ...]]]


def write_weights(folder: Path, family: str, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Write a new folder, or fill an empty one. Raises ArtifactError when it already holds anything."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ArtifactError(f"{folder.name}: expected a new or empty folder; weights are never overwritten")
    dense = {name: tensor.detach().to("cpu").contiguous() for name, tensor in sorted(tensors.items())}
    document = {"config": dict(config), "family": family, "format": FORMAT}
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    (folder / WEIGHTS).write_bytes(format_safetensors(dense))
    (folder / CONFIG).write_text(text, encoding="utf-8")  # last: a folder without it is incomplete


def read_family_name(folder: Path) -> str:
    """The family that wrote this folder. Raises ArtifactError."""
    family: str = _document(folder)["family"]
    return family


def read_config(folder: Path, family: str) -> dict[str, Any]:
    """The config stored by ``family``. Raises ArtifactError when another family wrote it or the folder is malformed."""
    document = _document(folder)
    if document["family"] != family:
        raise ArtifactError(f"{folder.name}: expected family {family!r}, found {document['family']!r}")
    config: dict[str, Any] = document["config"]
    return config


def read_tensors(folder: Path, layout: Layout, device: torch.device) -> dict[str, Tensor]:
    """The stored tensors on ``device``. Raises ArtifactError unless names, dtypes and shapes are those of ``layout``."""
    try:
        tensors = parse_safetensors((folder / WEIGHTS).read_bytes())
    except (SafetensorError, OSError) as error:
        raise ArtifactError(f"{folder.name}/{WEIGHTS}: not a readable safetensors file: {error}") from error
    if set(tensors) != set(layout):
        raise ArtifactError(f"{folder.name}: expected tensors {sorted(layout)}, found {sorted(tensors)}")
    for name, (dtype, shape) in layout.items():
        found = tensors[name]
        if (found.dtype, tuple(found.shape)) != (dtype, shape):
            raise ArtifactError(
                f"{folder.name}: {name} must be {dtype} {shape}, found {found.dtype} {tuple(found.shape)}"
            )
    return {name: tensor.to(device) for name, tensor in tensors.items()}


def _document(folder: Path) -> dict[str, Any]:
    _require_exactly_our_files(folder)
    try:
        document = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{folder.name}/{CONFIG}: not JSON in UTF-8: {error}") from error
    if not isinstance(document, dict) or set(document) != {"config", "family", "format"}:
        raise ArtifactError(f"{folder.name}/{CONFIG}: expected an object with config, family and format")
    stored = document["format"]
    if type(stored) is not int or stored != FORMAT:
        raise ArtifactError(f"{folder.name}/{CONFIG}: expected format {FORMAT}, found {stored!r}")
    if not isinstance(document["config"], dict) or not isinstance(document["family"], str):
        raise ArtifactError(f"{folder.name}/{CONFIG}: expected config as an object and family as text")
    return document


def _require_exactly_our_files(folder: Path) -> None:
    if not folder.is_dir():
        raise ArtifactError(f"{folder.name}: no such folder of weights")
    found = {path.name for path in folder.iterdir()}
    pickles = sorted(name for name in found if Path(name).suffix.lower() in CAN_RUN_CODE)
    if pickles:
        raise ArtifactError(f"{folder.name}: {pickles} could run code when loaded and are refused; use safetensors")
    if found != {CONFIG, WEIGHTS}:
        raise ArtifactError(f"{folder.name}: expected exactly {[CONFIG, WEIGHTS]}, found {sorted(found)}")
    if any(path.is_symlink() or not path.is_file() for path in folder.iterdir()):
        raise ArtifactError(f"{folder.name}: expected plain files; links and folders are refused")
