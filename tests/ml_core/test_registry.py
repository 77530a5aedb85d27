"""The catalogue: what stands in the folders, all of it or nothing."""

import sys
import textwrap
from pathlib import Path

import pytest
import torch
from torch import Tensor

import ml_core
from ml_core.errors import NotApplicableError, PluginError
from ml_core.families.analytic_classifier import TrainConfig, family
from ml_core.registry import FOLDERS, discover, family_of
from tests.ml_core.broken_plugins import AUDIT, METHOD
from tests.ml_core.datasets import new_run, random_examples


def plant(root: Path, kind: str, name: str, source: str) -> Path:
    path = root / FOLDERS[kind] / f"{name}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(textwrap.dedent(source), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("kind", "name", "source", "message"),
    [
        pytest.param("method", "slow", "raise RuntimeError('no GPU')", "RuntimeError: no GPU", id="fails on import"),
        pytest.param("method", "slow", "def f(:", "SyntaxError", id="is not Python"),
        pytest.param("method", "slow", "import no_such_library", "ModuleNotFoundError", id="lacks a library"),
        pytest.param("method", "slow", "", "expected a module-level 'method'", id="is empty"),
        pytest.param("method", "slow", "method = 'slow'", "made by its constructor", id="holds something else"),
        pytest.param("audit", "slow", METHOD.source(), "expected a module-level 'audit'", id="lies in a wrong folder"),
        pytest.param("family", "slow", "", "expected a module-level 'family'", id="family without an object"),
        pytest.param("family", "slow", "family = object()", "its family is called None", id="family without a name"),
        pytest.param("method", "Slow", METHOD.source(), "lower_snake", id="has a capital letter"),
        pytest.param("method", "s" * 33, METHOD.source(), "up to 32 characters", id="has a name of 33 letters"),
        pytest.param("method", "slow", METHOD.source(module="'json'"), "is called 'json'", id="has another name"),
        pytest.param("method", "slow", METHOD.source(module="'no'"), "pass __name__", id="names no module"),
        pytest.param("method", "acu", METHOD.source(), "the name 'acu' is taken", id="takes a method's name"),
        pytest.param("audit", "acu", AUDIT.source(), "the name 'acu' is taken", id="takes a name of another kind"),
        pytest.param(
            *("method", "slow", METHOD.source().replace("@method.unlearn", "")),
            *("nothing is decorated with @method.unlearn",),
            id="method without a function",
        ),
        pytest.param(
            *("audit", "slow", AUDIT.source().replace("@audit.run", "")),
            *("nothing is decorated with @audit.run",),
            id="audit without a function",
        ),
        pytest.param(
            *("method", "slow", METHOD.source().replace("Idea:", "Thought:")),
            *(r"lacks the headings \['Idea'\]",),
            id="lacks a heading",
        ),
        pytest.param(
            *("audit", "slow", AUDIT.source().replace("Smallest n: ten records.", "Smallest n:")),
            *(r"lacks the headings \['Smallest n'\]",),
            id="has a heading without text",
        ),
    ],
)
def test_the_whole_catalogue_is_refused_when_one_file(
    tmp_path: Path, kind: str, name: str, source: str, message: str
) -> None:
    path = plant(tmp_path, kind, name, source)
    with pytest.raises(PluginError, match=message) as refused:
        discover([tmp_path])
    assert str(path.with_suffix("")) in str(refused.value)


def test_it_refuses_a_package_for_a_plug_in(tmp_path: Path) -> None:
    package = tmp_path / "methods" / "large"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    with pytest.raises(PluginError, match="a plug-in is one file"):
        discover([tmp_path])


def test_it_refuses_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="no such folder of plug-ins"):
        discover([tmp_path / "typing-error"])


def test_a_file_that_fails_leaves_no_half_made_module_behind(tmp_path: Path) -> None:
    plant(tmp_path, "method", "slow", "started = True\nraise RuntimeError")
    with pytest.raises(PluginError):
        discover([tmp_path])
    assert [name for name, module in sys.modules.items() if str(tmp_path) in str(getattr(module, "__file__", ""))] == []


def test_it_finds_every_file_and_nothing_else() -> None:
    catalogue = discover()
    root = Path(ml_core.__file__).parent
    for kind, found in (("method", catalogue.methods), ("audit", catalogue.audits), ("family", catalogue.families)):
        stems = {path.stem for path in (root / FOLDERS[kind]).glob("*.py")} - {"__init__"}
        assert stems
        assert set(found) == stems


def test_every_method_and_audit_has_a_card() -> None:
    catalogue = discover()
    cards = {(card.kind, card.name) for card in catalogue.cards()}
    assert cards == {("method", name) for name in catalogue.methods} | {("audit", name) for name in catalogue.audits}


def test_it_finds_plug_ins_of_other_folders_beside_its_own(tmp_path: Path) -> None:
    plant(tmp_path, "method", "broken", METHOD.source())
    plant(tmp_path, "audit", "lenient", AUDIT.source())
    catalogue = discover([tmp_path])
    assert set(catalogue.methods) == {*discover().methods, "broken"}
    assert set(catalogue.audits) == {*discover().audits, "lenient"}


def test_a_file_is_imported_once(tmp_path: Path) -> None:
    """A second import would make second classes, and models of the first would no longer be recognised."""
    plant(tmp_path, "method", "broken", METHOD.source())
    assert discover([tmp_path]).methods["broken"] is discover([tmp_path]).methods["broken"]


def test_files_of_one_name_in_two_folders_are_told_apart(tmp_path: Path) -> None:
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        plant(tmp_path / folder, "method", "broken", METHOD.source())
    first, second = (discover([tmp_path / folder]).methods["broken"] for folder in ("first", "second"))
    assert first is not second
    with pytest.raises(PluginError, match="the name 'broken' is taken"):
        discover([tmp_path / "first", tmp_path / "second"])


def test_the_family_of_a_model_is_that_of_its_file() -> None:
    model = family.train(random_examples(0, 4), TrainConfig(width=2, n_classes=3), new_run())
    assert family_of(model) is family


class Homeless:
    """A model that is not defined beside its family."""

    family = "analytic_classifier"

    def named_tensors(self) -> dict[str, Tensor]:
        return {"weight": torch.zeros(1)}


def test_a_model_from_elsewhere_has_no_family() -> None:
    with pytest.raises(NotApplicableError, match="Homeless is not defined in the file of its family"):
        family_of(Homeless())
    model = family.train(random_examples(0, 4), TrainConfig(width=2, n_classes=3), new_run())
    model.family = "causal_lm"
    with pytest.raises(NotApplicableError, match="'causal_lm'"):
        family_of(model)
