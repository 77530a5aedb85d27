"""Every single change of a JSON document: each value replaced, each member or item taken away, doubled or joined."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

Path = tuple[str | int, ...]
Edited = tuple[str, Path, Any]


def every_change(document: Any, replace: Callable[[Any], Any]) -> Iterator[Edited]:
    """(kind of change, where, the changed document). `replace` makes another value of the same type."""
    for path, value in _walk(document):
        if not isinstance(value, dict | list):
            yield "replaced", path, _edited(document, path, replace(value))
        if isinstance(value, dict):
            yield "joined", path, _edited(document, path, {**value, "note": ""})
        if isinstance(value, list) and value:
            yield "doubled", path, _edited(document, path, [*value, value[-1]])
        if path:
            yield "taken away", path, _without(document, path)


def name_of(path: Path) -> str:
    """The last name on the way to a value."""
    return next(step for step in reversed(path) if isinstance(step, str))


def _walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    yield path, value
    steps: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        steps = list(value.items())
    elif isinstance(value, list):
        steps = list(enumerate(value))
    for step, member in steps:
        yield from _walk(member, (*path, step))


def _edited(document: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(document)
    _holder(changed, path)[path[-1]] = value
    return changed


def _without(document: Any, path: Path) -> Any:
    changed = copy.deepcopy(document)
    del _holder(changed, path)[path[-1]]
    return changed


def _holder(document: Any, path: Path) -> Any:
    for step in path[:-1]:
        document = document[step]
    return document
