"""What opens a person's rows: the sealed bytes themselves, and the keys under them in clear. A copy of the first is an
opening for whoever has an old master key; of the second, for everybody."""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db.models import BinaryField

from compliance.requests import identities
from compliance.requests.models import SubjectVault
from tests.journey.marks import pieces

#: Sealed, too, but about no person.
NOBODYS = {"outbound.WebhookSecret"}
#: A draw of fewer random bytes could stand elsewhere by chance.
_FEWEST_BYTES = 16


@dataclass(frozen=True)
class Secret:
    """Random bytes that stand nowhere by chance."""

    name: str
    data: bytes

    def is_in(self, piece: bytes) -> bool:
        """As they are, or in the texts that programs make of bytes. `pieces` takes apart the others."""
        plain = base64.b64encode(self.data).rstrip(b"=")
        spellings = (
            self.data,
            self.data.hex().encode(),
            self.data.hex().upper().encode(),
            plain,
            plain.translate(bytes.maketrans(b"+/", b"-_")),
            repr(self.data)[2:-1].encode(),
        )
        return any(spelling in piece for spelling in spellings)


def columns() -> Iterator[Secret]:
    """Every sealed or wrapped value of every table but those about nobody. Nothing lists them: columns go by their names."""
    for model in apps.get_models():
        names = [field.name for field in model._meta.get_fields() if isinstance(field, BinaryField)]
        names = [name for name in names if name == "wrapped_key" or name.startswith("sealed_")]
        for row in model._default_manager.values(*names) if names and model._meta.label not in NOBODYS else ():
            for name, value in row.items():
                if len(value) >= _FEWEST_BYTES:
                    yield Secret(f"{model._meta.label}.{name}", bytes(value))


def keys() -> Iterator[Secret]:
    """In clear: the key of each vault row, and the one that opens its commitments."""
    for vault in SubjectVault.objects.filter(shredded_at=None):
        yield Secret("data key", identities._data_key(vault))
        yield Secret("commitment key", identities.commitment_key(vault))


def places_of(contents: dict[str, bytes], secrets: Iterable[Secret]) -> dict[str, set[str]]:
    """Which secrets are at which places."""
    sought, found = list(secrets), dict[str, set[str]]()
    for place, content in contents.items():
        for piece in pieces(content):
            for secret in sought:
                if secret.is_in(piece):
                    found.setdefault(place, set()).add(secret.name)
    return found
