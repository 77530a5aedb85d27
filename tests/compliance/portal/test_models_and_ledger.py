"""The pages about models, methods and the log."""

from hashlib import sha256

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from compliance.evidence import trust
from compliance.ledger import hold, outsiders
from compliance.ledger.actors import SYSTEM
from compliance.ledger.checkpointer import latest
from compliance.ledger.models import PublicKey
from compliance.registry.actions.destroy_version import destroy_version
from compliance.registry.actions.publish_cards import publish_cards
from compliance.registry.models import ModelVersion, RegisteredModel
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.portal.browsing import seen, signed_in

pytestmark = pytest.mark.django_db


def test_a_model_that_is_not_there_is_not_found() -> None:
    assert "nothing at this address" in seen(signed_in(cast.bob()), "/models/no-such-model/", status=404).text


def test_an_empty_register_says_why_that_matters() -> None:
    page = seen(signed_in(cast.bob()), "/models/")
    assert "No model is registered" in page.text
    assert "No worker has published its methods yet" in page.text
    assert page.problems == []


def test_the_register_shows_live_and_head_apart_until_the_signature() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    cast.brought_to(RequestState.SIGNOFF)
    model = RegisteredModel.objects.select_related("live", "head").get()
    assert model.live is not None and model.head is not None
    client = signed_in(cast.bob())
    text = seen(client, "/models/").text
    assert f"spam-filter analytic_classifier 1 {model.live.sha256[:12]}… 2 {model.head.sha256[:12]}… 2" in text


def test_a_model_shows_what_becomes_of_its_versions() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    cast.brought_to(RequestState.COMPLETED)
    client = signed_in(cast.dana())
    page = seen(client, "/models/spam-filter/")
    assert page.problems == []
    assert "Live" in page.text and "Superseded" in page.text and "due " in page.text
    assert "Method by policy acu" in page.text
    assert cast.MARK not in page.html and "/data/" not in page.html
    destroy_version(ModelVersion.objects.get(number=1).pk, actor=SYSTEM)
    page = seen(client, "/models/spam-filter/")
    assert "Destroyed" in page.text and "due " not in page.text


def test_a_method_is_shown_with_what_it_promises_and_costs() -> None:
    card = {"kind": "method", "name": "acu", "version": "1", "source_sha256": "ab" * 32}
    details = {"families": [cast.FAMILY], "assurance": "exact", "cost": "one pass", "summary": "Closed form."}
    other = {**card, "name": "other", "families": ["causal_lm"], "cost": "many", "summary": "For language."}
    audit = {**card, "name": "mia_loss", "kind": "audit", "families": ["any"], "cost": "two", "summary": "An attack."}
    publish_cards([{**card, **details}, other, audit])
    cast.model_of("spam-filter", cast.ALICE)
    client = signed_in(cast.bob())
    every = seen(client, "/models/")
    assert "acu method, version 1 Closed form. Assurance exact" in every.text
    assert "other" in every.text
    suitable = seen(client, "/models/spam-filter/")
    assert "acu method" in suitable.text and "mia_loss audit" in suitable.text
    assert "For language." not in suitable.text
    assert every.problems == [] and suitable.problems == []


def test_a_policy_that_names_no_method_is_pointed_out() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    RegisteredModel.objects.update(family="recommender")
    text = seen(signed_in(cast.bob()), "/models/spam-filter/").text
    assert "the policy names no method for this family" in text


def test_an_empty_ledger_says_what_to_start() -> None:
    page = seen(signed_in(cast.audrey()), "/ledger/")
    assert "No checkpoint was signed yet" in page.text
    assert "No key is published yet" in page.text
    assert "The ledger is empty" in page.text
    assert page.problems == []


