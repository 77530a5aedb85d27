"""Our extension of a create request: what the core protocol has no member for.

`extensions: {"<our domain>": {"ground": "art17_1_c", "locale": "de"}}`, both optional: on which point of Art. 17(1)
GDPR the person relies, and the language of letters to the person. Anything else under our domain is refused.
"""

from dataclasses import dataclass

from compliance.opendsr.creation import CreateRequest
from compliance.opendsr.errors import MessageError, Reason
from compliance.opendsr.members import Members
from compliance.requests.choices import LOCALES
from compliance.requests.models import Ground

MEMBERS = ("ground", "locale")


@dataclass(frozen=True)
class Wishes:
    """What was asked beyond the core."""

    ground: str = Ground.CONSENT_WITHDRAWN.value
    locale: str = LOCALES[0]


def wishes_of(asked: CreateRequest) -> Wishes:
    """The wishes in the extension under our domain; raises MessageError."""
    own = Members("extensions", asked.extension)
    own.refuse_unknown(MEMBERS)
    return Wishes(
        ground=_one_of(own, "ground", Ground.values, Wishes.ground),
        locale=_one_of(own, "locale", LOCALES, Wishes.locale),
    )


def _one_of(own: Members, name: str, choices: tuple[str, ...] | list[str], default: str) -> str:
    if not own.has(name):
        return default
    value = own.text(name)
    if value not in choices:
        raise MessageError(own.name_of(name), Reason.WRONG_VALUE, f"one of {', '.join(choices)}")
    return value
