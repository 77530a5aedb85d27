"""Every discovered plug-in passes every check; every check catches a plug-in that breaks what it checks."""

import dataclasses
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ml_core.conformance import Check, checks
from ml_core.contract import Assurance, Need
from ml_core.errors import ConformanceError
from ml_core.registry import FOLDERS, Catalogue, discover
from tests.ml_core.broken_audits import BROKEN_AUDITS, LENIENT
from tests.ml_core.broken_families import BROKEN_FAMILIES
from tests.ml_core.broken_methods import BROKEN_METHODS
from tests.ml_core.broken_plugins import AUDIT, METHOD, family_source


@pytest.mark.parametrize("check", [pytest.param(check, id=check.name) for check in checks(discover())])
def test_every_plug_in(check: Check) -> None:
    reason = check.run()
    if reason:
        pytest.xfail(reason)


def planted(root: Path, kind: str, source: str, name: str = "broken") -> Catalogue:
    folder = root / FOLDERS[kind]
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(source, encoding="utf-8")
    return discover([root])


def checks_of(catalogue: Catalogue, name: str = "broken") -> Iterator[Check]:
    return (check for check in checks(catalogue) if check.plugin == name)


def failing(catalogue: Catalogue, name: str = "broken") -> set[str]:
    failed = set()
    for check in checks_of(catalogue, name):
        try:
            check.run()
        except ConformanceError:
            failed.add(check.aspect)
    return failed


# A plug-in that breaks one promise fails that check, and no check that has nothing to do with it.


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        pytest.param("method", METHOD.source(), id="method"),
        pytest.param("audit", AUDIT.source(), id="audit"),
        pytest.param("family", family_source(), id="family"),
    ],
)
def test_an_honest_plug_in_of_somebody_else_passes(tmp_path: Path, kind: str, source: str) -> None:
    assert failing(planted(tmp_path, kind, source)) == set()


@pytest.mark.parametrize(
    ("source", "caught"), [pytest.param(source, {*caught}, id=name) for name, source, *caught in BROKEN_METHODS]
)
def test_a_broken_method_is_caught(tmp_path: Path, source: str, caught: set[str]) -> None:
    assert failing(planted(tmp_path, "method", source)) == caught


@pytest.mark.parametrize(
    ("source", "caught"), [pytest.param(source, {*caught}, id=name) for name, source, *caught in BROKEN_AUDITS]
)
def test_a_broken_audit_is_caught(tmp_path: Path, source: str, caught: set[str]) -> None:
    assert failing(planted(tmp_path, "audit", source)) == caught


@pytest.mark.parametrize(
    ("source", "caught"), [pytest.param(source, {*caught}, id=name) for name, source, *caught in BROKEN_FAMILIES]
)
def test_a_broken_family_is_caught(tmp_path: Path, source: str, caught: set[str]) -> None:
    assert failing(planted(tmp_path, "family", source)) == caught


def test_audits_that_pass_everything_reject_no_fake(tmp_path: Path) -> None:
    catalogue = planted(tmp_path, "audit", LENIENT)
    lenient = dataclasses.replace(catalogue, audits={"broken": catalogue.audits["broken"]})
    assert failing(lenient, "analytic_classifier") == {
        "audits_reject_the_untouched_model",
        "audits_reject_the_noisy_model",
        "audits_reject_the_filtered_model",
    }
    # One lenient audit among others lets nothing through: a fake has to pass them all.
    assert failing(catalogue, "analytic_classifier") == set()


def test_a_family_that_no_audit_reads_accepts_nothing() -> None:
    unread = dataclasses.replace(discover(), audits={})
    assert failing(unread, "analytic_classifier") == {"audits_accept_a_retrained_model"}


def test_a_method_listed_under_another_name_is_caught() -> None:
    catalogue = discover()
    renamed = dataclasses.replace(catalogue, methods={"other": catalogue.methods["acu"]})
    assert failing(renamed, "other") == {"name_is_its_file"}


def test_a_method_and_an_audit_without_headings_are_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = planted(tmp_path, "method", METHOD.source())
    catalogue = planted(tmp_path, "audit", AUDIT.source(), name="silent")
    for module, name in ((catalogue.methods["broken"].module, "broken"), (catalogue.audits["silent"].module, "silent")):
        monkeypatch.setattr(sys.modules[module], "__doc__", "A summary alone.")
        assert "docstring_has_its_headings" in failing(catalogue, name)


def test_an_edited_file_no_longer_matches_its_card(tmp_path: Path) -> None:
    catalogue = planted(tmp_path, "method", METHOD.source())
    (tmp_path / "methods" / "broken.py").write_text(METHOD.source(version="2"), encoding="utf-8")
    assert failing(catalogue) == {"card_is_complete"}


def test_every_check_catches_something() -> None:
    """A check that no broken plug-in fails may check nothing."""
    # These need more than a broken file, and have tests of their own.
    elsewhere = {"name_is_its_file", "docstring_has_its_headings", "refuses_other_retain_records"}
    elsewhere |= {f"audits_reject_the_{fake}_model" for fake in ("untouched", "noisy", "filtered")}
    tables = {"method": BROKEN_METHODS, "audit": BROKEN_AUDITS, "family": BROKEN_FAMILIES}
    for kind, table in tables.items():
        caught = {aspect for _, _, *aspects in table for aspect in aspects}
        assert {check.aspect for check in checks(discover()) if check.kind == kind} - elsewhere <= caught


