"""A marked person goes through the whole service. Until the shredding she is in sealed places alone, and then nowhere."""

import base64
import gzip
import hashlib
import json
import logging
import smtplib
import socket
import threading
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest
import redis
from django.conf import settings as django_settings
from django.contrib.sessions.backends.db import SessionStore
from django.core import mail
from django.core.cache import cache
from django.db import connection
from pytest_django import Settings

from compliance.outbound.models import Delivery
from compliance.registry.models import DataSource, ModelVersion
from compliance.registry.pseudonyms import pseudonym_of
from compliance.requests.models import Letter, SealedNote, SubjectVault
from tests.compliance import cast
from tests.compliance.api.caller import Caller
from tests.compliance.controllers.installation import present_authority, switch_on, valid_terms
from tests.compliance.outbound.certificates import Authority
from tests.compliance.outbound.hooks import hook, try_now
from tests.compliance.outbound.receiver import receiving
from tests.journey import marked_story, sealed, surfaces
from tests.journey.marked_story import MARKS, Story
from tests.journey.marks import Mark, hits
from tests.services import transit
from workers import tasks
from workers.app import app

#: Answers that are there to say it, and what of it.
MEANT = {
    # The person is shown the question.
    "api:request": {"question"},
    # Staff are shown what they wrote, and what the person answered; both named her.
    "api:staff-notes": {"question", "answer", "reasons", "address", "local part"},
    "portal:request": {"question", "answer", "address", "local part"},
    # Section 2.5 of the protocol: the request comes back as it was sent, under the signature.
    "compliance.api.opendsr.endpoints.view": {"address", "local part"},
}

#: What stands sealed, and where: nowhere else, also not as a copy.
SEALED = {
    "table requests_subjectvault": {
        f"requests.SubjectVault.{name}" for name in ("wrapped_key", "sealed_identifier", "sealed_commitment_key")
    },
    "table requests_sealednote": {"requests.SealedNote.sealed_text"},
    "table recipients_notice": {"recipients.Notice.sealed_token"},
}
#: An auditor is given the key that opens the commitments of the request that is looked at, and nothing takes it back.
HANDED_OUT = {name: {"commitment key"} for name in ("handed out: bundle.zip", "handed out: openings.json")}


@pytest.fixture
def log() -> Iterator[surfaces.LogKeeper]:
    keeper, root = surfaces.LogKeeper(), logging.getLogger()
    before = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(keeper)
    yield keeper
    root.removeHandler(keeper)
    root.setLevel(before)


@pytest.fixture
def story(
    live: ModelVersion,
    digits_folder: Path,
    broker_url: str,
    log: surfaces.LogKeeper,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Story]:
    cache.clear()
    settings.DISPATCHER = "workers.dispatch.CeleryDispatcher"
    settings.SOURCES_DIR = tmp_path / "sources"
    monkeypatch.setattr(app.conf, "broker_url", broker_url)
    switch_on(settings, tmp_path / "opendsr", present_authority().identity(terms=valid_terms()))
    marked_story.second_model(digits_folder)
    (tmp_path / "handed-out").mkdir()
    authority = Authority(tmp_path)
    settings.OUTBOUND_CA_PATH = authority.path
    settings.OUTBOUND_ALLOWED_HOSTS = frozenset({"127.0.0.1", "localhost"})
    with receiving() as receiver, receiving(authority.server("localhost")) as recipient:
        yield Story(folder=tmp_path / "handed-out", receiver=receiver, recipient=recipient)


def found(story: Story, log: surfaces.LogKeeper, broker_url: str, marks: list[Mark]) -> dict[str, list[str]]:
    """Which marks are where."""
    searched = {place: hits(content, marks) for place, content in everywhere(story, log, broker_url).items()}
    return {place: hit for place, hit in searched.items() if hit}


