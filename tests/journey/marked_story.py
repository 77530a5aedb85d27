"""One marked person goes through everything that the service offers, over the doors that people and machines use."""

import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import mail
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import Resolver404, resolve, reverse

from compliance.ledger.actors import SYSTEM, Role, staff
from compliance.outbound.models import Delivery, DeliveryStatus
from compliance.recipients import notices
from compliance.recipients.actions.register_recipient import register_recipient
from compliance.recipients.details import Details
from compliance.reports import ledger_export
from compliance.requests import letters
from compliance.requests.actions.refuse import refuse
from compliance.requests.actions.unveil import unveil
from compliance.requests.models import DeletionRequest, Job, Letter, LinkReason
from compliance.requests.states import JobState
from compliance.sources.declaration import SourceDeclaration, SubjectColumn
from tests.compliance import cast
from tests.compliance.api.caller import Caller, body_of
from tests.compliance.controllers import caller as controllers
from tests.compliance.controllers.installation import registered as controller_registered
from tests.compliance.outbound.hooks import hook, try_now
from tests.compliance.outbound.receiver import Receiver
from tests.journey.marks import Mark
from tests.workers import digits
from workers import sweep, tasks
from workers.registration import Registration, register

PERSON = Mark("address", cast.ALICE, is_identifier=True)
LOCAL_PART = Mark("local part", cast.MARK)
QUESTION = Mark("question", "quokka-naïve-question-0815")
ANSWER = Mark("answer", "aardvark-größe-answer-0816")
REASONS = Mark("reasons", "rhinoceros-reasons-0817")
COMPLAINT = Mark("complaint", "capybara-complaint-0818")
REFUSAL = Mark("refusal", "pangolin-refusal-0820")
SAID = Mark("said on the page", "salamander-said-0819")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
MARKS = [PERSON, LOCAL_PART, QUESTION, ANSWER, REASONS, COMPLAINT, REFUSAL, SAID]


class KeepingClient(Client):
    """Keeps every answer by the name of its address."""

    def __init__(self, answers: list[tuple[str, bytes]]) -> None:
        super().__init__(raise_request_exception=False)
        self._answers = answers

    def request(self, **request: Any) -> Any:
        response = super().request(**request)
        try:
            name = str(resolve(request["PATH_INFO"]).view_name)
        except Resolver404:
            name = "no address"
        headers = repr(sorted(response.headers.items())).encode()
        body = b"".join(response) if response.streaming else response.content
        self._answers.append((name, headers + b"\n" + body))
        return response


@dataclass
class Story:
    """What came of it: where to look, and what was said to whom."""

    folder: Path
    receiver: Receiver
    # Another organisation, which has to be told whom to erase.
    recipient: Receiver
    answers: list[tuple[str, bytes]] = field(default_factory=list)
    requests: list[uuid.UUID] = field(default_factory=list)
    unveiled: str = ""

    def caller(self, authorization: str = "") -> Caller:
        return Caller(authorization, http=KeepingClient(self.answers))

    @property
    def said(self) -> dict[str, bytes]:
        """What went to others: deliveries as they came in, and files that were handed out."""
        received = b"\n".join(
            repr((each.path, dict(each.headers))).encode() + b"\n" + each.body for each in self.receiver.received
        )
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        handed = {f"handed out: {path.name}": path.read_bytes() for path in files if "sources" not in path.parts}
        return {"deliveries": received, **handed}


def second_model(digits_folder: Path) -> None:
    """A model whose records a declared source ties to persons."""
    settings.SOURCES_DIR.mkdir(parents=True, exist_ok=True)
    train = digits.examples()
    rows = [
        f"{record},{person}\n"
        for examples in train.values()
        for record, person in zip(examples.record_ids, examples.person_ids, strict=True)
    ]
    (settings.SOURCES_DIR / "people.csv").write_text("id,owner\n" + "".join(rows))
    persons = SourceDeclaration(
        kind="csv",
        location="people.csv",
        record_columns=("id",),
        subjects=(SubjectColumn(column="owner", kind="email"),),
    )
    register(
        Registration(
            name="declared",
            purpose="tests",
            weights=digits_folder / "weights",
            data=digits_folder / "data.npz",
            source_name="declared-data",
            persons=persons,
        )
    )


