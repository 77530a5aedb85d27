"""Training data on disk: read back as written, or refused with the name of what is wrong."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_core.contract import Examples
from ml_core.data import read_examples, write_examples
from ml_core.errors import DataError
from tests.ml_core.datasets import changed, in_order, random_examples

#: Text that any language may write in an id.
IDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)


def genuine() -> dict[str, Any]:
    return {
        "features": np.array([[0.0, 1.0], [0.5, 0.25], [1.0, 1.0]]),
        "labels": np.array([0, 1, 0]),
        "record_ids": np.array(["r0", "r1", "r2"]),
        "person_ids": np.array(["alice", "alice", "bob"]),
        "split": np.array(["train", "train", "holdout"]),
    }


def write(path: Path, **replaced: Any) -> Path:
    arrays = {**genuine(), **replaced}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


BAD_ARRAYS: list[tuple[str, dict[str, Any], str]] = [
    ("no labels", {"labels": None}, "expected arrays"),
    ("an array too many", {"names": np.array(["Alice"])}, "expected arrays"),
    (
        "whole-number features",
        {"features": np.zeros((3, 2), dtype=np.int64)},
        "features must be floating point with 2 dimensions, found int64",
    ),
    ("complex features", {"features": np.zeros((3, 2), dtype=np.complex128)}, "found complex128"),
    ("features of one dimension", {"features": np.zeros(3)}, "features must be floating point"),
    ("features of three dimensions", {"features": np.zeros((3, 2, 1))}, "features must be floating point"),
    ("fractional labels", {"labels": np.zeros(3)}, "labels must be whole numbers with 1 dimensions, found float64"),
    ("labels as truth values", {"labels": np.zeros(3, dtype=np.bool_)}, "found bool"),
    ("bytes as ids", {"record_ids": np.array([b"a", b"b", b"c"])}, "record_ids must be text"),
    ("one label", {"labels": np.array(0)}, "labels must be whole numbers"),
    ("fewer labels", {"labels": np.zeros(2, dtype=np.int64)}, "must have one length"),
    ("an unknown split", {"split": np.array(["train", "test", "holdout"])}, "found 1 other values"),
    ("a record twice", {"record_ids": np.array(["r0", "r0", "r2"])}, "record_ids must be unique"),
    ("a record in both splits", {"record_ids": np.array(["r0", "r1", "r0"])}, "record_ids must be unique"),
    ("a person in both splits", {"person_ids": np.array(["alice", "bob", "alice"])}, "1 persons are in both splits"),
    ("an empty id", {"person_ids": np.array(["alice", "", "bob"])}, "non-empty"),
    ("not a number", {"features": np.array([[0, 1], [0, np.nan], [1, 1]])}, "1 records have features"),
    ("infinite", {"features": np.array([[0, 1], [0, 1], [1, np.inf]])}, "1 records have features"),
    ("pickled objects", {"record_ids": np.array(["r0", "r1", {}], dtype=object)}, "npz file of plain arrays"),
]


@pytest.mark.parametrize(("replaced", "message"), [pytest.param(*row[1:], id=row[0]) for row in BAD_ARRAYS])
def test_it_refuses_arrays(tmp_path: Path, replaced: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message) as refused:
        read_examples(write(tmp_path / "data.npz", **replaced))
    assert not any(name in str(refused.value) for name in ("alice", "bob", "r0", "Alice"))


def archive_of(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def single_array() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"features,labels\n0,1\n", id="text"),
        pytest.param(b"\x80\x04N.", id="pickle"),
        pytest.param(single_array(), id="a single array"),
        pytest.param(archive_of({}), id="empty archive"),
        pytest.param(archive_of({f"{name}.npy": b"\x80\x04N." for name in genuine()}), id="archive of pickles"),
        pytest.param(archive_of({f"{name}.npy": b"" for name in genuine()}), id="archive of empty files"),
        pytest.param(archive_of(dict.fromkeys(genuine(), b"text")), id="archive of text"),
    ],
)
def test_it_refuses_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "data.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"data\.npz"):
        read_examples(tmp_path / "data.npz")


def test_it_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="FileNotFoundError"):
        read_examples(tmp_path / "data.npz")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_refused_or_still_well_formed(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(write(tmp_path / "whole.npz").read_bytes())
    if data.draw(st.booleans(), label="cut"):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "damaged.npz").write_bytes(content)
    try:
        splits = read_examples(tmp_path / "damaged.npz")
    except DataError:
        return
    assert set(splits) == {"train", "holdout"}


def test_it_refuses_to_write_an_unknown_split(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"found \['test'\]"):
        write_examples(tmp_path / "data.npz", {"test": random_examples(0, 2)})
    assert not (tmp_path / "data.npz").exists()


def require_same(first: Examples, second: Examples) -> None:
    assert torch.equal(first.features, second.features)
    assert torch.equal(first.labels, second.labels)
    assert (first.record_ids, first.person_ids) == (second.record_ids, second.person_ids)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ids=st.lists(IDS, min_size=4, max_size=4, unique=True),
    features=st.lists(st.floats(-1e9, 1e9), min_size=8, max_size=8),
)
def test_what_is_written_is_read_back(tmp_path: Path, ids: list[str], features: list[float]) -> None:
    written = Examples(
        features=torch.tensor(features, dtype=torch.float64).reshape(4, 2),
        labels=torch.tensor([3, 0, 2**40, 1]),
        record_ids=tuple(ids),
        person_ids=(ids[0], ids[0], ids[1], ids[1]),
    )
    splits = {"train": in_order(written, [0, 1]), "holdout": in_order(written, [2, 3])}
    write_examples(tmp_path / "data.npz", splits)
    for split, examples in read_examples(tmp_path / "data.npz").items():
        require_same(examples, splits[split])


def test_narrower_numbers_are_read_as_they_were(tmp_path: Path) -> None:
    narrow = random_examples(0, 4)
    narrow = changed(narrow, features=narrow.features.float())
    write_examples(tmp_path / "data.npz", {"train": narrow, "holdout": random_examples(0, 2, prefix="h")})
    read = read_examples(tmp_path / "data.npz")["train"]
    assert read.features.dtype == torch.float64
    assert torch.equal(read.features, narrow.features.double())


def test_a_split_may_be_empty(tmp_path: Path) -> None:
    train = random_examples(0, 4)
    write_examples(tmp_path / "data.npz", {"train": train})
    splits = read_examples(tmp_path / "data.npz")
    require_same(splits["train"], train)
    assert len(splits["holdout"]) == 0