def test_the_ledger_shows_checkpoint_keys_and_what_waits() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    cast.run_ledger()
    request_id = cast.ask().request.pk
    page = seen(signed_in(cast.audrey()), "/ledger/")
    checkpoint = latest()
    assert checkpoint is not None
    assert bytes(checkpoint.note).decode() in page.html
    assert f"/log/{checkpoint.log.origin.rpartition('/')[2]}/checkpoint" in page.text
    assert settings.LEDGER_ORIGIN in page.text
    assert f"Entries {checkpoint.size} Signed {checkpoint.size} Waiting for a position 1" in page.text
    assert "waiting Request received" in page.text and str(request_id)[:8] in page.text
    for key in PublicKey.objects.all():
        assert key.key_sha256 in page.text
    assert page.problems == []
    assert cast.MARK not in page.html


def test_an_auditor_takes_the_trust_file_whose_fingerprint_the_page_shows_and_an_operator_does_not() -> None:
    cast.run_ledger()
    auditor, operator = signed_in(cast.audrey()), signed_in(cast.bob())
    content = auditor.get("/trust/").content
    assert trust.parse(content).log_vkeys
    assert trust.fingerprint(content) in seen(auditor, "/ledger/").text
    assert "/trust/" in seen(auditor, "/ledger/").html
    assert "/trust/" not in seen(operator, "/ledger/").html
    assert operator.get("/trust/").status_code == 403


def test_before_a_key_is_published_there_is_no_trust_file_and_the_page_says_why() -> None:
    auditor = signed_in(cast.audrey())
    assert "/trust/" not in seen(auditor, "/ledger/").html
    page = auditor.get("/trust/", follow=True)
    assert b"not published yet" in page.content


def test_the_checkpoint_on_the_page_is_the_one_that_was_signed() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    cast.run_ledger()
    html = seen(signed_in(cast.audrey()), "/ledger/").html
    note = html.split("<pre><code>", 1)[1].split("</code></pre>", 1)[0]
    checkpoint = latest()
    assert checkpoint is not None and sha256(note.encode()).hexdigest() == checkpoint.note_sha256


def test_the_ledger_says_plainly_that_nobody_witnesses_it() -> None:
    cast.ask()
    text = seen(signed_in(cast.audrey()), "/ledger/").text
    assert "Witnessed unwitnessed: no policy asks for witnesses" in text
    assert "Time-stamped none" in text
    assert "Nothing was published yet" in text
    cast.run_ledger()
    cast.ask(cast.CHARLIE)
    page = seen(signed_in(cast.audrey()), "/ledger/")
    assert "received" in page.text and "checkpointed" in page.text
    assert page.problems == []


def test_the_ledger_shows_how_it_goes_with_witnesses_and_cries_at_a_fork() -> None:
    cast.ask()
    cast.run_ledger()
    outsiders.succeeded("published log")
    outsiders.failed("witness dpo.example", "It gave no answer.")
    page = seen(signed_in(cast.audrey()), "/ledger/")
    assert "Published log in order" in page.text
    assert "Witness dpo.example failing since" in page.text and "It gave no answer." in page.text
    assert "Fork alarm" not in page.text
    outsiders.raised_alarm("witness dpo.example", "It holds another history.")
    page = seen(signed_in(cast.audrey()), "/ledger/")
    assert "Fork alarm. Witness dpo.example: It holds another history." in page.text
    assert page.problems == []


def test_a_ledger_that_is_held_says_so_and_why() -> None:
    assert "The ledger is held" not in seen(signed_in(cast.audrey()), "/ledger/").text
    hold.begin("The guard file is missing.")
    page = seen(signed_in(cast.audrey()), "/ledger/")
    assert "The ledger is held. Entries get no positions for now. The guard file is missing." in page.text
    assert page.problems == []


@pytest.mark.parametrize("url", ["/ledger/", "/models/"])
def test_it_costs_the_same_number_of_queries_however_much_there_is(url: str) -> None:
    client = signed_in(cast.bob())
    costs = []
    for n_more in (2, 8):
        for number in range(n_more):
            cast.model_of(f"model-{n_more}-{number}", cast.ALICE)
            cast.ask()
        cast.run_ledger()
        cast.ask()
        with CaptureQueriesContext(connection) as queries:
            seen(client, url)
        costs.append(len(queries))
    assert costs[0] == costs[1]