def told(story: Story) -> None:
    """From the API's intake to the summary, with everything that can happen on the way."""
    hook(story.receiver.url)
    url = f"https://localhost:{story.recipient.port}/erasure"
    register_recipient("Fabrikam SAS", Details(models=(digits.MODEL,), url=url), actor=SYSTEM)
    receipt = checked(
        story.caller().post("submit", body={"identifier": {"kind": "email", "value": cast.ALICE.upper()}})
    )
    request_id = uuid.UUID(receipt["id"])
    story.requests.append(request_id)
    alice = story.caller(f"Subject {receipt['status_token']}")
    tasks.ask_identity(str(request_id))
    checked(alice.post("identity", request_id, body={"code": code()}))
    tasks.search_sources(str(request_id))
    dana, bob = (story.caller(f"Token {cast.staff_token(user)}") for user in (cast.dana(), cast.bob()))
    _considered(story, request_id, alice, dana, bob)
    checked(dana.post("staff-approve", request_id, body={"ground": "art17_1_b"}))
    tasks.plan(str(request_id))
    cast.run_ledger()
    for job in Job.objects.filter(state=JobState.QUEUED):
        tasks.run_job(str(job.pk))
    _tell_recipients(story)
    checked(bob.post("staff-sign-off", request_id))
    tasks.summarise(str(request_id))
    everything_sent()
    cast.run_ledger()
    _looked_at(story, request_id, alice, dana, bob)
    _complained(story, request_id, alice)


def _considered(story: Story, request_id: uuid.UUID, alice: Caller, dana: Caller, bob: Caller) -> None:
    """A question and its answer, more time, an exception that is taken back, a hold that is lifted."""
    checked(bob.post("staff-question", request_id, body={"question": f"Is it {QUESTION.text}?"}))
    everything_sent()
    checked(alice.get("request", request_id))
    checked(alice.post("answer", request_id, body={"answer": f"It is {ANSWER.text}, {cast.ALICE}."}))
    checked(dana.post("staff-extend", request_id, body={"reason": "complexity"}))
    everything_sent()
    (model, *_) = checked(dana.get("staff-scope", request_id))["models"]
    model_id = uuid.UUID(model["model"]["id"] if isinstance(model["model"], dict) else model["model"])
    words = {"reason": "art17_3_e", "words": f"A suit, {REASONS.text}, by {cast.ALICE}"}
    checked(dana.post("staff-except", request_id, model_id, body=words))
    checked(dana.get("staff-notes", request_id))
    checked(dana.post("staff-include", request_id, model_id))
    checked(bob.post("staff-hold", request_id, model_id, body={"reason": "technical"}))
    checked(bob.post("staff-release", request_id, model_id))
    dana.http.force_login(cast.dana())
    assert dana.http.get(reverse("portal:request", args=[request_id])).status_code == 200


def _tell_recipients(story: Story) -> None:
    with transaction.atomic():
        for request in DeletionRequest.objects.filter(pk__in=story.requests):
            notices.owe(request)
    everything_sent()


