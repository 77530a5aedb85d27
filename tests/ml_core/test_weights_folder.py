"""Weights on disk: the same bytes for the same model, and nothing that can run code is ever opened."""

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save
from torch import Tensor

from ml_core.errors import ArtifactError
from ml_core.weights_folder import CAN_RUN_CODE, read_config, read_family_name, read_tensors, write_weights

LAYOUT = {"weight": (torch.float64, (2, 3)), "flags": (torch.uint8, (4,))}
CPU = torch.device("cpu")


def tensors() -> dict[str, Tensor]:
    return {"weight": torch.arange(6.0, dtype=torch.float64).reshape(2, 3), "flags": torch.zeros(4, dtype=torch.uint8)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_weights(tmp_path / "weights", "a_family", {"gamma": 0.5}, tensors())
    return tmp_path / "weights"


def read(folder: Path) -> dict[str, Tensor]:
    read_config(folder, "a_family")
    return read_tensors(folder, LAYOUT, CPU)


class Payload:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, (str(self.mark),))


@pytest.mark.parametrize("suffix", sorted(CAN_RUN_CODE | {".PKL", ".Pt"}))
def test_it_refuses_a_file_that_can_run_code_and_does_not_open_it(folder: Path, suffix: str) -> None:
    mark = folder.parent / "was-run"
    (folder / f"weights{suffix}").write_bytes(pickle.dumps(Payload(mark)))
    with pytest.raises(ArtifactError, match="could run code"):
        read(folder)
    assert not mark.exists()


def test_a_pickle_under_the_name_of_the_weights_is_not_run(folder: Path) -> None:
    mark = folder.parent / "was-run"
    (folder / "weights.safetensors").write_bytes(pickle.dumps(Payload(mark)))
    with pytest.raises(ArtifactError, match="not a readable safetensors file"):
        read(folder)
    assert not mark.exists()


def add_a_file(folder: Path) -> None:
    (folder / "notes.txt").write_text("hello", encoding="utf-8")


def remove_the_weights(folder: Path) -> None:
    (folder / "weights.safetensors").unlink()


def remove_the_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def make_the_weights_a_link(folder: Path) -> None:
    moved = (folder / "weights.safetensors").rename(folder.parent / "elsewhere")
    (folder / "weights.safetensors").symlink_to(moved)


def make_the_config_a_link(folder: Path) -> None:
    moved = (folder / "config.json").rename(folder.parent / "elsewhere")
    (folder / "config.json").symlink_to(moved)


def make_the_weights_a_folder(folder: Path) -> None:
    remove_the_weights(folder)
    (folder / "weights.safetensors").mkdir()


def make_the_weights_a_pipe(folder: Path) -> None:
    remove_the_weights(folder)
    os.mkfifo(folder / "weights.safetensors")


def cut_the_weights(folder: Path) -> None:
    whole = (folder / "weights.safetensors").read_bytes()
    (folder / "weights.safetensors").write_bytes(whole[:-1])


def empty_the_weights(folder: Path) -> None:
    (folder / "weights.safetensors").write_bytes(b"")


def store(folder: Path, replaced: dict[str, Tensor]) -> None:
    (folder / "weights.safetensors").write_bytes(save(replaced))


def another_shape(folder: Path) -> None:
    store(folder, tensors() | {"weight": torch.zeros(3, 2, dtype=torch.float64)})


def another_type(folder: Path) -> None:
    store(folder, tensors() | {"weight": torch.zeros(2, 3)})


def a_tensor_too_many(folder: Path) -> None:
    store(folder, tensors() | {"extra": torch.zeros(1)})


