"""The allow-list of leaves as regular expressions over their canonical bytes: what an auditor of a whole log needs.

A canonical leaf has one order of keys and no spaces, and no allowed value needs an escape, so each event type is one
expression. It says yes to exactly the leaves that building them again would give; leaf.py explains every no.
"""

import re
from collections.abc import Mapping

_UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
_VALUES = {
    "sha256": '"[0-9a-f]{64}"',
    "uuid": f'"{_UUID4}"',
    "time": f'"{_TIME}"',
    # Fifteen digits are always below 2**53; leaf.py looks at the few longer ones.
    "count": "(?:0|[1-9][0-9]{0,14})",
}
_TYPE_KEY = b'"type":"'


def compiled(
    facts: Mapping[str, Mapping[str, str]],
    words: Mapping[str, frozenset[str]],
    patterns: Mapping[str, str],
    *,
    without_request: frozenset[str],
    first: str,
) -> Mapping[bytes, re.Pattern[bytes]]:
    """Event type → expression that matches its leaves as a whole.

    `words` and `patterns` say what values of further kinds are; the words of the kind `role` are those of actors.
    """
    listed = {kind: f'"(?:{"|".join(map(re.escape, sorted(known)))})"' for kind, known in words.items()}
    values = _VALUES | listed | {kind: f'"{pattern}"' for kind, pattern in patterns.items()}
    return {
        name.encode(): re.compile(
            (
                rf'\{{"actor":\{{"id":"{_UUID4}","role":{values["role"]}\}},"at":"{_TIME}",'
                rf'"facts":\{{{_facts(kinds, values)}\}},{_head(name, without_request, first)},'
                rf'"type":"{re.escape(name)}","v":1\}}'
            ).encode()
        )
        for name, kinds in facts.items()
    }


def is_canonical(leaf: bytes, patterns: Mapping[bytes, re.Pattern[bytes]]) -> bool:
    """Whether these bytes are a leaf of the allow-list. No is no verdict: a count of 16 digits needs a closer look."""
    start = leaf.rfind(_TYPE_KEY) + len(_TYPE_KEY)
    pattern = patterns.get(leaf[start : leaf.find(b'"', start)])
    return pattern is not None and pattern.fullmatch(leaf) is not None


def _facts(kinds: Mapping[str, str], values: Mapping[str, str]) -> str:
    return ",".join(f'"{re.escape(fact)}":{_value(kinds[fact], values)}' for fact in sorted(kinds))


def _value(kind: str, values: Mapping[str, str]) -> str:
    item = kind.removeprefix("list of ")
    value = values[item]
    return value if item == kind else rf"\[(?:{value}(?:,{value})*)?\]"


def _head(name: str, without_request: frozenset[str], first: str) -> str:
    if name in without_request:
        return '"previous":null,"request":null'
    previous = "null" if name == first else _VALUES["sha256"]
    return f'"previous":{previous},"request":"{_UUID4}"'
