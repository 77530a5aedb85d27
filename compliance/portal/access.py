"""Who may open a page, and in which role somebody acts. Signed out: to the sign-in page. Wrong role: 403, with a reason."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from compliance.ledger.actors import STAFF_ROLES, Actor, Role, RoleError, roles_of, staff
from compliance.ledger.models import ActorPseudonym
from compliance.outbound.models import Delivery

Arguments = ParamSpec("Arguments")
PortalView = Callable[Concatenate[HttpRequest, "Viewer", Arguments], HttpResponseBase]
DjangoView = Callable[Concatenate[HttpRequest, Arguments], HttpResponseBase]

ROLE_NAMES = {Role.OPERATOR: "Operator", Role.DPO: "Data protection officer", Role.AUDITOR: "Auditor"}


@dataclass(frozen=True)
class Viewer:
    """The account that is signed in, with its roles, looked up once a request."""

    user: User
    roles: frozenset[Role]

    def has_any(self, roles: Collection[Role]) -> bool:
        """Whether the account holds one of these roles."""
        return not self.roles.isdisjoint(roles)

    def actor(self, roles: Collection[Role]) -> Actor:
        """The account acting in the first role it holds of those that may; raises RoleError when there is none."""
        for role in STAFF_ROLES:
            if role in self.roles and role in roles:
                return staff(self.user, role)
        raise RoleError(f"This takes one of the roles {', '.join(sorted(roles))}, which your account does not have.")

    def ledger_id(self) -> object:
        """The random id under which the account's acts stand in the ledger; None as long as it did nothing."""
        return ActorPseudonym.objects.filter(user=self.user).values_list("pseudonym", flat=True).first()

    @property
    def role_names(self) -> str:
        """For people to read."""
        return ", ".join(ROLE_NAMES[role] for role in STAFF_ROLES if role in self.roles)

    @property
    def may_see_models(self) -> bool:
        """Auditors see requests and the ledger only."""
        return self.has_any({Role.OPERATOR, Role.DPO})

    @cached_property
    def n_alarms(self) -> int:
        """Deliveries that were given up and that nobody looked at; 0 for those who cannot send them again. One query."""
        return Delivery.objects.filter(alarmed_at__isnull=False).count() if self.may_see_models else 0


def only_for(*roles: Role) -> Callable[[PortalView[Arguments]], DjangoView[Arguments]]:
    """Let a view be called by accounts with one of these roles; it receives the Viewer. Nothing of it is cached."""

    def decorate(view: PortalView[Arguments]) -> DjangoView[Arguments]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponseBase:
            # login_required has turned anonymous visitors away.
            user = cast(User, request.user)
            viewer = Viewer(user, roles_of(user))
            if not viewer.has_any(roles):
                return _refusal(request, viewer, roles)
            return view(request, viewer, *args, **kwargs)

        # What login_required returns takes the same arguments; its stubs only say "some view".
        return cast("DjangoView[Arguments]", never_cache(login_required(guarded)))

    return decorate


def _refusal(request: HttpRequest, viewer: Viewer, roles: Collection[Role]) -> HttpResponse:
    needed = " or ".join(ROLE_NAMES[role] for role in STAFF_ROLES if role in roles)
    context = {"viewer": viewer, "needed": needed}
    return render(request, "portal/no_role.html", context, status=403)