def a_tensor_too_few(folder: Path) -> None:
    store(folder, {"weight": tensors()["weight"]})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(add_a_file, "expected exactly", id="unknown file"),
        pytest.param(remove_the_weights, "expected exactly", id="no weights"),
        pytest.param(remove_the_config, "expected exactly", id="no config"),
        pytest.param(make_the_weights_a_link, "links and folders", id="link to weights"),
        pytest.param(make_the_config_a_link, "links and folders", id="link to a config"),
        pytest.param(make_the_weights_a_folder, "links and folders", id="folder"),
        pytest.param(make_the_weights_a_pipe, "links and folders", id="pipe"),
        pytest.param(cut_the_weights, "not a readable safetensors", id="truncated"),
        pytest.param(empty_the_weights, "not a readable safetensors", id="empty"),
        pytest.param(another_shape, r"must be torch.float64 \(2, 3\), found .* \(3, 2\)", id="wrong shape"),
        pytest.param(another_type, "must be torch.float64 .* found torch.float32", id="wrong type"),
        pytest.param(a_tensor_too_many, "expected tensors", id="tensor too many"),
        pytest.param(a_tensor_too_few, "expected tensors", id="tensor too few"),
    ],
)
def test_it_refuses_a_folder_with(folder: Path, spoil: Callable[[Path], None], message: str) -> None:
    spoil(folder)
    with pytest.raises(ArtifactError, match=message):
        read(folder)


SOUND = {"config": {"gamma": 0.5}, "family": "a_family", "format": 1}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut JSON"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param(b"[" * 100_000, id="nested beyond reason"),
        pytest.param(b'{"format":' + b"1" * 5000 + b"}", id="number beyond reason"),
        pytest.param(b"[]", id="list"),
        pytest.param(json.dumps({**SOUND, "extra": 1}).encode(), id="member too many"),
        pytest.param(json.dumps({"config": {}, "format": 1}).encode(), id="member too few"),
        pytest.param(json.dumps({**SOUND, "format": 2}).encode(), id="later format"),
        pytest.param(json.dumps({**SOUND, "format": True}).encode(), id="truth value for the format"),
        pytest.param(json.dumps({**SOUND, "config": []}).encode(), id="config is a list"),
        pytest.param(json.dumps({**SOUND, "family": ["a_family"]}).encode(), id="family is a list"),
    ],
)
def test_it_refuses_a_config(folder: Path, content: bytes) -> None:
    (folder / "config.json").write_bytes(content)
    for reader in (read, read_family_name):
        with pytest.raises(ArtifactError, match=r"config\.json"):
            reader(folder)


def test_it_refuses_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no such folder"):
        read(tmp_path / "nowhere")


def test_it_refuses_weights_of_another_family(folder: Path) -> None:
    assert read_family_name(folder) == "a_family"
    with pytest.raises(ArtifactError, match="expected family 'another', found 'a_family'"):
        read_config(folder, "another")


def test_it_refuses_to_write_where_something_is(folder: Path) -> None:
    before = (folder / "weights.safetensors").read_bytes()
    with pytest.raises(ArtifactError, match="never overwritten"):
        write_weights(folder, "a_family", {"gamma": 0.5}, {"weight": torch.ones(1)})
    assert (folder / "weights.safetensors").read_bytes() == before


def test_it_refuses_to_write_a_config_that_is_not_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write_weights(tmp_path / "weights", "a_family", {"gamma": float("nan")}, tensors())
    assert not list((tmp_path / "weights").iterdir())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), name=st.sampled_from(["weights.safetensors", "config.json"]))
def test_a_damaged_file_is_refused_or_still_well_formed(folder: Path, data: st.DataObject, name: str) -> None:
    whole = (folder / name).read_bytes()
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    (folder / name).write_bytes(damaged)
    try:
        assert {key: tuple(tensor.shape) for key, tensor in read(folder).items()} == {"weight": (2, 3), "flags": (4,)}
    except ArtifactError:
        pass
    finally:
        (folder / name).write_bytes(whole)


def test_what_is_written_is_read_back(folder: Path) -> None:
    assert read_config(folder, "a_family") == {"gamma": 0.5}
    for name, tensor in read(folder).items():
        assert torch.equal(tensor, tensors()[name])


def test_bytes_do_not_depend_on_order_or_layout(folder: Path, tmp_path: Path) -> None:
    turned = {"weight": tensors()["weight"].T.contiguous().T, "flags": tensors()["flags"]}
    write_weights(tmp_path / "again", "a_family", {"gamma": 0.5}, dict(reversed(turned.items())))
    for name in ("weights.safetensors", "config.json"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()