def everywhere(story: Story, log: surfaces.LogKeeper, broker_url: str) -> dict[str, bytes]:
    """What is where, and what others were given."""
    return {**surfaces.everything(broker_url=broker_url, log=log, folders={}), **story.said}


def said_in_answers(story: Story) -> dict[str, set[str]]:
    """Which marks the answers of each address held."""
    said: dict[str, set[str]] = {}
    for name, body in story.answers:
        marks = {mark.name for mark in MARKS if hits(body, [mark])}
        if marks:
            said.setdefault(name, set()).update(marks)
    return said


def test_a_marked_person_is_sealed_before_the_shredding_and_gone_after_it(
    story: Story, log: surfaces.LogKeeper, broker_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    marked_story.told(story)
    marked_story.from_another_controller(story)
    marked_story.on_the_public_page(story)

    # She was there: whoever was meant to read it has read it.
    assert story.unveiled == cast.ALICE
    outbox = "\n".join(f"{message.to} {message.body}" for message in mail.outbox)
    assert {mark.name for mark in MARKS if mark.text in outbox} >= {"address", "question", "refusal"}
    assert SubjectVault.objects.filter(pseudonym=pseudonym_of("email", cast.ALICE)).count() == len(story.requests) == 4
    (notice,) = story.recipient.received
    assert hits(notice.body, [marked_story.PERSON]), "the recipient must know whom to erase"
    assert surfaces.n_messages(broker_url) > 10
    assert len(story.receiver.received) > 8
    assert len(log.lines) > 20

    # Before the shredding: in sealed places alone, each of which is in one table; and what opens them is nowhere.
    assert found(story, log, broker_url, MARKS) == {}
    assert said_in_answers(story) == MEANT
    columns, keys = list(sealed.columns()), list(sealed.keys())
    copies = sealed.places_of(everywhere(story, log, broker_url), [*columns, *keys])
    assert {place: names for place, names in copies.items() if not place.startswith("database")} == SEALED | HANDED_OUT

    # After it: nowhere, and neither is what led from her to her requests.
    marked_story.shredded(story)
    pseudonym = Mark("pseudonym", pseudonym_of("email", cast.ALICE))
    assert found(story, log, broker_url, [*MARKS, pseudonym]) == {}
    assert sealed.places_of(everywhere(story, log, broker_url), [*columns, *keys]) == HANDED_OUT
    printed = capfd.readouterr()
    assert hits((printed.out + printed.err).encode(), [*MARKS, pseudonym]) == []


# --- The search itself finds what was planted ----------------------------------------------------------------------

PLANTED = marked_story.PERSON
UNICODE = marked_story.ANSWER


def _digest(name: str) -> bytes:
    return hashlib.new(name, cast.ALICE.encode()).digest()


@pytest.mark.parametrize(
    "leak",
    [
        pytest.param(cast.ALICE.encode(), id="as it is"),
        pytest.param(cast.ALICE.upper().encode(), id="in capitals"),
        pytest.param(cast.ALICE.encode("utf-16"), id="UTF-16"),
        pytest.param(cast.ALICE.encode("utf-16-be"), id="UTF-16, big end first"),
        pytest.param(cast.ALICE.encode().hex().encode(), id="hex"),
        pytest.param(cast.ALICE.encode().hex().upper().encode(), id="hex in capitals"),
        *(
            pytest.param(base64.b64encode(b"x" * offset + cast.ALICE.encode() + b"yz"), id=f"base64 from byte {offset}")
            for offset in range(3)
        ),
        *(
            pytest.param(base64.b32encode(b"x" * offset + cast.ALICE.encode() + b"yz"), id=f"base32 from byte {offset}")
            for offset in range(5)
        ),
        pytest.param(base64.b64encode(base64.b64encode(cast.ALICE.encode())), id="base64 twice"),
        pytest.param(base64.b64encode(cast.ALICE.encode()).hex().encode(), id="base64 in hex"),
        pytest.param(cast.ALICE.replace("@", "%40").encode(), id="URL-encoded"),
        pytest.param("".join(f"%{byte:02X}" for byte in cast.ALICE.encode()).encode(), id="URL-encoded, each byte"),
        pytest.param(json.dumps(cast.ALICE).replace("@", "\\u0040").encode(), id="JSON-escaped"),
        pytest.param(cast.ALICE.replace("@", "=40").encode(), id="quoted-printable"),
        pytest.param(cast.ALICE[:9].encode() + b"=\r\n" + cast.ALICE[9:].encode(), id="a line of mail broken softly"),
        pytest.param(gzip.compress(cast.ALICE.encode()), id="gzip"),
        pytest.param(base64.b64encode(gzip.compress(cast.ALICE.encode() * 3)), id="gzip in base64"),
        *(
            pytest.param(encode(_digest(name)), id=f"{name} in {what}")
            for name in ("md5", "sha1", "sha256")
            for what, encode in (
                ("hex", lambda digest: digest.hex().encode()),
                ("base64", base64.b64encode),
                ("URL-safe base64", base64.urlsafe_b64encode),
                ("bytes", bytes),
            )
        ),
    ],
)
def test_a_leak_in_any_disguise_is_found(leak: bytes) -> None:
    assert hits(b"before " + leak + b" after" if leak[:2] != b"\x1f\x8b" else leak, [PLANTED])


@pytest.mark.parametrize(
    "leak",
    [
        pytest.param(json.dumps({"answer": UNICODE.text}).encode(), id="JSON-escaped"),
        pytest.param(repr(UNICODE.text.encode())[2:-1].encode(), id="as Python shows bytes"),
        pytest.param(UNICODE.text.encode(), id="as it is"),
    ],
)
def test_words_with_umlauts_are_found(leak: bytes) -> None:
    assert hits(leak, [UNICODE])


@pytest.mark.parametrize(
    "copy",
    [
        pytest.param(bytes, id="as they are"),
        pytest.param(lambda data: data.hex().encode(), id="hex"),
        pytest.param(base64.b64encode, id="base64"),
        pytest.param(base64.urlsafe_b64encode, id="URL-safe base64"),
        pytest.param(lambda data: repr(data).encode(), id="as Python shows bytes"),
        pytest.param(gzip.compress, id="gzip"),
    ],
)
def test_a_copy_of_sealed_bytes_in_any_disguise_is_found(copy: Callable[[bytes], bytes]) -> None:
    secret = sealed.Secret("wrapped key", hashlib.sha256(b"seed").digest())
    assert sealed.places_of({"here": copy(secret.data), "there": b"nothing"}, [secret]) == {"here": {"wrapped key"}}


def test_a_leak_inside_an_archive_is_found() -> None:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("evidence.json", cast.ALICE * 9)
    assert hits(buffer.getvalue(), [PLANTED])
    assert not hits(b"nothing of that kind, and " + buffer.getvalue()[:20], [PLANTED])


def _into_a_new_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE something_new (words text)")
        cursor.execute("INSERT INTO something_new VALUES (%s)", [cast.ALICE])


def _into_a_column_of_bytes() -> None:
    request = cast.ask(cast.CHARLIE).request
    SealedNote.objects.create(
        request=request, kind="answer", sealed_text=cast.ALICE.encode(), created_at=request.received_at
    )


def _into_a_session() -> None:
    session = SessionStore()
    session["email"] = cast.ALICE
    session.save()


def _into_a_traceback() -> None:
    try:
        raise ValueError(f"no mailbox {cast.ALICE}")
    except ValueError:
        logging.getLogger("somebody").exception("it failed")


LEAKS: dict[str, tuple[str, Callable[[], object]]] = {
    "a row": (
        "table registry_datasource",
        lambda: DataSource.objects.create(
            name="x", location=cast.ALICE, sha256="", registered_at="2026-01-01T00:00:00Z"
        ),
    ),
    "a table that is new": ("table something_new", _into_a_new_table),
    "a column of bytes": ("table requests_sealednote", _into_a_column_of_bytes),
    "a session": ("table django_session", _into_a_session),
    "the cache": ("cache", lambda: cache.set(f"flood:{cast.ALICE}", 1)),
    "a value in the cache": ("cache", lambda: cache.set("who", cast.ALICE)),
    "a line of the log": ("log", lambda: logging.getLogger("somebody").debug("to %s", cast.ALICE)),
    "what is beside a line": ("log", lambda: logging.getLogger("somebody").info("x", extra={"to": cast.ALICE})),
    "a traceback": ("log", _into_a_traceback),
    "a message": ("broker", lambda: app.send_task("workers.tasks.plan", (cast.ALICE,), queue="cpu")),
    "a file of the data folder": (
        "data folder",
        lambda: _file(Path(django_settings.DATA_DIR) / "leak.txt"),
    ),
    "a file of the weights": ("artifacts", lambda: _file(Path(django_settings.ARTIFACTS_DIR) / "leak.bin")),
    "a published file": ("published log", lambda: _file(Path(django_settings.LOG_DIR) / "2026" / "leak")),
    "the guard": ("guard", lambda: _file(Path(django_settings.CHECKPOINT_GUARD_PATH))),
}


def _file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(base64.b64encode(b"?" + cast.ALICE.encode()))


@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_at_any_place_is_found(name: str, places: Callable[[], dict[str, list[str]]]) -> None:
    place, plant = LEAKS[name]
    assert places() == {}
    plant()
    try:
        assert place in places()
    finally:
        _clean_up()


@pytest.fixture
def places(
    ledger_db: None, broker_url: str, log: surfaces.LogKeeper, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], dict[str, list[str]]]:
    """Looks everywhere, in an installation with nobody in it."""
    cache.clear()
    monkeypatch.setattr(app.conf, "broker_url", broker_url)

    def look() -> dict[str, list[str]]:
        found = surfaces.everything(broker_url=broker_url, log=log, folders={})
        return {place: hit for place, content in found.items() if (hit := hits(content, [PLANTED]))}

    return look


