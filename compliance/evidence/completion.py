"""A completion against the entries before it: what they alone tell, whether or not anything was disclosed."""

from collections.abc import Iterable, Mapping
from typing import Any

from compliance.evidence.chain import Chain, Link
from compliance.evidence.errors import CompletionError, SameSignerError
from compliance.evidence.kept import Kept


def refuse_other_decision(chain: Chain, approved: Link, completed: Link) -> None:
    """The completion must be what the last decision led to, signed by somebody who decided nothing of it.

    Raises SameSignerError or CompletionError.
    """
    decided, kept = chain.kept(approved.position), chain.kept(completed.position)
    _refuse_same_signer(approved, completed, kept)
    _refuse_other_versions(chain, completed)
    _refuse_unfinished(chain, approved, completed)
    _refuse_other_models(approved, completed, decided, kept)
    _refuse_other_extent(completed, kept)


def versions_that_passed(events: Iterable[tuple[str, Mapping[str, Any]]]) -> frozenset[str]:
    """The versions (hex SHA-256) of the runs that were the last to be judged on their model, and passed, by the events of
    one request: type and facts of each, in their order.

    By model: after a restore, the same model may be another target of the same request.
    """
    models: dict[str, str] = {}
    made: dict[str, str] = {}
    passed: dict[str | None, str | None] = {}
    for event_type, facts in events:
        if event_type == "job.started":
            models[facts["job"]] = facts["model"]
        elif event_type == "job.recorded":
            made[facts["job"]] = facts["after_sha256"]
        elif event_type == "findings.recorded":
            model, is_failed = models.get(facts["job"]), facts["verdict"] == "failed"
            passed[model] = None if is_failed else made.get(facts["job"])
    return frozenset(version for version in passed.values() if version is not None)


def _refuse_other_versions(chain: Chain, completed: Link) -> None:
    """It names all versions that its own runs made and that passed, and none that did not pass.

    Beside them it names those of other requests that went into service with it: model_runs.py looks whether they were.
    """
    named = set(completed.event.texts("versions"))
    passed = versions_that_passed((link.event.type, link.event.facts) for link in chain.links)
    others = {link.event.text("after_sha256") for link in chain.all("job.recorded")} - passed
    if not passed <= named or others & named:
        raise CompletionError(
            f"Entry {completed.position} names {len(named)} versions; they are not exactly those that this request's "
            f"last runs made and that passed ({len(passed)}), beside versions of other requests."
        )


def _refuse_same_signer(approved: Link, completed: Link, kept: Kept) -> None:
    """Four eyes: an exception decides as much as an approval does."""
    signer = completed.event.actor_id
    decisions = {approved.position: ("approved", approved.event.actor_id)}
    decisions |= {each.position: ("excepted a model", each.actor_id) for each in kept.excepted.values()}
    for position, (what, actor_id) in decisions.items():
        if actor_id == signer:
            raise SameSignerError(
                f"The person {signer} {what} (entry {position}) and signed off (entry {completed.position})."
            )


def _refuse_unfinished(chain: Chain, approved: Link, completed: Link) -> None:
    planned, attention, retried = (
        chain.last(f"request.{event}", before=completed.position) for event in ("planned", "attention", "retried")
    )
    if planned is None or planned.position < approved.position:
        raise CompletionError(
            f"Entry {completed.position} completes what entry {approved.position} approved, for which no plan was made."
        )
    _refuse_undone(chain, planned, completed)
    answered = approved if retried is None else max(approved, retried, key=lambda link: link.position)
    if attention is not None and answered.position < attention.position:
        raise CompletionError(
            f"Entry {completed.position} completes a request that needed attention from entry {attention.position} on "
            f"({attention.event.text('reason')}): nobody approved it anew or let its work be repeated."
        )


def _refuse_undone(chain: Chain, planned: Link, completed: Link) -> None:
    """What the last plan set out to do was judged after it: a run that passed before is not one of its runs."""
    judged = {link.event.text("target") for link in chain.all("findings.recorded") if link.position > planned.position}
    n_planned = len(planned.event.texts("jobs"))
    if len(judged) < n_planned:
        raise CompletionError(
            f"Entry {planned.position} planned {n_planned} runs; {len(judged)} models were judged after it, and entry "
            f"{completed.position} completes the request."
        )


def _refuse_other_models(approved: Link, completed: Link, decided: Kept, kept: Kept) -> None:
    if decided.reasons != kept.reasons:
        raise CompletionError(
            f"Entry {completed.position} leaves out other models, or for other reasons, than were excepted when entry "
            f"{approved.position} approved the request: that takes a new approval."
        )
    if kept.held:
        raise CompletionError(
            f"Entry {completed.position} completes the request while the model {min(kept.held)} is on hold."
        )


def _refuse_other_extent(completed: Link, kept: Kept) -> None:
    if (completed.event.type == "request.partly_completed") != bool(kept.excepted):
        raise CompletionError(
            f"Entry {completed.position} says {completed.event.type}; {len(kept.excepted)} models are excepted."
        )
