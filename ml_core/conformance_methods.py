"""What is checked of an unlearning method on the toy problem of each family on which it claims to work.

The state of a model is everything its family stores, so that "unchanged" covers what ``named_tensors`` does not show.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from ml_core.conformance_scene import (
    Scene,
    differing,
    examples_sha256,
    global_state_kept,
    refusal,
    require,
    require_nobody_named,
    require_same,
)
from ml_core.contract import Assurance, Examples, Model, Need, Run, UnlearnData, UnlearnResult
from ml_core.digests import model_sha256s
from ml_core.errors import (
    AlreadyDeletedError,
    Cancelled,
    DataError,
    DeadlineExceededError,
    NeverTrainedError,
    NotApplicableError,
    UnlearningError,
)
from ml_core.plugins import Method

MethodCheck = Callable[[Method[Any], Scene], None]
#: A run is stopped before at most this many of its steps, evenly spread.
MOST_STOPS = 12


class _Stranger:
    """A model of a family that no method names."""

    family = "a_family_that_does_not_exist"

    def named_tensors(self) -> dict[str, Tensor]:
        return {}


def refuses_an_unsuitable_family(method: Method[Any], scene: Scene) -> None:
    """Reasons, and NotApplicableError instead of an attempt."""
    data, config = scene.unlearn_data(method), method.config()
    reasons = method.reasons_against(_Stranger(), data, config)
    require(bool(reasons) and all(reasons), "it gives no reason against a model of a family that it does not name")
    message = refusal(
        NotApplicableError, lambda: method.apply(_Stranger(), data, config, scene.run()), "a model of another family"
    )
    require(bool(message), "it refuses a model of another family without a word")


def forgetting_changes_the_answers(method: Method[Any], scene: Scene) -> None:
    """At least one loss on the forget records differs; a method that does nothing is none."""
    model = scene.copy()
    _unlearn(method, scene, model)
    before = scene.family.losses(scene.before, scene.forget)
    after = scene.family.losses(model, scene.forget)
    require(not torch.equal(before, after), "every loss on the forget records is what it was before")


def same_seed_same_weights(method: Method[Any], scene: Scene) -> None:
    """Two runs from one seed leave one state."""
    first, second = scene.copy(), scene.copy()
    _unlearn(method, scene, first)
    _unlearn(method, scene, second)
    require_same(scene.state(first), scene.state(second), "a second run with the same seed")


def touched_is_what_changed(method: Method[Any], scene: Scene) -> None:
    """``touched`` lists, sorted, exactly the named tensors whose bytes changed."""
    model = scene.copy()
    before = model_sha256s(model)
    result = _unlearn(method, scene, model)
    changed = differing(before, model_sha256s(model))
    require(list(result.touched) == changed, f"it reports {list(result.touched)}, and {changed} changed")


def empty_forget_set_changes_nothing(method: Method[Any], scene: Scene) -> None:
    """No record to forget: no change of state, nothing touched."""
    model = scene.copy()
    state = scene.state(model)
    result = _unlearn(method, scene, model, scene.forget.subset([]))
    require_same(state, scene.state(model), "forgetting nothing")
    require(not result.touched, f"it forgot nothing and reports {list(result.touched)} as touched")


def input_data_is_unchanged(method: Method[Any], scene: Scene) -> None:
    """The examples it is given are still what they were."""
    data = scene.unlearn_data(method)
    sets = {"forget": data.forget} | ({} if data.retain is None else {"retain": data.retain})
    before = {name: examples_sha256(examples) for name, examples in sets.items()}
    method.apply(scene.copy(), data, method.config(), scene.run())
    require_same(before, {name: examples_sha256(examples) for name, examples in sets.items()}, "the method")


def global_state_is_unchanged(method: Method[Any], scene: Scene) -> None:
    """``run.generator`` is the only randomness; defaults of the process stay."""
    model = scene.copy()
    with global_state_kept("the method"):
        _unlearn(method, scene, model)


def other_copies_are_unchanged(method: Method[Any], scene: Scene) -> None:
    """The model's original, and a copy of it, keep their state."""
    model, sibling = scene.copy(), scene.copy()
    states = scene.state(scene.before), scene.state(sibling)
    _unlearn(method, scene, model)
    require_same(states[0], scene.state(scene.before), "unlearning a copy")
    require_same(states[1], scene.state(sibling), "unlearning another copy")