def _clean_up() -> None:
    """What is not of one test alone."""
    (Path(django_settings.DATA_DIR) / "leak.txt").unlink(missing_ok=True)
    cache.clear()
    client = redis.Redis.from_url(app.conf.broker_url.replace("redis+socket://", "unix://"))
    client.flushall()
    client.close()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS something_new")


# --- Errors do not carry her into the log --------------------------------------------------------------------------


@contextmanager
def refusing_mail_server() -> Iterator[int]:
    """A mail server that names whom it refuses, as real ones do; its port."""
    is_over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        while not is_over.is_set():
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer, peer.makefile("rwb") as file:
                file.write(b"220 mail\r\n")
                file.flush()
                for line in file:
                    said = line.strip().decode()
                    is_refused = said.upper().startswith("RCPT")
                    file.write(f"550 no such mailbox {said}\r\n".encode() if is_refused else b"250 fine\r\n")
                    file.flush()

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        is_over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _smtp(settings: Settings, port: int) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", port, False
    settings.EMAIL_TIMEOUT = 2


def test_a_mail_server_that_is_down_or_names_the_person_leaves_nothing_in_the_log(
    live: ModelVersion, log: surfaces.LogKeeper, settings: Settings, places: Callable[[], dict[str, list[str]]]
) -> None:
    request_id = cast.ask().request.pk
    with refusing_mail_server() as port:
        for where in (1, port):
            _smtp(settings, where)
            tasks.ask_identity(str(request_id))
            tasks.sweep()
        with pytest.raises(smtplib.SMTPRecipientsRefused, match=cast.MARK):
            mail.send_mail("x", "x", None, [cast.ALICE])
    assert any("ask_identity" in line for line in log.lines)
    assert places() == {}


