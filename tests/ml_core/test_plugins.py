"""A method and an audit as objects: what they refuse before any work, and what their card says."""

import dataclasses
import hashlib
from pathlib import Path

import pytest

from ml_core.audits import mia_loss
from ml_core.contract import AuditData, Need, UnlearnData
from ml_core.errors import NotApplicableError
from ml_core.families.analytic_classifier import AnalyticClassifier, TrainConfig, family
from ml_core.methods import acu
from ml_core.plugins import section
from ml_core.registry import discover
from tests.ml_core.broken_plugins import METHOD
from tests.ml_core.datasets import in_order, new_run, random_examples

EXAMPLES = random_examples(0, 10)


def trained() -> AnalyticClassifier:
    return family.train(EXAMPLES, TrainConfig(width=4, n_classes=3), new_run())


def of_another_family() -> AnalyticClassifier:
    model = trained()
    model.family = "causal_lm"
    return model


def test_a_method_refuses_a_family_that_it_does_not_name() -> None:
    data = UnlearnData(forget=in_order(EXAMPLES, [0]))
    reasons = acu.method.reasons_against(of_another_family(), data, acu.Config())
    assert reasons == ["acu works on ['analytic_classifier'], not on 'causal_lm'"]
    with pytest.raises(NotApplicableError, match="not on 'causal_lm'"):
        acu.method.apply(of_another_family(), data, acu.Config(), new_run())


def test_a_method_refuses_to_go_without_what_it_needs() -> None:
    needy = dataclasses.replace(acu.method, needs=(Need.RETAIN_DATA,))
    forget = in_order(EXAMPLES, [0])
    alone = UnlearnData(forget=forget)
    assert needy.reasons_against(trained(), alone, acu.Config()) == ["acu needs the retain records; supply them"]
    with pytest.raises(NotApplicableError, match="needs the retain records"):
        needy.apply(trained(), alone, acu.Config(), new_run())
    supplied = UnlearnData(forget=forget, retain=in_order(EXAMPLES, range(1, 10)))
    assert needy.reasons_against(trained(), supplied, acu.Config()) == []


def test_a_method_gives_every_reason_of_its_own_check() -> None:
    picky = dataclasses.replace(acu.method, check_function=lambda model, data, config: ["too small", "too old"])
    with pytest.raises(NotApplicableError, match="too small; too old"):
        picky.apply(trained(), UnlearnData(forget=in_order(EXAMPLES, [0])), acu.Config(), new_run())


def test_an_audit_refuses_a_family_that_it_does_not_read() -> None:
    data = AuditData(forget=EXAMPLES, retain=EXAMPLES, holdout=EXAMPLES)
    narrow = dataclasses.replace(mia_loss.audit, families=("causal_lm",))
    with pytest.raises(NotApplicableError, match="not 'analytic_classifier'"):
        narrow.apply(trained(), trained(), data, mia_loss.Config(), new_run())


def test_an_audit_refuses_to_compare_unlike_models() -> None:
    data = AuditData(forget=EXAMPLES, retain=EXAMPLES, holdout=EXAMPLES)
    with pytest.raises(NotApplicableError, match="compare like with like"):
        mia_loss.audit.apply(of_another_family(), trained(), data, mia_loss.Config(), new_run())


def test_a_card_is_made_from_the_file() -> None:
    card = acu.method.card()
    assert (card.name, card.kind, card.version, card.assurance) == ("acu", "method", "2", "exact")
    assert card.summary.startswith("Analytic continual unlearning")
    assert card.reference.startswith("Tang, Zhuang, Fang")
    assert card.source_sha256 == hashlib.sha256(Path(str(acu.__file__)).read_bytes()).hexdigest()
    assert [row["name"] for row in card.config_schema] == ["largest_error"]


def test_the_digest_is_that_of_the_code_that_runs_not_of_what_replaced_it(tmp_path: Path) -> None:
    path = tmp_path / "methods" / "broken.py"
    path.parent.mkdir()
    path.write_text(METHOD.source(), encoding="utf-8")
    ran = hashlib.sha256(path.read_bytes()).hexdigest()
    method = discover([tmp_path]).methods["broken"]
    path.write_text(METHOD.source(version="2"), encoding="utf-8")
    assert method.card().source_sha256 == ran


@pytest.mark.parametrize(
    ("heading", "text"),
    [
        ("Idea", "two lines of text"),
        ("Cost", "none: nothing is read"),
        ("Fails when", ""),
        ("Missing", ""),
        ("two", ""),
    ],
)
def test_a_section_ends_at_the_next_blank_line(heading: str, text: str) -> None:
    document = """Summary.

    Idea: two lines
    of text

    not of the idea

    Cost: none: nothing is read
    """
    assert section(document, heading) == text
