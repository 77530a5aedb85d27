"""How values lie in a shared cache: as JSON. Whoever can write to that server must not be able to run code here."""

import json
from typing import Any


class JSONSerializer:
    """The `serializer` of Django's RedisCache. Whole numbers stay bare, so that the server can count them up."""

    def dumps(self, value: Any) -> bytes | int:
        """A value as it is stored; raises TypeError for what JSON does not hold."""
        if type(value) is int:
            return value
        return json.dumps(value).encode()

    def loads(self, data: bytes) -> Any:
        """The value; raises ValueError."""
        return json.loads(data)