def test_a_key_service_that_is_down_leaves_nothing_in_the_log(
    ledger_db: None, log: surfaces.LogKeeper, settings: Settings, places: Callable[[], dict[str, list[str]]]
) -> None:
    with transit.running() as service:
        settings.VAULT_MASTER_KEY_URIS = ("hv:expunge/1",)
        settings.KEY_SERVICE_ADDRESS, settings.KEY_SERVICE_TOKEN = service.address, transit.TOKEN
        request_id = cast.ask().request.pk
        service.failure = 503
        body = {"identifier": {"kind": "email", "value": cast.ALICE}}
        assert Caller().post("submit", body=body).status_code == 503
        tasks.ask_identity(str(request_id))
    settings.KEY_SERVICE_ADDRESS = "http://127.0.0.1:1"
    assert Caller().post("submit", body=body).status_code == 503
    tasks.ask_identity(str(request_id))
    assert any("ask_identity" in line for line in log.lines)
    assert places() == {}


def test_a_receiver_that_is_down_leaves_nothing_in_the_log(
    ledger_db: None, log: surfaces.LogKeeper, settings: Settings, places: Callable[[], dict[str, list[str]]]
) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = frozenset({"127.0.0.1"})
    hook("http://127.0.0.1:1/hook")
    cast.prove(cast.ask().request.pk)
    for delivery in list(Delivery.objects.all()):
        try_now(delivery)
    assert Delivery.objects.exists()
    assert places() == {}


