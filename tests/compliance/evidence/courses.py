"""Requests that take more than one way to their end: models excepted, held and found later, decisions made anew.

The scope always says of exceptions what the entries say, so that a refusal is due to the course alone.
"""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from compliance.evidence import canonical
from compliance.evidence.leaf import FactValue

from .registered import RegisteredStory
from .story import DPO, MODEL_A, OPERATOR, SECOND_JOB_A, STEPS, SYSTEM, Part, some_id

KEPT, FOUND, TARGET_OF_FOUND, JOB_OF_FOUND = (some_id(number) for number in range(41, 45))
TO_REVIEW, DECIDE = STEPS[:3], ("approve", "plan")
RUN = ("start", "record", "find", "attach")
WORK = (*DECIDE, *RUN)


class CourseStory(RegisteredStory):
    """Two models hold the person from the beginning. KEPT can be excepted or held; FOUND is registered later."""

    def __init__(self, **told: Any) -> None:
        self.excepted: dict[str, str] = {}
        self.is_partial = False
        # What a run that is done again made at first.
        self.former: tuple[Part, ...] = ()
        super().__init__(**told)

    def shares(self) -> list[dict[str, Any]]:
        held = [share for share in super().shares() if share["model"] not in self.excepted]
        kept = [
            {"model": model, "n_records": 2, "forget_commitment": digit * 64, "exception": reason}
            for digit, (model, reason) in zip("789", self.excepted.items(), strict=False)
        ]
        return [*held, *kept]

    def log(self, event_type: str, role: str, actor: str, facts: Mapping[str, FactValue]) -> None:
        if event_type == "request.completed" and self.is_partial:
            event_type = "request.partly_completed"
        super().log(event_type, role, actor, facts)

    def complete_partly(self) -> None:
        self.is_partial = True
        self.complete()

    def leave_out(self) -> None:
        self._except(KEPT, "art17_3_e")

    def leave_out_otherwise(self) -> None:
        self._except(KEPT, "art17_3_a")

    def leave_out_another(self) -> None:
        self._except(FOUND, "art17_3_e")

    def leave_out_first(self) -> None:
        self._except(MODEL_A, "art17_3_e")

    def _except(self, model: str, reason: str) -> None:
        self.excepted[model] = reason
        self.log("request.model_excepted", "dpo", DPO, {"model": model, "reason": reason})

    def take_in(self) -> None:
        self.excepted.pop(KEPT, None)
        self.log("request.model_included", "dpo", DPO, {"model": KEPT})

    def hold(self) -> None:
        self._hold(KEPT)

    def hold_first(self) -> None:
        self._hold(MODEL_A)

    def _hold(self, model: str) -> None:
        self.log("request.model_held", "operator", OPERATOR, {"model": model, "reason": "legal_claims"})

    def release(self) -> None:
        self.log("request.model_released", "operator", OPERATOR, {"model": KEPT})

    def release_first(self) -> None:
        self.log("request.model_released", "operator", OPERATOR, {"model": MODEL_A})

    def see_scope_change(self) -> None:
        self.log("request.attention", "operator", OPERATOR, {"reason": "scope_changed"})

    def let_system_see_scope_change(self) -> None:
        self.log("request.attention", "system", SYSTEM, {"reason": "scope_changed"})

    def find_model(self) -> None:
        """A model that was registered meanwhile holds the person, too. The next steps are about it."""
        self.ledger.register(FOUND, "d")
        part = self._part(FOUND, self.ids.of(TARGET_OF_FOUND), self.ids.of(JOB_OF_FOUND), "d", is_conclusive=True)
        part = replace(part, before=self.ledger.heads[FOUND])
        self.parts, self.active = (*self.parts, part), (part,)

    def learn_again(self) -> None:
        """A later version of the first model learned the person anew: it gets another share, and another run."""
        first, *others = self.parts
        again = replace(
            first,
            job=self.ids.of(SECOND_JOB_A),
            before=first.after,
            after=canonical.dumps({"model": "a", "version": 99}),
            forget_commitment="6" * 64,
        )
        self.former, self.parts, self.active = (first,), (again, *others), (again,)

    def complete_as_before(self) -> None:
        """On the first run of the first model, although another one was decided on."""
        self.parts = (*self.former, *self.parts[1:])
        self.complete()

    def manifests(self) -> dict[str, bytes]:
        """Those of the models that were changed."""
        done = [part for part in (*self.former, *self.parts) if part.target in self.envelopes]
        return {sha256(held).hexdigest(): held for part in done for held in (part.before, part.after)}

    def plan_nothing(self) -> None:
        """What was approved anew was done already."""
        self.active = ()
        self.plan()
