"""Who may manage controllers: operators, data protection officers, and whoever has a shell on the server."""

from compliance.controllers.errors import ForbiddenActorError
from compliance.ledger.actors import Actor, Role

MANAGERS = frozenset({Role.OPERATOR, Role.DPO, Role.SYSTEM})


def refuse_unless_manager(actor: Actor) -> None:
    """Raises ForbiddenActorError."""
    if actor.role not in MANAGERS:
        names = ", ".join(sorted(role.value for role in MANAGERS))
        raise ForbiddenActorError(f"Controllers take the role {names}; you act as {actor.role.value}.")
