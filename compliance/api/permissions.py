"""Who may use a staff or audit address: holders of one of the roles it names; programs also need the scope of its area.
Checked before anything is read.

Next: compliance/ledger/actors.py
"""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from compliance.api.clients.scopes import Area, refuse_without
from compliance.ledger.actors import Actor, Role, RoleError, roles_of, staff


def any_of(*roles: Role, area: Area) -> type[BasePermission]:
    """A permission class that asks for one of these roles, and a client's token for the scope of the method.

    Use it after IsAuthenticated.
    """

    class HasOneRole(BasePermission):
        # The schema names the scope.
        opened_area = area

        def has_permission(self, request: Request, view: APIView) -> bool:
            refuse_without(area, request)
            held_role(request.user, *roles)
            return True

    return HasOneRole


def held_role(user: AbstractBaseUser | AnonymousUser, *roles: Role) -> Role:
    """The first of these roles that the account holds; raises RoleError when it holds none."""
    held = roles_of(user)
    for role in roles:
        if role in held:
            return role
    names = " or ".join(role.value for role in roles)
    raise RoleError(f"This needs the role {names}, which your account does not have. Ask an administrator.")


def acting_as(user: AbstractBaseUser | AnonymousUser, *roles: Role) -> Actor:
    """The account acting in the first of these roles that it holds; raises RoleError."""
    return staff(user, held_role(user, *roles))
