"""The requests of an export, judged one by one, on as many cores as there are, and then against each other.

A process that judges is forked, so that it shares the logs without copying them, and sends back one short line for
each request with its runs, or the refusal of the first that is wrong.
"""

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import NamedTuple, Self

from compliance.evidence import chain as chains
from compliance.evidence import model_runs, registry_events, undisclosed
from compliance.evidence.conclusions import state_of
from compliance.evidence.errors import CompletionError, EvidenceError
from compliance.evidence.export_folder import model_name, policy_name
from compliance.evidence.export_report import RequestLine
from compliance.evidence.export_requests import Export, judge_request
from compliance.evidence.model_runs import ModelRun, Released
from compliance.evidence.position import Position

_CHUNK = 200
# More than any machine has cores to spare, and few enough to be started at once.
_MAX_PROCESSES = 64


class JudgingError(EvidenceError):
    """The verifier could not finish, so that nothing is said about the evidence."""

    meaning = "the verifier itself failed: not verified"
    remedy = "Verify again with `--processes 1`, or on a machine with more memory."


class Judgement(NamedTuple):
    """Requests that hold: their lines for the report, the shared files they account for, the evidence that was read, the
    evidence that undisclosed requests rest on, runs of models, what completions released, and requests whose scope was
    overtaken by a registration.
    """

    lines: list[RequestLine]
    files: set[str]
    evidence: set[Position]
    relied_on: list[Position]
    runs: list[ModelRun]
    released: list[Released]
    overtaken: list[str]

    @classmethod
    def empty(cls) -> Self:
        """Of no request."""
        return cls([], set(), set(), [], [], [], [])

    def add(self, other: Self) -> None:
        """Take in what was judged elsewhere."""
        self.lines.extend(other.lines)
        self.files.update(other.files)
        self.evidence.update(other.evidence)
        self.relied_on.extend(other.relied_on)
        self.runs.extend(other.runs)
        self.released.extend(other.released)
        self.overtaken.extend(other.overtaken)


def judge_all(export: Export, n_processes: int | None = None) -> Judgement:
    """Judge every request of the logs, as they were received; raises the EvidenceError of one that is wrong.

    Raises JudgingError when a process that judges is killed.
    """
    # In the order of the log, processes do not work on the same pages of memory, which would have to be copied.
    requests = list(export.entries.of_requests)
    chunks = [requests[at : at + _CHUNK] for at in range(0, len(requests), _CHUNK)]
    n_processes = min(n_processes or os.cpu_count() or 1, len(chunks), _MAX_PROCESSES)
    if n_processes < 2 or "fork" not in multiprocessing.get_all_start_methods():
        total = _judge_chunk(export, requests)
    else:
        total = _judge_in_processes(export, chunks, n_processes)
    model_runs.refuse_contradictory(total.runs, total.released, export.registry)
    _refuse_shared_evidence(total)
    return total


_shared: list[Export] = []


def _judge_in_processes(export: Export, chunks: Sequence[Sequence[str]], n_processes: int) -> Judgement:
    total, context = Judgement.empty(), multiprocessing.get_context("fork")
    try:
        with ProcessPoolExecutor(n_processes, context, initializer=_share, initargs=(export,)) as pool:
            for judgement in pool.map(_judge_shared, chunks):
                total.add(judgement)
    except BrokenProcessPool as error:
        raise JudgingError("A process that judged requests was killed, perhaps because memory ran out.") from error
    return total


def _share(export: Export) -> None:
    _shared[:] = [export]


def _judge_shared(requests: Sequence[str]) -> Judgement:
    return _judge_chunk(_shared[0], requests)


def _judge_chunk(export: Export, requests: Sequence[str]) -> Judgement:
    total = Judgement.empty()
    for request in requests:
        try:
            if request in export.folder.requests:
                _judge_disclosed(export, request, total)
            else:
                _judge_undisclosed(export, request, total)
        except EvidenceError as error:
            # The auditor must learn which of many requests it was.
            raise type(error)(f"Request {request}: {error}") from error
    return total


def _judge_undisclosed(export: Export, request: str, total: Judgement) -> None:
    chain = chains.read(request, export.events(request))
    total.lines.append(RequestLine(request, state_of(chain), len(chain.links), 0, False))
    if undisclosed.is_about_no_model(chain):
        return
    registry_events.refuse_too_many_targets(chain, export.registry)
    runs = model_runs.runs_of(chain)
    total.relied_on.extend(undisclosed.refuse_unsupported(chain, runs, export.find_evidence))
    total.runs.extend(runs)
    total.released.extend(model_runs.released_by(chain))


def _judge_disclosed(export: Export, request: str, total: Judgement) -> None:
    judged = judge_request(export, request)
    registry_events.refuse_too_many_targets(judged.chain, export.registry)
    if registry_events.refuse_other_register(judged, export.registry):
        total.overtaken.append(request)
    total.runs.extend(model_runs.runs_of(judged.chain))
    total.released.extend(model_runs.released_by(judged.chain))
    n_entries, n_signatures = len(judged.record.entries), len(judged.signatures)
    total.lines.append(RequestLine(request, state_of(judged.chain), n_entries, n_signatures, True))
    for item in judged.proven:
        total.files.update((model_name(item.facts.before_sha256), model_name(item.facts.after_sha256)))
    if judged.policy.sha256:
        total.files.add(policy_name(judged.policy.sha256))
    total.evidence.update(signed.position for signed in judged.signatures)


def _refuse_shared_evidence(total: Judgement) -> None:
    """Evidence is about one request, whether or not that is disclosed."""
    seen = set(total.evidence)
    for position in total.relied_on:
        if position in seen:
            raise CompletionError(f"Two requests rest on the evidence at entry {position}.")
        seen.add(position)