def honours_cancellation(method: Method[Any], scene: Scene) -> None:
    """Cancelled before any of its steps, it stops and the model is as it was."""
    n_steps = _count_steps(method, scene)
    require(n_steps > 0, "it never calls run.step, so it cannot be cancelled")
    for stop in sorted({n_steps * part // MOST_STOPS for part in range(MOST_STOPS)} | {n_steps - 1}):
        run = scene.run(is_cancelled=_true_after(stop))
        _require_stopped(method, scene, run, Cancelled, f"cancelled before step {stop + 1} of {n_steps}")


def honours_the_deadline(method: Method[Any], scene: Scene) -> None:
    """Out of time at the start or after its first step, it stops and the model is as it was."""
    past = scene.run(deadline_at=time.monotonic() - 1)
    _require_stopped(method, scene, past, DeadlineExceededError, "a deadline in the past")
    if _count_steps(method, scene) > 1:
        soon = time.monotonic() + 0.05
        slow = scene.run(deadline_at=soon, progress=lambda *_: time.sleep(max(0.0, soon + 0.01 - time.monotonic())))
        _require_stopped(method, scene, slow, DeadlineExceededError, "a deadline that passes on the way")


def result_is_json_and_names_nobody(method: Method[Any], scene: Scene) -> None:
    """What it reports can be stored and signed, and holds no id; its counts are those of the data."""
    data = scene.unlearn_data(method)
    result = method.apply(scene.copy(), data, method.config(), scene.run())
    require_nobody_named(json.dumps(result.to_dict(), allow_nan=False), scene.toy.train)
    n_retain = 0 if data.retain is None else len(data.retain)
    for kind, n_seen, n_given in (
        ("forget", result.n_forget_seen, len(data.forget)),
        ("retain", result.n_retain_seen, n_retain),
    ):
        require(0 <= n_seen <= n_given, f"it reports {n_seen} {kind} records seen, of {n_given} given")
    require(result.n_forget_seen > 0, "it reports that it saw no forget record")


def unlearned_model_survives_storage(method: Method[Any], scene: Scene) -> None:
    """Saved, loaded and saved again, the unlearned model has the same bytes."""
    model = scene.copy()
    _unlearn(method, scene, model)
    with TemporaryDirectory() as folder:
        scene.family.save(model, Path(folder))
        loaded = scene.family.load(Path(folder), scene.device)
    require_same(scene.state(model), scene.state(loaded), "storing the unlearned model")
    require_same(model_sha256s(model), model_sha256s(loaded), "storing the unlearned model")


def refuses_a_record_never_trained(method: Method[Any], scene: Scene) -> None:
    """A stranger's record, alone or among trained ones: NeverTrainedError, and the model is as it was."""
    stranger = scene.toy.never_trained
    for forget in (stranger, _joined(scene.forget, stranger)):
        _require_refused(method, scene, scene.copy(), forget, NeverTrainedError, "a record never trained on")


def refuses_a_record_already_deleted(method: Method[Any], scene: Scene) -> None:
    """A record forgotten before, alone or among others: AlreadyDeletedError, and the model is as it was."""
    model, first = scene.copy(), scene.forget.subset(scene.forget.record_ids[:1])
    _unlearn(method, scene, model, first)
    for forget in (first, scene.forget):
        _require_refused(method, scene, model, forget, AlreadyDeletedError, "a record deleted before", first.record_ids)


def exact_equals_retraining(method: Method[Any], scene: Scene) -> None:
    """All records at once, or one person after another: every named tensor has the bytes of the retrained one's."""
    at_once, one_by_one = scene.copy(), scene.copy()
    _unlearn(method, scene, at_once)
    gone: list[str] = []
    for person in dict.fromkeys(reversed(scene.forget.person_ids)):
        forget = scene.forget.of_persons([person])
        _unlearn(method, scene, one_by_one, forget, gone)
        gone += forget.record_ids
    wanted = model_sha256s(scene.reference)
    for model, how in ((at_once, "all at once"), (one_by_one, "one person after another")):
        different = differing(wanted, model_sha256s(model))
        require(not different, f"forgetting {how}: {', '.join(different)} differ from retraining")


def refuses_other_retain_records(method: Method[Any], scene: Scene) -> None:
    """One record that remains left out, or a stranger's added: DataError, and the model is as it was."""
    right = scene.retain
    wrong = {
        "a record left out": right.subset(right.record_ids[1:]),
        "one added": _joined(right, scene.toy.never_trained),
    }
    for what, retain in wrong.items():
        model = scene.copy()
        state, data = scene.state(model), UnlearnData(forget=scene.forget, retain=retain)
        message = refusal(DataError, partial(method.apply, model, data, method.config(), scene.run()), what)
        require_same(state, scene.state(model), f"refusing retain records with {what}")
        require_nobody_named(message, retain)


ALWAYS: tuple[MethodCheck, ...] = (
    forgetting_changes_the_answers,
    same_seed_same_weights,
    touched_is_what_changed,
    empty_forget_set_changes_nothing,
    input_data_is_unchanged,
    global_state_is_unchanged,
    other_copies_are_unchanged,
    honours_cancellation,
    honours_the_deadline,
    result_is_json_and_names_nobody,
    unlearned_model_survives_storage,
)
FOR_NAMED_FAMILIES: tuple[MethodCheck, ...] = (refuses_an_unsuitable_family,)
FOR_EXACT: tuple[MethodCheck, ...] = (
    refuses_a_record_never_trained,
    refuses_a_record_already_deleted,
    exact_equals_retraining,
)
FOR_EXACT_ON_RETAIN: tuple[MethodCheck, ...] = (refuses_other_retain_records,)


def method_checks(method: Method[Any], *, any_family: bool) -> tuple[MethodCheck, ...]:
    """The checks that apply: refusing records rests on membership, which exactness requires."""
    is_exact = method.assurance is Assurance.EXACT
    return (
        *(() if any_family else FOR_NAMED_FAMILIES),
        *ALWAYS,
        *(FOR_EXACT if is_exact else ()),
        *(FOR_EXACT_ON_RETAIN if is_exact and Need.RETAIN_DATA in method.needs else ()),
    )


def _unlearn(
    method: Method[Any], scene: Scene, model: Model, forget: Examples | None = None, gone: Sequence[str] = ()
) -> UnlearnResult:
    return method.apply(model, scene.unlearn_data(method, forget, gone), method.config(), scene.run())


def _count_steps(method: Method[Any], scene: Scene) -> int:
    seen: list[float] = []
    data = scene.unlearn_data(method)
    method.apply(scene.copy(), data, method.config(), scene.run(progress=lambda fraction, _: seen.append(fraction)))
    return len(seen)


def _true_after(n_calls: int) -> Callable[[], bool]:
    calls = count()
    return lambda: next(calls) >= n_calls


def _require_stopped(
    method: Method[Any], scene: Scene, run: Run, error_class: type[UnlearningError], what: str
) -> None:
    model = scene.copy()
    state = scene.state(model)
    refusal(error_class, partial(method.apply, model, scene.unlearn_data(method), method.config(), run), what)
    require_same(state, scene.state(model), f"{what}, the method")


def _require_refused(
    method: Method[Any],
    scene: Scene,
    model: Model,
    forget: Examples,
    error_class: type[UnlearningError],
    what: str,
    gone: Sequence[str] = (),
) -> None:
    state = scene.state(model)
    message = refusal(error_class, lambda: _unlearn(method, scene, model, forget, gone), what)
    require_same(state, scene.state(model), f"refusing {what}")
    require_nobody_named(message, forget)


def _joined(first: Examples, second: Examples) -> Examples:
    return Examples(
        features=torch.cat([first.features, second.features]),
        labels=torch.cat([first.labels, second.labels]),
        record_ids=first.record_ids + second.record_ids,
        person_ids=first.person_ids + second.person_ids,
    )