def _looked_at(story: Story, request_id: uuid.UUID, alice: Caller, dana: Caller, bob: Caller) -> None:
    audrey = story.caller(f"Token {cast.staff_token(cast.audrey())}")
    bundle = audrey.get("audit-bundle", request_id)
    assert bundle.status_code == 200
    (story.folder / "bundle.zip").write_bytes(bundle.content)
    ledger_export.export(story.folder / "export", [request_id])
    for name in ("audit-requests", "audit-keys", "audit-checkpoint"):
        checked(audrey.get(name))
    for name in ("staff-requests", "staff-models"):
        checked(bob.get(name))
    checked(alice.get("request", request_id))
    for name in ("portal:requests", "portal:models", "portal:ledger"):
        assert dana.http.get(reverse(name)).status_code == 200
    for path in ("/healthz", "/readyz", "/nowhere"):
        dana.http.get(path)
    story.unveiled = unveil(request_id, actor=staff(cast.dana(), Role.DPO), reason="audit")


def _complained(story: Story, request_id: uuid.UUID, alice: Caller) -> None:
    """A complaint is a new request of hers, which is refused in words."""
    body = checked(alice.post("complaint", request_id, body={"text": f"It still says {COMPLAINT.text}"}))
    again = DeletionRequest.objects.get(links__reason=LinkReason.COMPLAINT)
    story.requests.append(again.pk)
    tasks.ask_identity(str(again.pk))
    checked(story.caller(f"Subject {body['status_token']}").post("identity", again.pk, body={"code": code()}))
    words = f"It was looked into: {REFUSAL.text}."
    refuse(again.pk, actor=staff(cast.dana(), Role.DPO), reason="art12_5_unfounded", words=words)
    everything_sent()


def from_another_controller(story: Story) -> None:
    """The same person comes through OpenDSR, and is taken back."""
    acme = controllers.Caller(controller_registered().token, client=KeepingClient(story.answers))
    subject_request_id = acme.created(status_callback_urls=[story.receiver.url])
    story.requests.append(DeletionRequest.objects.get(channel="opendsr").pk)
    assert acme.ask(subject_request_id).status_code == 200
    assert acme.cancel(subject_request_id).status_code == 202
    everything_sent()


def on_the_public_page(story: Story) -> None:
    """The same person fills in the form, proves the address, and takes it back."""
    browser = KeepingClient(story.answers)
    page = browser.get(reverse("public:ask", args=["en"]))
    form_id = re.search(rb'name="form_id" value="([^"]+)"', page.content)
    form = {"kind": "email", "value": cast.ALICE, "ground": "art17_1_b", "regulation": "gdpr", "said": SAID.text}
    browser.post(reverse("public:ask", args=["en"]), {**form, "form_id": form_id[1].decode() if form_id else ""})
    request = DeletionRequest.objects.get(channel="web")
    story.requests.append(request.pk)
    tasks.ask_identity(str(request.pk))
    for name, data in (("enter_code", {"code": code()}), ("withdraw", {})):
        browser.post(reverse(f"public:{name}", args=["en", request.pk]), data)
        browser.get(reverse("public:follow", args=["en", request.pk]))
    everything_sent()


def everything_sent() -> None:
    """Letters that are owed, and deliveries that wait."""
    for letter_id in list(Letter.objects.filter(sent_at=None).values_list("pk", flat=True)):
        letters.send(letter_id)
    for delivery in list(Delivery.objects.filter(status=DeliveryStatus.PENDING)):
        try_now(delivery)


def shredded(story: Story) -> None:
    """Everybody's identity is destroyed, by the sweep, as on any day."""
    cast.run_ledger()
    DeletionRequest.objects.filter(closed_at__isnull=False).update(closed_at=LONG_AGO)
    sweep.sweep()
    open_ones = DeletionRequest.objects.filter(pk__in=story.requests, vault__shredded_at=None)
    assert list(open_ones.values_list("channel", "state")) == []


def code() -> str:
    """The one-time code in the newest mail."""
    found = re.search(r"\b(\d{10})\b", str(mail.outbox[-1].body))
    assert found is not None, mail.outbox[-1].body
    return found[1]


def checked(response: HttpResponse) -> Any:
    """The body of an answer that is no refusal."""
    assert response.status_code < 300, response.content
    return body_of(response) if "json" in response.get("Content-Type", "") else {}
