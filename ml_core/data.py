"""Training data on disk: one npz file without pickles, from which the splits are read.

Arrays: features [N, D] floating point; labels [N] integers; record_ids, person_ids, split [N] text, where split is
``train`` or ``holdout``. No person may be in both splits.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ml_core.contract import Examples
from ml_core.errors import DataError

SPLITS = ("train", "holdout")
#: Kinds of numpy dtype in words.
EXPECTED = {"f": "floating point", "iu": "whole numbers", "U": "text"}
#: Array name to the kinds of numpy dtype it may have and its number of dimensions.
ARRAYS = {"features": ("f", 2), "labels": ("iu", 1), "record_ids": ("U", 1), "person_ids": ("U", 1), "split": ("U", 1)}


def read_examples(path: Path) -> dict[str, Examples]:
    """Examples of each split, ``train`` and ``holdout``. Raises DataError on any malformation."""
    arrays = _arrays(path)
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) != 1:
        raise DataError(f"{path.name}: arrays must have one length, found {lengths}")
    unknown = sorted(set(arrays["split"].tolist()) - set(SPLITS))
    if unknown:
        raise DataError(f"{path.name}: split must be one of {list(SPLITS)}, found {len(unknown)} other values")
    if len(np.unique(arrays["record_ids"])) != lengths["record_ids"]:
        raise DataError(f"{path.name}: record_ids must be unique")
    splits = {split: _examples(arrays, arrays["split"] == split, path.name) for split in SPLITS}
    n_shared = len(set(splits["train"].person_ids) & set(splits["holdout"].person_ids))
    if n_shared:
        raise DataError(f"{path.name}: {n_shared} persons are in both splits; put each person in one")
    return splits


def write_examples(path: Path, splits: Mapping[str, Examples]) -> None:
    """Write the splits so that ``read_examples`` gives them back. Raises DataError on an unknown split."""
    unknown = sorted(set(splits) - set(SPLITS))
    if unknown:
        raise DataError(f"splits must be among {list(SPLITS)}, found {unknown}")
    arrays = {
        "features": np.concatenate([examples.features.cpu().numpy() for examples in splits.values()]),
        "labels": np.concatenate([examples.labels.cpu().numpy() for examples in splits.values()]),
        "record_ids": np.array([name for examples in splits.values() for name in examples.record_ids], dtype=np.str_),
        "person_ids": np.array([name for examples in splits.values() for name in examples.person_ids], dtype=np.str_),
        "split": np.array([split for split, examples in splits.items() for _ in range(len(examples))], dtype=np.str_),
    }
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    arrays = _stored(path)
    if set(arrays) != set(ARRAYS):
        raise DataError(f"{path.name}: expected arrays {sorted(ARRAYS)}, found {sorted(arrays)}")
    for name, (kinds, n_dimensions) in ARRAYS.items():
        array = arrays[name]
        if not isinstance(array, np.ndarray):  # numpy gives entries of an archive that are none as bytes
            raise DataError(f"{path.name}: {name} is not a stored array")
        if array.dtype.kind not in kinds or array.ndim != n_dimensions:
            raise DataError(
                f"{path.name}: {name} must be {EXPECTED[kinds]} with {n_dimensions} dimensions, found {array.dtype} "
                f"with shape {array.shape}"
            )
    return arrays


def _stored(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as file:  # opened here, because numpy leaves a damaged archive open
            opened = np.load(file, allow_pickle=False)
            if not isinstance(opened, np.lib.npyio.NpzFile):
                raise TypeError("it holds a single array")
            with opened as archive:
                return {name: archive[name] for name in archive.files}
    except Exception as error:  # what a damaged archive raises is not documented, and varies
        raise DataError(
            f"{path.name}: expected an npz file of plain arrays, found something else ({type(error).__name__})"
        ) from error


def _examples(arrays: Mapping[str, NDArray[Any]], chosen: NDArray[np.bool_], where: str) -> Examples:
    try:
        return Examples(
            features=torch.from_numpy(arrays["features"][chosen].astype(np.float64)),
            labels=torch.from_numpy(arrays["labels"][chosen].astype(np.int64)),
            record_ids=tuple(arrays["record_ids"][chosen].tolist()),
            person_ids=tuple(arrays["person_ids"][chosen].tolist()),
        )
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
