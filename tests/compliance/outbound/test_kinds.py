"""Every kind of message keeps the contract; a file that does not is named."""

import ast
import inspect
import uuid
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from compliance.outbound import catalogue, kinds
from compliance.outbound.catalogue import Kind
from compliance.outbound.errors import KindError
from compliance.outbound.messages import Message
from compliance.outbound.models import Delivery

FOLDER = Path(kinds.__file__).parent
FILES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
HOOKS = ("is_wanted", "on_delivered", "on_gave_up")
RETURNS = {"render": Message, "is_wanted": bool, "on_delivered": None, "on_gave_up": None}
# Whoever sends, waits or keeps a body does the engine's work.
NOT_FOR_KINDS = {"socket", "ssl", "http", "urllib", "requests", "httpx2", "time", "threading", "subprocess"}


def module_of(**functions: object) -> ModuleType:
    module = ModuleType("pigeon")
    for name, function in functions.items():
        setattr(module, name, function)
    return module


BROKEN: dict[str, dict[str, object]] = {
    "nothing": {},
    "a message that is no function": {"render": Message(b"", {})},
    "a hook that is no function": {"render": lambda delivery: Message(b"", {}), "on_delivered": True},
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_breaks_the_contract_is_named(name: str) -> None:
    with pytest.raises(KindError, match="pigeon: expected a function"):
        catalogue.kind_of("pigeon", module_of(**BROKEN[name]))


def test_what_a_kind_leaves_out_is_always_wanted_and_does_nothing() -> None:
    kind = catalogue.kind_of("pigeon", module_of(render=lambda delivery: Message(b"", {})))
    delivery = _delivery("pigeon")
    assert kind.is_wanted(delivery) is True
    kind.on_delivered(delivery)
    kind.on_gave_up(delivery)


def test_every_file_is_found_under_its_name() -> None:
    assert sorted(catalogue.discover()) == FILES != []
    assert all(kind.name == name for name, kind in catalogue.discover().items())


@pytest.mark.parametrize("name", FILES)
def test_a_kind_says_what_it_is_and_has_the_signatures(name: str) -> None:
    kind = catalogue.find(name)
    module = inspect.getmodule(kind.render)
    assert module is not None and module.__doc__
    assert module.__name__ == f"{kinds.__name__}.{name}"
    for part, expected in RETURNS.items():
        function = getattr(kind, part)
        signature = inspect.signature(function, eval_str=True)
        assert [each.annotation for each in signature.parameters.values()] == [Delivery], part
        assert signature.return_annotation == expected, part
        assert function.__doc__, part


@pytest.mark.parametrize("name", FILES)
def test_a_kind_sends_nothing_itself(name: str) -> None:
    tree = ast.parse((FOLDER / f"{name}.py").read_text())
    named = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    named += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {each.split(".")[0] for each in named} & NOT_FOR_KINDS == set()


@pytest.mark.django_db
@pytest.mark.parametrize("name", FILES)
def test_a_kind_survives_a_subject_that_is_gone(name: str) -> None:
    """Rows may have been deleted since: it is not wanted any more, or rendering fails; nothing is sent."""
    kind: Kind = catalogue.find(name)
    delivery = _delivery(name)
    if kind.is_wanted(delivery):
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever a kind raises, the engine takes
            kind.render(delivery)
    kind.on_gave_up(delivery)


def _delivery(kind: str) -> Delivery:
    now = datetime.now(tz=UTC)
    return Delivery(kind=kind, subject_id=uuid.uuid4(), url="https://receiver.example/", created_at=now, give_up_at=now)
