"""The allow-list of leaves as regular expressions over their canonical bytes: what an auditor of a whole log needs.

A canonical leaf has one order of keys and no spaces, and no allowed value needs an escape, so each event type is one
expression, with a group for each value. It says yes to exactly the leaves that building them again would give; leaf.py
explains every no.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

_UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_SHA256 = "[0-9a-f]{64}"
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
# Fifteen digits are always below 2**53; leaf.py looks at the few longer ones.
_COUNT = "0|[1-9][0-9]{0,14}"
_TYPE_KEY = b'"type":"'


class Values(NamedTuple):
    """What a leaf holds, read but for the time; `previous` and `request` are None where the leaf says null."""

    type: str
    request: str | None
    previous: str | None
    at: str
    actor_role: str
    actor_id: str
    facts: Mapping[str, str | int | list[str]]


@dataclass(frozen=True)
class LeafPattern:
    """One event type: its expression, its facts in order, and how those are read that are no strings."""

    type: str
    expression: re.Pattern[str]
    facts: tuple[str, ...]
    readers: Mapping[str, Callable[[str], int | list[str]]]

    def read(self, leaf: bytes) -> Values | None:
        """The values of a leaf, None where it is none of this type."""
        try:
            match = self.expression.fullmatch(leaf.decode("ascii"))
        except UnicodeDecodeError:
            return None
        if match is None:
            return None
        actor_id, role, at, *found, previous, request = match.groups()
        facts: dict[str, str | int | list[str]] = dict(zip(self.facts, found, strict=True))
        for fact, reader in self.readers.items():
            facts[fact] = reader(str(facts[fact]))
        return Values(self.type, request or None, previous or None, at, role, actor_id, facts)


def compiled(
    facts: Mapping[str, Mapping[str, str]],
    words: Mapping[str, frozenset[str]],
    patterns: Mapping[str, str],
    *,
    without_request: frozenset[str],
    first: str,
) -> Mapping[bytes, LeafPattern]:
    """Event type → what reads its leaves.

    `words` and `patterns` say what values of further kinds are; the words of the kind `role` are those of actors.
    """
    listed = {kind: "|".join(map(re.escape, sorted(known))) for kind, known in words.items()}
    values = {"sha256": _SHA256, "uuid": _UUID4, "time": _TIME, "count": _COUNT} | listed | dict(patterns)
    return {
        name.encode(): LeafPattern(
            type=name,
            expression=re.compile(
                rf'\{{"actor":\{{"id":"({_UUID4})","role":"({values["role"]})"\}},"at":"({_TIME})",'
                rf'"facts":\{{{_facts(kinds, values)}\}},{_head(name, without_request, first)},'
                rf'"type":"{re.escape(name)}","v":1\}}',
                re.ASCII,
            ),
            facts=tuple(sorted(kinds)),
            readers={fact: _READERS[_shape(kind)] for fact, kind in kinds.items() if _shape(kind) in _READERS},
        )
        for name, kinds in facts.items()
    }


def read(leaf: bytes, patterns: Mapping[bytes, LeafPattern]) -> Values | None:
    """What a leaf of the allow-list holds. None is no verdict: a count of 16 digits needs a closer look."""
    start = leaf.rfind(_TYPE_KEY) + len(_TYPE_KEY)
    pattern = patterns.get(leaf[start : leaf.find(b'"', start)])
    return None if pattern is None else pattern.read(leaf)


def _shape(kind: str) -> str:
    return "list" if kind.startswith("list of ") else kind


def _split(text: str) -> list[str]:
    return text[1:-1].split('","') if text else []


_READERS: Mapping[str, Callable[[str], int | list[str]]] = {"count": int, "list": _split}


def _facts(kinds: Mapping[str, str], values: Mapping[str, str]) -> str:
    return ",".join(f'"{re.escape(fact)}":{_value(kinds[fact], values)}' for fact in sorted(kinds))


def _value(kind: str, values: Mapping[str, str]) -> str:
    value = values[kind.removeprefix("list of ")]
    if kind == "count":
        return f"({value})"
    return f'"({value})"' if _shape(kind) != "list" else rf'\[((?:"(?:{value})"(?:,"(?:{value})")*)?)\]'


def _head(name: str, without_request: frozenset[str], first: str) -> str:
    """Two groups, empty where null stands."""
    if name in without_request:
        return '"previous":null(),"request":null()'
    previous = "null()" if name == first else f'"({_SHA256})"'
    return f'"previous":{previous},"request":"({_UUID4})"'
