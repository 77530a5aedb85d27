"""Models that only look as if they had forgotten: what the audits of a family, taken together, must reject.

No single audit sees through every fake, which is why a policy asks for several:

- The untouched model is the model before. Every audit must fail it by itself.
- The noisy model is the model before with a little noise on each learned tensor, as a fine-tune of no consequence
  leaves it. An audit that looks for *some* difference from before is fooled; comparing answers or tensors with
  retraining is not.
- The filtered model has the weights of before and withholds its answers on the forget records. An audit of answers
  may be fooled, wholly by a filter that imitates retraining; comparing tensors with retraining is not.

The converse, tensors of a retrained model in front of answers from the old one, fools a comparison of tensors and
not an audit of answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch

from ml_core.conformance_scene import Scene
from ml_core.contract import Model, Verdict
from ml_core.plugins import Audit

#: Standard deviation of the noise, as a share of the root mean square of the tensor.
NOISE = 1e-3


def untouched_model(scene: Scene) -> Model:
    """The model before."""
    return scene.copy()


def noisy_model(scene: Scene) -> Model:
    """The model before with normal noise of ``NOISE`` times its own size on each floating tensor."""
    model, generator = scene.copy(), scene.run().generator
    with torch.no_grad():
        for _, tensor in sorted(model.named_tensors().items()):
            if tensor.is_floating_point():
                drawn = torch.randn(tensor.shape, generator=generator, dtype=torch.float64)
                tensor.add_((drawn * NOISE * tensor.double().square().mean().sqrt().cpu()).to(tensor))
    return model


def filtered_model(scene: Scene) -> Model:
    """The model before behind the family's own filter of answers."""
    return scene.toy.output_filter(scene.copy(), scene.forget)


FAKES: Mapping[str, Callable[[Scene], Model]] = MappingProxyType(
    {make.__name__: make for make in (untouched_model, noisy_model, filtered_model)}
)


def verdicts(audits: Sequence[Audit[Any]], scene: Scene, after: Model) -> dict[str, Verdict]:
    """What each audit, with its default configuration, says of ``after``; by name of audit."""
    data = scene.audit_data()
    return {audit.name: audit.apply(scene.before, after, data, audit.config(), scene.run()).verdict for audit in audits}


def is_accepted(found: Mapping[str, Verdict]) -> bool:
    """Whether there is a verdict, and every one is a pass."""
    return bool(found) and all(verdict is Verdict.PASS for verdict in found.values())
