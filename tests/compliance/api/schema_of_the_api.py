"""The schema, as the service makes it, and its operations one by one."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator


@dataclass(frozen=True)
class Operation:
    """One method of one address, and what the schema says of it."""

    method: str
    path: str
    described: dict[str, Any]

    @property
    def name(self) -> str:
        """As people write it."""
        return f"{self.method} {self.path}"

    @property
    def refusals(self) -> set[int]:
        """The statuses of 400 and above."""
        return {int(status) for status in self.described["responses"] if int(status) >= 400}


@cache
def schema() -> dict[str, Any]:
    """The whole; nobody may change it."""
    generator: Any = SchemaGenerator
    with GENERATOR_STATS.silence():
        return dict(generator().get_schema(request=None, public=True))


def operations() -> list[Operation]:
    """In the order of the schema."""
    return [
        Operation(method.upper(), path, described)
        for path, methods in schema()["paths"].items()
        for method, described in methods.items()
    ]
