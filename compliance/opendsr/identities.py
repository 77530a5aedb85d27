"""How a person is named in a request. An identity's value is personal data and stays out of every `repr`.

Source: OpenDSR 2.0, section 5.
"""

import re
from dataclasses import dataclass, field

from compliance.opendsr.errors import MessageError, Reason
from compliance.opendsr.members import Members
from compliance.opendsr.vocabulary import IdentityFormat, IdentityType

_N_DIGITS = {IdentityFormat.MD5: 32, IdentityFormat.SHA1: 40, IdentityFormat.SHA256: 64}
_HEX = re.compile(r"[0-9a-f]*")


@dataclass(frozen=True, order=True)
class IdentityKind:
    """A pair that a processor can look up, as discovery lists them."""

    type: IdentityType
    format: IdentityFormat

    def to_dict(self) -> dict[str, str]:
        """The members of the pair."""
        return {"identity_type": self.type.value, "identity_format": self.format.value}


@dataclass(frozen=True)
class Identity:
    """One identifier of the person. A digest is kept in lower case, a raw value exactly as it was sent."""

    kind: IdentityKind
    value: str = field(repr=False)

    def to_dict(self) -> dict[str, str]:
        """The members of the identity object."""
        return {**self.kind.to_dict(), "identity_value": self.value}


def parse_kind(members: Members) -> IdentityKind:
    """The pair of type and format; raises MessageError."""
    return IdentityKind(
        members.choice("identity_type", IdentityType), members.choice("identity_format", IdentityFormat)
    )


def parse(members: Members) -> Identity:
    """An identity object with exactly its three members; raises MessageError.

    A further member could say how the value is to be read (a salt, a country), so it is not passed over.
    """
    members.refuse_unknown(("identity_type", "identity_value", "identity_format"))
    kind = parse_kind(members)
    value = members.text("identity_value")
    n_digits = _N_DIGITS.get(kind.format)
    if n_digits is None:
        return Identity(kind, value)
    digits = value.lower()
    if len(value) != n_digits or not _HEX.fullmatch(digits):
        expected = f"{n_digits} hexadecimal digits, as identity_format is {kind.format.value}"
        raise MessageError(members.name_of("identity_value"), Reason.WRONG_VALUE, expected)
    return Identity(kind, digits)
