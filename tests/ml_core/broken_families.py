"""Broken families: what is wrong with each, the text of its file, and every check that has to catch it."""

from tests.ml_core.broken_plugins import Row, family_source

ACCEPT = "audits_accept_a_retrained_model"
REJECT = tuple(f"audits_reject_the_{fake}_model" for fake in ("untouched", "noisy", "filtered"))
_KEY = "draw_key(run.generator)"
_LOSS = "return ((answered - wanted) ** 2).sum(dim=1)"
_READ = "stored = weights_folder.read_config(folder, NAME)"

BROKEN_FAMILIES: list[Row] = [
    (
        "models under another name",
        family_source("self.family = NAME\n        self.config", 'self.family = "other"\n        self.config'),
        *("name_is_its_file", ACCEPT, *REJECT),
    ),
    (
        "holdout of the trained persons",
        family_source('prefix="holdout"', 'prefix="train"'),
        *("toy_is_a_fair_test", ACCEPT),
    ),
    (
        "strangers who were trained on",
        family_source('prefix="stranger"', 'prefix="train"'),
        "toy_is_a_fair_test",
    ),
    (
        "nobody to forget",
        family_source('("train-person-0", "train-person-1")', "()"),
        *("toy_is_a_fair_test", ACCEPT),
    ),
    (
        "a toy that cannot be memorised",
        family_source("gamma=1e-3", "gamma=1e9"),
        *("toy_is_a_fair_test", ACCEPT),
    ),
    (
        "random by the machine",
        family_source(_KEY, 'torch.tensor(list(__import__("os").urandom(32)), dtype=torch.uint8)'),
        "same_seed_same_model",
    ),
    (
        "random by the global generator",
        family_source(_KEY, "torch.randint(0, 256, (32,)).to(torch.uint8)"),
        *("same_seed_same_model", "training_leaves_everything_else_alone"),
    ),
    (
        "copies that share tensors",
        family_source("tensor.clone()", "tensor"),
        "copies_are_independent",
    ),
    (
        "shows tensors that are not its own",
        family_source('"weight": self.weight}', '"weight": self.weight.clone()}'),
        "copies_are_independent",
    ),
    ("losses in single precision", family_source(_LOSS, f"{_LOSS}.float()"), "scores_every_record"),
    (
        "losses that depend on the records beside them",
        family_source(_LOSS, f"{_LOSS} / len(examples)"),
        "scores_every_record",
    ),
    (
        "one loss for all",
        family_source(_LOSS, f"{_LOSS}.mean(dim=0, keepdim=True)"),
        *("scores_every_record", ACCEPT, *REJECT),
    ),
    (
        "loads other weights than it stored",
        family_source(
            "_require_sound(tensors, folder.name)\n", 'tensors["weight"] = tensors["weight"] * (1 + 1e-15)\n'
        ),
        "storage_is_byte_for_byte",
    ),
    (
        "loads what lies beside a pickle",
        family_source(_READ, 'stored = __import__("json").loads((folder / "config.json").read_text())["config"]'),
        "storage_refuses_what_it_did_not_write",
    ),
    (
        "retrains nothing",
        family_source("return _fit(model.config, model.members.key, retain, run)", "return self.copy(before)"),
        "audits_accept_a_retrained_model",
    ),
]