def test_a_database_that_fails_leaves_nothing_in_log_or_answer(
    ledger_db: None, log: surfaces.LogKeeper, places: Callable[[], dict[str, list[str]]]
) -> None:
    """A table is away in the middle of the transaction. The error page and the traceback must not quote what was asked."""
    request_id = cast.ask().request.pk
    answers: list[tuple[str, bytes]] = []
    caller = Caller(http=marked_story.KeepingClient(answers))
    body = {"identifier": {"kind": "email", "value": cast.ALICE}}
    for table in ("requests_subjectvault", "requests_deletionrequest"):
        with _away(table):
            assert caller.post("submit", body=body).status_code == 500
            tasks.ask_identity(str(request_id))
    assert [hits(answer, MARKS) for _, answer in answers] == [[], []]
    assert any("Internal Server Error" in line for line in log.lines)
    assert places() == {}


@contextmanager
def _away(table: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {table}_away")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table}_away RENAME TO {table}")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"identifier": {"kind": "email", "value": f"no {cast.ALICE}"}}, id="an identifier that is none"),
        pytest.param({"identifier": {"kind": cast.ALICE, "value": "x"}}, id="an address as the kind"),
        pytest.param({"ground": cast.ALICE}, id="an address as the ground"),
        pytest.param({cast.ALICE: 1}, id="an address as a member"),
        pytest.param([cast.ALICE], id="no object"),
    ],
)
def test_input_that_is_refused_is_neither_logged_nor_stored(
    body: object, log: surfaces.LogKeeper, places: Callable[[], dict[str, list[str]]]
) -> None:
    assert Caller().post("submit", body=body).status_code in (400, 422)
    assert Caller().get("request", uuid.uuid4(), email=cast.ALICE).status_code in (400, 401, 404)
    assert places() == {}


def test_a_letter_that_cannot_be_sent_is_counted_and_says_nobody(
    ledger_db: None, log: surfaces.LogKeeper, settings: Settings, places: Callable[[], dict[str, list[str]]]
) -> None:
    request_id = cast.ask().request.pk
    cast.prove(request_id)
    cast.say_no(request_id)
    letter = Letter.objects.get(request=request_id)
    with refusing_mail_server() as port:
        _smtp(settings, port)
        tasks.send_letter(letter.pk)
    letter.refresh_from_db()
    assert (letter.n_tries, letter.sent_at) == (1, None)
    assert places() == {}
