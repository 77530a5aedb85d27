"""What completions release, over all requests of an export: versions that passed, each made for one completed request."""

import dataclasses
from collections.abc import Callable

import pytest

from compliance.evidence.errors import ExitCode
from compliance.evidence.leaf import Event

from .registered import RegisteredLedger, RegisteredStory
from .story import STEPS, Part
from .test_export_register import Teller, digest, teller

__all__ = ["teller"]
OPEN = STEPS[: STEPS.index("complete")]
Edit = Callable[[Event], Event]


def naming(*versions: str) -> Edit:
    """The completion names these versions besides its own."""

    def edit(event: Event) -> Event:
        if event.type != "request.completed":
            return event
        return event._replace(facts=dict(event.facts) | {"versions": [*event.texts("versions"), *versions]})

    return edit


def leaving_out(event: Event) -> Event:
    """The completion names one of its versions twice, and another not at all."""
    if event.type != "request.completed":
        return event
    first, *_ = event.texts("versions")
    return event._replace(facts=dict(event.facts) | {"versions": [first, first]})


def results_of(first: RegisteredStory) -> type[RegisteredStory]:
    """A story whose runs begin and end with the same versions as those of the first one, in jobs of its own."""

    class Again(RegisteredStory):
        def new_parts(self) -> tuple[Part, ...]:
            return tuple(
                dataclasses.replace(own, before=other.before, after=other.after)
                for own, other in zip(super().new_parts(), first.parts, strict=True)
            )

    return Again


Break = Callable[[Teller, RegisteredLedger], object]


def names_what_passes_later(teller: Teller, ledger: RegisteredLedger) -> None:
    later = teller.story(teller.ledger(), number=5)
    teller.story(ledger, number=3, event=naming(later.parts[0].after_sha256))
    teller.story(ledger, number=5)


def is_completed_on_what_another_was(teller: Teller, ledger: RegisteredLedger) -> None:
    """Both had passed before either was completed."""
    first = teller.story(ledger, number=3, steps=OPEN)
    teller.story(ledger, results_of(first), number=5)
    first.complete()


def repeats_what_was_released(teller: Teller, ledger: RegisteredLedger) -> None:
    first = teller.story(ledger, number=3)
    teller.story(ledger, results_of(first), number=5)


BREAKS: dict[str, tuple[Break, ExitCode]] = {
    "names a version that no run made": (
        lambda teller, ledger: teller.story(ledger, event=naming("0" * 64)),
        ExitCode.COMPLETION_MISMATCH,
    ),
    "names a version that was registered": (
        lambda teller, ledger: teller.story(ledger, event=naming(digest(next(iter(ledger.heads.values()))))),
        ExitCode.COMPLETION_MISMATCH,
    ),
    "leaves a version of its own out": (
        lambda teller, ledger: teller.story(ledger, event=leaving_out),
        ExitCode.COMPLETION_MISMATCH,
    ),
    "names a version that passes later": (names_what_passes_later, ExitCode.COMPLETION_MISMATCH),
    "is completed on what another was completed on": (is_completed_on_what_another_was, ExitCode.SWAPPED_MODEL),
    "makes again what was released": (repeats_what_was_released, ExitCode.SWAPPED_MODEL),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_completion_is_refused_that(name: str, teller: Teller) -> None:
    make, code = BREAKS[name]
    ledger = teller.ledger()
    make(teller, ledger)
    assert teller.code(ledger) is code


def test_a_disclosed_completion_that_leaves_out_a_version_of_its_own_is_refused(teller: Teller) -> None:
    ledger = teller.ledger()
    story = teller.story(ledger, event=leaving_out)
    assert teller.code(ledger, story) is ExitCode.COMPLETION_MISMATCH


@pytest.mark.parametrize("is_disclosed", [False, True])
def test_a_version_of_another_request_that_had_passed_may_go_into_service_with_it(
    teller: Teller, is_disclosed: bool
) -> None:
    ledger = teller.ledger()
    first = teller.story(ledger, number=3, steps=OPEN)
    second = teller.story(ledger, number=5, event=naming(first.parts[0].after_sha256))
    assert teller.code(ledger, *([second] if is_disclosed else [])) is ExitCode.VERIFIED


def test_what_was_made_and_not_released_may_be_made_again_after_a_restore(teller: Teller) -> None:
    """Its request was lost: the person asked again."""
    ledger = teller.ledger()
    lost = teller.story(ledger, number=3, steps=OPEN)
    again = teller.story(ledger, results_of(lost), number=5)
    assert teller.code(ledger) is ExitCode.VERIFIED
    assert teller.code(ledger, again) is ExitCode.VERIFIED
