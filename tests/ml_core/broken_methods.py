"""Broken methods: what is wrong with each, the text of its file, and every check that has to catch it."""

from tests.ml_core.broken_plugins import EXEMPTIONS, METHOD, OF_ANY_KIND, Row


def method(body: str, **replaced: object) -> str:
    return METHOD.broken(body).source(**replaced)


def method_then(change: str, **replaced: object) -> str:
    """An honest method that does something more whenever it has forgotten something."""
    body = f"result = honest(model, data, run)\nif len(data.forget):\n    {change}\nreturn result"
    return method(body, **replaced)


def method_run(replaced: str) -> str:
    """An honest method under other circumstances than it was told."""
    return method(f"return honest(model, data, dataclasses.replace(run, {replaced}))")


def method_on(error: str, then: str) -> str:
    """An honest method that treats one refusal in its own way."""
    return method(f"try:\n    return honest(model, data, run)\nexcept errors.{error}:\n    {then}")


DEAF = "is_cancelled=lambda: False, deadline_at=None"

BROKEN_METHODS: list[Row] = [
    *((name, METHOD.source(**replaced), caught) for name, replaced, caught in OF_ANY_KIND),
    (
        "exempt without a reason",
        METHOD.source(exempt={"same_seed_same_weights": " "}),
        *(EXEMPTIONS, "same_seed_same_weights"),
    ),
    (
        "gives no reason against another family",
        METHOD.source() + "\n\nmethod.reasons_against = lambda model, data, config: []\n",
        "refuses_an_unsuitable_family",
    ),
    (
        "does nothing",
        method('run.step(0.0, "nothing")\nreturn nothing_done(data)', assurance="APPROXIMATE"),
        "forgetting_changes_the_answers",
    ),
    (
        "random by the machine",
        method_then("model.weight[0, 0] += noise()", assurance="APPROXIMATE"),
        "same_seed_same_weights",
    ),
    (
        "random by the global generator",
        method_then("model.weight[0, 0] += torch.rand(1).item()", assurance="APPROXIMATE"),
        *("same_seed_same_weights", "global_state_is_unchanged"),
    ),
    ("seeds the global generator", method_then("torch.manual_seed(0)"), "global_state_is_unchanged"),
    (
        "leaves a tensor out of touched",
        method_then("return dataclasses.replace(result, touched=result.touched[:-1])"),
        "touched_is_what_changed",
    ),
    (
        "touched not in order",
        method_then("return dataclasses.replace(result, touched=result.touched[::-1])"),
        "touched_is_what_changed",
    ),
    (
        "touched without having changed anything",
        method('return dataclasses.replace(honest(model, data, run), touched=("gram", "moments", "weight"))'),
        "empty_forget_set_changes_nothing",
    ),
    (
        "changes a model that has nothing to forget",
        method("result = honest(model, data, run)\nmodel.weight = model.weight * (1 if len(data.forget) else 2)")
        + "    return result\n",
        "empty_forget_set_changes_nothing",
    ),
    ("changes its data", method_then("data.forget.features.mul_(1 + 1e-13)"), "input_data_is_unchanged"),
    (
        "changes what copies share",
        method_then("model.members.key[0] ^= 1", assurance="APPROXIMATE"),
        *("other_copies_are_unchanged", "same_seed_same_weights", "honours_cancellation", "honours_the_deadline"),
    ),
    ("deaf to cancellation", method_run("is_cancelled=lambda: False"), "honours_cancellation"),
    ("deaf to the deadline", method_run("deadline_at=None"), "honours_the_deadline"),
    (
        "takes no steps",
        method_run(f"{DEAF}, progress=lambda *report: None"),
        *("honours_cancellation", "honours_the_deadline"),
    ),
    ("asks only when all is done", method_then('run.step(1.0, "done")'), "honours_cancellation"),
    (
        "claims to be exact and is not, in the last digits",
        method_then("model.weight[0, 0] *= 1 + 1e-12"),
        "exact_equals_retraining",
    ),
    (
        "accepts strangers",
        method_on("NeverTrainedError", "return nothing_done(data)"),
        "refuses_a_record_never_trained",
    ),
    (
        "refuses a stranger and changes the model",
        method_on("NeverTrainedError", "model.weight = model.weight + 1\n    raise"),
        "refuses_a_record_never_trained",
    ),
    (
        "names the stranger",
        method_on("NeverTrainedError", "raise errors.NeverTrainedError(data.forget.record_ids[0])"),
        "refuses_a_record_never_trained",
    ),
    (
        "deletes twice",
        method_on("AlreadyDeletedError", "return nothing_done(data)"),
        "refuses_a_record_already_deleted",
    ),
    (
        "refuses with an error that says something else",
        method_on("AlreadyDeletedError", "raise errors.DataError('no')"),
        "refuses_a_record_already_deleted",
    ),
    (
        "names persons in its notes",
        method_then("return dataclasses.replace(result, notes=data.forget.person_ids)"),
        "result_is_json_and_names_nobody",
    ),
    (
        "reports what is not a number",
        method_then('return dataclasses.replace(result, guarantee_terms=dict(epsilon=float("nan")))'),
        "result_is_json_and_names_nobody",
    ),
    (
        "reports more records than it was given",
        method_then("return dataclasses.replace(result, n_forget_seen=1000)"),
        "result_is_json_and_names_nobody",
    ),
    (
        "reports that it saw no record",
        method_then("return dataclasses.replace(result, n_forget_seen=0)"),
        "result_is_json_and_names_nobody",
    ),
    (
        "leaves a model that cannot be loaded",
        method_then('model.weight[0, 0] = float("inf")', assurance="APPROXIMATE"),
        "unlearned_model_survives_storage",
    ),
]
