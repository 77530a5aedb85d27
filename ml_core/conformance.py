"""Checks that every plug-in must pass, found by asking the catalogue; anyone may run them on plug-ins of their own.

    for check in checks(discover([Path("my_plugins")])):
        check.run()

No check names a plug-in. A method or audit may declare ``exempt``, a check's name to the reason why it cannot apply.
An exemption is strict: the check is run all the same, and if it passes, the exemption is what fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from ml_core.conformance_audits import audit_checks
from ml_core.conformance_cards import CARD_CHECKS, Plugin, families_of
from ml_core.conformance_families import FAMILY_CHECKS, FamilyCheck
from ml_core.conformance_methods import method_checks
from ml_core.conformance_scene import Scene, Scenes, require
from ml_core.contract import ANY_FAMILY
from ml_core.errors import ConformanceError
from ml_core.plugins import Audit, Method
from ml_core.registry import Catalogue

EXEMPTIONS = "exemptions_have_a_check_and_a_reason"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check of one plug-in. kind: method, audit or family. aspect: what is checked. exempt: the reason, or empty."""

    kind: str
    plugin: str
    aspect: str
    examine: Callable[[], None]
    exempt: str = ""

    @property
    def name(self) -> str:
        """For example ``method[acu-same_seed_same_weights]``."""
        return f"{self.kind}[{self.plugin}-{self.aspect}]"

    def run(self) -> str:
        """Returns an empty string, or the reason for which the plug-in is exempt. Raises ConformanceError."""
        try:
            self.examine()
        except ConformanceError as error:
            if self.exempt:
                return self.exempt
            raise ConformanceError(f"{self.name}: {error}") from error
        except Exception as error:  # a plug-in may raise anything; no exemption covers a crash
            raise ConformanceError(f"{self.name}: {type(error).__name__}: {error}") from error
        if self.exempt:
            raise ConformanceError(f"{self.name}: it passes, so it needs no exemption; remove that")
        return ""


def checks(catalogue: Catalogue, device: torch.device | None = None) -> Iterator[Check]:
    """Every check of every method, audit and family. device: where the toy problems run; the CPU when None.

    Nothing is trained before the first check runs. Raises nothing: what is wrong appears when a check is run.
    """
    scenes = Scenes(catalogue, device or torch.device("cpu"))
    for name, method in sorted(catalogue.methods.items()):
        examiners = {
            check.__name__: partial(_on_each_family, scenes, method, partial(check, method))
            for check in method_checks(method, any_family=ANY_FAMILY in method.families)
        }
        yield from _of_plugin("method", name, method, catalogue, examiners)
    for name, audit in sorted(catalogue.audits.items()):
        examiners = {
            check.__name__: partial(_on_each_family, scenes, audit, partial(check, audit))
            for check in audit_checks(audit)
        }
        yield from _of_plugin("audit", name, audit, catalogue, examiners)
    for name in sorted(catalogue.families):
        audits = [audit for audit in catalogue.audits.values() if name in families_of(audit, catalogue)]
        for check in FAMILY_CHECKS:
            examine = partial(_on_scene, scenes, name, audits, check)
            yield Check(kind="family", plugin=name, aspect=check.__name__, examine=examine)


def _of_plugin(
    kind: str,
    name: str,
    plugin: Method[Any] | Audit[Any],
    catalogue: Catalogue,
    on_families: dict[str, partial[None]],
) -> Iterator[Check]:
    on_card = {check.__name__: partial(check, name, plugin, catalogue) for check in CARD_CHECKS}
    examiners = on_card | on_families
    yield Check(
        kind=kind, plugin=name, aspect=EXEMPTIONS, examine=partial(_exemptions_are_stated, plugin, set(examiners))
    )
    for aspect, examine in examiners.items():
        yield Check(kind=kind, plugin=name, aspect=aspect, examine=examine, exempt=plugin.exempt.get(aspect, ""))


def _exemptions_are_stated(plugin: Plugin, aspects: set[str]) -> None:
    unknown = sorted(set(plugin.exempt) - aspects)
    require(not unknown, f"exempt names checks that it has not: {unknown}")
    silent = sorted(aspect for aspect, reason in plugin.exempt.items() if not reason.strip())
    require(not silent, f"exempt gives no reason for {silent}")


def _on_each_family(scenes: Scenes, plugin: Plugin, check: Callable[[Scene], None]) -> None:
    names = families_of(plugin, scenes.catalogue)
    require(bool(names), "there is no family on which it could be tried")
    for name in names:
        try:
            check(scenes.of(name))
        except ConformanceError as error:
            raise ConformanceError(f"on {name}: {error}") from error


def _on_scene(scenes: Scenes, name: str, audits: Sequence[Audit[Any]], check: FamilyCheck) -> None:
    check(scenes.of(name), audits)