# Exemptions.


SEEDLESS = METHOD.broken("""
result = honest(model, data, run)
model.weight[0, 0] += os.urandom(1)[0] if data.forget.record_ids else 0
return result
""")


def test_an_exemption_excuses_a_check_and_says_why(tmp_path: Path) -> None:
    exempt = {"same_seed_same_weights": "its hardware is not deterministic"}
    catalogue = planted(tmp_path, "method", SEEDLESS.source(assurance="APPROXIMATE", exempt=exempt))
    outcomes = {check.aspect: check.run() for check in checks_of(catalogue)}
    assert {aspect: reason for aspect, reason in outcomes.items() if reason} == exempt


def test_an_exemption_that_is_not_needed_fails(tmp_path: Path) -> None:
    catalogue = planted(tmp_path, "method", METHOD.source(exempt={"same_seed_same_weights": "no reason"}))
    by_aspect = {check.aspect: check for check in checks_of(catalogue)}
    with pytest.raises(ConformanceError, match=r"^method\[broken-same_seed_same_weights\]: it passes, so it needs no"):
        by_aspect["same_seed_same_weights"].run()


def test_an_exemption_does_not_excuse_a_crash(tmp_path: Path) -> None:
    crash = METHOD.broken("raise KeyError('lost')")
    catalogue = planted(tmp_path, "method", crash.source(exempt={"same_seed_same_weights": "no reason"}))
    by_aspect = {check.aspect: check for check in checks_of(catalogue)}
    with pytest.raises(ConformanceError, match=r"^method\[broken-same_seed_same_weights\]: KeyError: 'lost'"):
        by_aspect["same_seed_same_weights"].run()


# What is generated.


def test_nothing_is_trained_to_list_the_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = discover()
    for family in catalogue.families.values():
        monkeypatch.setattr(type(family), "train", None)
    assert len(list(checks(catalogue))) > 50


def test_names_say_kind_plug_in_and_aspect_and_are_unique() -> None:
    found = list(checks(discover()))
    names = [check.name for check in found]
    assert "method[acu-same_seed_same_weights]" in names
    assert len(set(names)) == len(names)


def aspects_of(catalogue: Catalogue, name: str) -> set[str]:
    return {check.aspect for check in checks_of(catalogue, name)}


@pytest.mark.parametrize("assurance", [Assurance.CERTIFIED, Assurance.APPROXIMATE, Assurance.SUPPRESSION])
def test_only_exact_methods_must_equal_retraining(assurance: Assurance) -> None:
    catalogue = discover()
    weaker = dataclasses.replace(catalogue.methods["acu"], assurance=assurance)
    of_exact, of_weaker = (aspects_of(each, "acu") for each in (catalogue, with_method(catalogue, {"acu": weaker})))
    assert of_exact - of_weaker == {
        "exact_equals_retraining",
        "refuses_a_record_never_trained",
        "refuses_a_record_already_deleted",
    }


def with_method(catalogue: Catalogue, methods: Mapping[str, object]) -> Catalogue:
    return dataclasses.replace(catalogue, methods=methods)  # type: ignore[arg-type]


def test_methods_that_need_the_retain_records_are_given_them(tmp_path: Path) -> None:
    needy = METHOD.broken("""
assert data.retain is not None and len(data.retain) + len(data.forget) == 96
return honest(model, data, run)
""")
    catalogue = planted(tmp_path, "method", needy.source())
    changes = {"needs": (Need.RETAIN_DATA,), "assurance": Assurance.APPROXIMATE}
    method = dataclasses.replace(catalogue.methods["broken"], **changes)  # type: ignore[arg-type]
    assert failing(with_method(catalogue, {"broken": method})) == set()


def test_an_exact_method_must_look_at_the_retain_records_that_it_asks_for() -> None:
    catalogue = discover()
    careless = dataclasses.replace(catalogue.methods["acu"], needs=(Need.RETAIN_DATA,))
    assert failing(with_method(catalogue, {"acu": careless}), "acu") == {"refuses_other_retain_records"}


def test_audits_without_need_of_a_reference_are_not_asked_to_miss_it() -> None:
    catalogue = discover()
    independent = dataclasses.replace(catalogue.audits["mia_loss"], needs=())
    without = dataclasses.replace(catalogue, audits={"mia_loss": independent})
    assert aspects_of(catalogue, "mia_loss") - aspects_of(without, "mia_loss") == {"inconclusive_without_a_reference"}


def test_a_plug_in_that_spoils_the_scene_does_not_spoil_it_for_the_next(tmp_path: Path) -> None:
    vandal = METHOD.broken("""
model.members.deleted.fill_(1)
data.forget.features.zero_()
return honest(model, data, run)
""")
    (tmp_path / "methods").mkdir()
    (tmp_path / "methods" / "aaa_vandal.py").write_text(vandal.source(), encoding="utf-8")
    failed = set()
    for check in checks(discover([tmp_path])):
        try:
            check.run()
        except ConformanceError:
            failed.add(check.plugin)
    assert failed == {"aaa_vandal"}
