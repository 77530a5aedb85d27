"""Every run of every request against the register of models: one job for one target, from a version that there was.

A run is told by the entries of its request alone, disclosed or not. What one request cannot show is whether another
one says the same of the same job, and which request made the version that a run began from.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from compliance.evidence.chain import Chain, Link
from compliance.evidence.errors import CompletionError, JobMismatchError, PolicyOrderError, SwappedModelError
from compliance.evidence.position import Position
from compliance.evidence.registry_events import Registry

_FAILED = "failed"


class Released(NamedTuple):
    """A completion, and the versions that it names (hex SHA-256): its own, and those of other requests that went into
    service with it."""

    position: Position
    request: str
    versions: tuple[str, ...]


class ModelRun(NamedTuple):
    """One start of a job, and what came of it: the version that it made, and the entry with which that passed."""

    started: Position
    request: str
    job: str
    target: str
    model: str
    before_sha256: str
    after_sha256: str | None
    recorded: Position | None
    passed: Position | None


def runs_of(chain: Chain) -> list[ModelRun]:
    """The runs of one request.

    Raises JobMismatchError for a job with two results or two beginnings, PolicyOrderError for a result of a job that had
    not begun, or a judgement of one that had no result.
    """
    recorded, judged = _by_run(chain, "job.recorded"), _by_run(chain, "findings.recorded")
    if not recorded and not judged and not chain.all("job.started"):
        return []
    starts: dict[tuple[str, str], list[Link]] = defaultdict(list)
    for link in chain.all("job.started"):
        starts[_run_of(link)].append(link)
    _refuse_first(recorded, {run: links[0] for run, links in starts.items()})
    _refuse_first(judged, recorded)
    return [_run(link, recorded.get(run), judged.get(run)) for run, links in starts.items() for link in links]


def released_by(chain: Chain) -> list[Released]:
    """What the completion of this request names, if there is one."""
    completed = chain.completed
    if completed is None:
        return []
    versions = tuple(completed.event.texts("versions"))
    return [Released(completed.position, str(completed.event.request), versions)]


def _run(started: Link, recorded: Link | None, judged: Link | None) -> ModelRun:
    facts = started.event.facts
    has_passed = judged is not None and judged.event.facts["verdict"] != _FAILED
    return ModelRun(
        started=started.position,
        request=str(started.event.request),
        job=str(facts["job"]),
        target=str(facts["target"]),
        model=str(facts["model"]),
        before_sha256=str(facts["before_sha256"]),
        after_sha256=None if recorded is None else recorded.event.text("after_sha256"),
        recorded=None if recorded is None else recorded.position,
        passed=judged.position if judged is not None and has_passed else None,
    )


def _run_of(link: Link) -> tuple[str, str]:
    return str(link.event.facts["job"]), str(link.event.facts["target"])


def _by_run(chain: Chain, event_type: str) -> dict[tuple[str, str], Link]:
    """The one event of a type that each run has."""
    links: dict[tuple[str, str], Link] = {}
    for link in chain.all(event_type):
        first = links.setdefault(_run_of(link), link)
        if first is not link:
            raise JobMismatchError(
                f"Entry {link.position} ({event_type}) repeats entry {first.position} of the same job."
            )
    return links


def _refuse_first(later: Mapping[tuple[str, str], Link], earlier: Mapping[tuple[str, str], Link]) -> None:
    for run, link in later.items():
        before = earlier.get(run)
        if before is None or before.position > link.position:
            raise PolicyOrderError(
                f"Entry {link.position} ({link.event.type}) is about the job {run[0]}, which had not come that far."
            )


def refuse_contradictory(runs: Iterable[ModelRun], released: Iterable[Released], registry: Registry) -> None:
    """Raises JobMismatchError where a job stands for two targets; SwappedModelError where a run began from a version that
    the model did not have, or made one that was released before; CompletionError where a completion names one that no run
    had made."""
    ordered = sorted(runs, key=lambda run: (run.started.log, run.started.index))
    completions = list(released)
    _refuse_shared_jobs(ordered)
    since, last = _versions(ordered, completions, registry)
    _refuse_unmade(completions, ordered)
    _refuse_shared_results(completions, ordered)
    for run in ordered:
        had_from = since.get((run.model, run.before_sha256))
        if had_from is None or had_from > run.started:
            raise _wrong(
                run,
                f"began from {run.before_sha256[:16]}…, which was no version of the model {run.model} then: neither "
                "registered, nor made by a run that passed",
            )
    _refuse_destroyed(ordered, registry, last)


def _refuse_shared_jobs(runs: Iterable[ModelRun]) -> None:
    owners: dict[str, ModelRun] = {}
    for run in runs:
        owner = owners.setdefault(run.job, run)
        if (owner.request, owner.target, owner.model) != (run.request, run.target, run.model):
            raise JobMismatchError(
                f"Request {run.request}: the job {run.job} (entry {run.started}) is the job of target {owner.target} of "
                f"the request {owner.request}; a job changes one model for one request."
            )


def _versions(
    runs: Iterable[ModelRun], released: Iterable[Released], registry: Registry
) -> tuple[dict[tuple[str, str], Position], dict[tuple[str, str], Position]]:
    """From which entry on a version of a model could be built upon: registered, or made by a run that passed; and with
    which entry it last passed.

    A version may be made again until a completion names it: a restored backup knows nothing of versions that were made
    since and not released, and the same method makes the same bytes of the same version.
    """
    since = {(version.model, version.sha256): version.position for version in registry.first}
    registered, last = set(since), dict(since)
    named = _first_named(released)
    jobs: dict[tuple[str, str], str] = {}
    for run in runs:
        if run.passed is None or run.after_sha256 is None:
            continue
        version = (run.model, run.after_sha256)
        is_again = jobs.setdefault(version, run.job) != run.job
        if version in registered or (is_again and named.get(run.after_sha256, run.passed) < run.passed):
            raise _wrong(run, f"made {run.after_sha256[:16]}…, which the model {run.model} had already")
        since[version] = min(run.passed, since.get(version, run.passed))
        last[version] = max(run.passed, last.get(version, run.passed))
    return since, last


def _first_named(released: Iterable[Released]) -> dict[str, Position]:
    """The first completion that names a version."""
    first: dict[str, Position] = {}
    for completion in released:
        for sha256 in completion.versions:
            first[sha256] = min(completion.position, first.get(sha256, completion.position))
    return first


def _refuse_unmade(released: Iterable[Released], runs: Iterable[ModelRun]) -> None:
    """A completion may name a version of another request, which went into service with it: one that had passed."""
    passed: dict[str, Position] = {}
    for run in runs:
        if run.passed is not None and run.after_sha256 is not None:
            passed[run.after_sha256] = min(run.passed, passed.get(run.after_sha256, run.passed))
    for completion in released:
        for sha256 in completion.versions:
            if passed.get(sha256, completion.position) >= completion.position:
                raise CompletionError(
                    f"Request {completion.request}: entry {completion.position} names the version {sha256[:16]}…, which no "
                    "run had made and passed then."
                )


def _refuse_shared_results(released: Iterable[Released], runs: Iterable[ModelRun]) -> None:
    """Of two requests that made the same version only one may be completed on it as its own."""
    named = {completion.request: set(completion.versions) for completion in released}
    owners: dict[tuple[str, str], str] = {}
    for run in runs:
        if run.passed is None or run.after_sha256 is None or run.after_sha256 not in named.get(run.request, ()):
            continue
        if owners.setdefault((run.model, run.after_sha256), run.request) != run.request:
            raise _wrong(run, f"made {run.after_sha256[:16]}…, on which another request was completed")


def _refuse_destroyed(runs: Sequence[ModelRun], registry: Registry, last: Mapping[tuple[str, str], Position]) -> None:
    """What was destroyed must have been there before, and nothing can be made of it afterwards."""
    made = {(version.model, version.sha256): version.position for version in registry.first}
    for run in runs:
        if run.recorded is not None and run.after_sha256 is not None:
            version = (run.model, run.after_sha256)
            made[version] = min(run.recorded, made.get(version, run.recorded))
    ends: dict[tuple[str, str], Position] = {}
    for position, model, sha256 in registry.destroyed:
        if made.get((model, sha256), position) >= position:
            raise SwappedModelError(
                f"Entry {position} destroys {sha256[:16]}…, which was no version of the model {model} then."
            )
        # One that was made again is another matter: what counts is an end after it last came into being.
        if position > last.get((model, sha256), position):
            ends[model, sha256] = min(position, ends.get((model, sha256), position))
    for run in runs:
        end = ends.get((run.model, run.before_sha256))
        if run.recorded is not None and end is not None and end < run.started:
            raise _wrong(run, f"began from {run.before_sha256[:16]}…, which entry {end} says was destroyed")


def _wrong(run: ModelRun, what: str) -> SwappedModelError:
    return SwappedModelError(f"Request {run.request}: the run at entry {run.started} {what}.")
