"""The main job, top to bottom: a person of a training set asks to be deleted, and an auditor checks that it was done.

Everything goes through the doors a user has: the register command, the REST API over HTTP, mail, a separate worker
process, the auditor's command in a process of its own.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from compliance.evidence import bundle, dsse, trust
from compliance.ledger.trust_file import current_trust
from compliance.registry.models import LineageRecord, MethodCard, RegisteredModel
from compliance.registry.pseudonyms import pseudonym_of
from workers.demo import digits, people
from workers.demo.client import Client, HttpError
from workers.demo.narrator import Narrator
from workers.preparation import prepare
from workers.processes import Processes

MODEL = "digits-classifier"
WAIT_SECONDS = 90


class DemoError(RuntimeError):
    """The story did not go as it must."""


def tell(*, port: int, write: Callable[[str], object]) -> None:
    """Run the story; raises DemoError or ProcessError where it does not end with verified evidence."""
    narrator = Narrator(write)
    with narrator.step("Database, keys and ledger are prepared") as said:
        prepare()
        said.append(
            f"Database: {connection.vendor}. Data folder: {settings.DATA_DIR}, with keys that only you can read."
        )
    _register(narrator)
    with Processes(host="127.0.0.1", port=port) as processes:
        _await_start(narrator, processes)
        client = Client(processes.url)
        request_id, status_client = _ask(narrator, processes, client)
        staff = people.staff()
        dpo = client.with_staff_token("dana", staff["dpo"].password)
        operator = client.with_staff_token("bob", staff["operator"].password)
        _decide(narrator, dpo, request_id)
        _forget(narrator, processes, status_client, dpo, request_id)
        _sign_off(narrator, dpo, operator, request_id)
        path = _export(narrator, processes, client.with_staff_token("audrey", staff["auditor"].password), request_id)
    _verify(narrator, path)
    _refuse_tampered(narrator, path)
    write(f"\nDone in {narrator.total_seconds():.1f} s. The bundle: {path}")
    write(f"Verify it again: {sys.executable} -m compliance.evidence verify {path} \\")
    write(f"    --trust {path.with_name('trust.json')}")
    write("See it in the portal: make serve, then open http://127.0.0.1:8000/ and sign in with one of")
    for member in staff.values():
        write(f"    {member.username} ({member.role}), password {member.password}")


def _register(narrator: Narrator) -> None:
    data = Path(settings.DATA_DIR) / "demo" / "digits.npz"
    if RegisteredModel.objects.filter(name=MODEL).exists():
        with narrator.step("The classifier of an earlier run is registered already"):
            return
    with narrator.step("A classifier is trained on 1,200 real handwritten digits of 80 persons") as said:
        splits = digits.write_digits(data)
        folder = Path(settings.DATA_DIR) / "demo" / "weights"
        shutil.rmtree(folder, ignore_errors=True)
        digits.train_classifier(splits["train"], folder)
        share = digits.accuracy(folder, splits["holdout"])
        said.append(f"It gets {share:.1%} of {len(splits['holdout'])} digits right that it never saw.")
    with narrator.step("It is registered, with whose records trained it") as said:
        call_command("register_model", MODEL, weights=str(folder), data=str(data), stdout=io.StringIO())
        # The store has its own copy; this one would outlive the person in it.
        shutil.rmtree(folder)
        model = RegisteredModel.objects.select_related("live").get(name=MODEL)
        version = model.live.sha256[:16] if model.live else ""
        said.append(f"Version {version}… is named by the digest of its files; persons appear as pseudonyms only.")


def _await_start(narrator: Narrator, processes: Processes) -> None:
    with narrator.step("Broker, ledger, worker, beat and web processes start") as said:
        processes.wait_for(lambda: _is_up(processes.url), what="the web process", seconds=WAIT_SECONDS)
        processes.wait_for(MethodCard.objects.exists, what="the worker's catalogue", seconds=WAIT_SECONDS)
        said.append(f"The worker published {MethodCard.objects.count()} methods and audits.")


def _is_up(url: str) -> bool:
    try:
        Client(url).get("/healthz")
    except (HttpError, OSError, ValueError):
        return False
    return True


def _ask(narrator: Narrator, processes: Processes, client: Client) -> tuple[str, Client]:
    address = _next_person()
    with narrator.step(f"{address} asks to be deleted (POST /api/v1/requests)") as said:
        body = {"identifier": {"kind": "email", "value": address}, "ground": "art17_1_b"}
        receipt = client.post("/api/v1/requests", body)
        request_id = str(receipt["id"])
        said.append("The request is in the ledger; the address is sealed in the vault under a key of its own.")
    subject = client.signed_in(f"Subject {receipt['status_token']}")
    with narrator.step("The person confirms the address with the code that was mailed to it") as said:
        code = processes.wait_for(
            lambda: people.mailed_code(address, request_id), what="the mail with the code", seconds=WAIT_SECONDS
        )
        subject.post(f"/api/v1/requests/{request_id}/identity", {"code": code})
        said.append("Recorded: that the address was confirmed, and how. Not recorded: the address.")
    return request_id, subject


def _next_person() -> str:
    """A person of the training set who is still in the model."""
    known = LineageRecord.objects.filter(model__name=MODEL, removed_in=None)
    present = set(known.values_list("subject_pseudonym", flat=True))
    for number in range(digits.N_TRAIN_PERSONS):
        address = f"person{number:03d}@example.org"
        if pseudonym_of("email", address) in present:
            return address
    raise DemoError(f"Everybody has been forgotten. Start afresh: rm -r {settings.DATA_DIR}")


def _decide(narrator: Narrator, dpo: Client, request_id: str) -> None:
    with narrator.step("The data protection officer looks at the scope and approves") as said:
        scope = dpo.get(f"/api/v1/staff/requests/{request_id}/scope")
        dpo.post(f"/api/v1/staff/requests/{request_id}/approve", {"ground": "art17_1_b"})
        counts = [row["n_records"] for row in scope["models"]]
        n_holding = sum(1 for count in counts if count)
        said.append(
            f"{n_holding} of {len(counts)} registered models holds {sum(counts)} records of this person: frozen with "
            "the decision."
        )


def _forget(narrator: Narrator, processes: Processes, subject: Client, dpo: Client, request_id: str) -> None:
    with narrator.step("A separate worker process unlearns, retrains a control, and audits both") as said:
        path = f"/api/v1/requests/{request_id}"
        ended = ("signoff", "attention")
        processes.wait_for(lambda: subject.get(path)["state"] in ended, what="the worker", seconds=WAIT_SECONDS)
        detail = dpo.get(f"/api/v1/staff/requests/{request_id}")
        if detail["state"] != "signoff":
            raise DemoError(f"The request needs attention: {json.dumps(detail['targets'], default=str)[:600]}")
        said += [line for target in detail["targets"] for line in _findings(target)]


def _findings(target: dict[str, Any]) -> list[str]:
    lines = []
    for row in target["findings"]:
        finding = row["result"]
        interval = f", interval {finding['interval']}" if finding["interval"] else ""
        lines.append(
            f"{finding['audit']}: {finding['verdict']} ({finding['statistic']} = {finding['value']:.4g}, "
            f"threshold {finding['threshold']:.4g}{interval})"
        )
        details = finding["details"]
        if "auc_before" in details:
            lines.append(
                f"The attack told this person's records from strangers' with AUC {details['auc_before']:.2f} before; "
                f"now {details['auc_after']:.2f}, against {details['auc_reference']:.2f} for a model retrained without them."
            )
    return lines


def _sign_off(narrator: Narrator, dpo: Client, operator: Client, request_id: str) -> None:
    with narrator.step("A second person signs it off; the one who decided may not") as said:
        path = f"/api/v1/staff/requests/{request_id}/sign-off"
        try:
            dpo.post(path)
        except HttpError as error:
            said.append(
                f"The officer was refused (HTTP {error.status}): the four-eyes rule is enforced, not asked for."
            )
        else:
            raise DemoError("The person who decided could also sign off: the four-eyes rule does not hold.")
        operator.post(path)
        said.append("The new version is released; the old weights have a date on which they are destroyed.")


def _export(narrator: Narrator, processes: Processes, auditor: Client, request_id: str) -> Path:
    with narrator.step("The auditor downloads the bundle") as said:
        path = Path(settings.DATA_DIR) / "demo" / f"{request_id}.zip"
        archive = processes.wait_for(
            lambda: _downloaded(auditor, request_id), what="the signed checkpoint", seconds=WAIT_SECONDS
        )
        path.write_bytes(archive)
        _write_trust(path.parent)
        with zipfile.ZipFile(path) as opened:
            n_files = len(opened.namelist())
        said.append(f"{n_files} files, {len(archive) / 1024:.0f} KiB: entries, proofs, signed evidence, policy, keys.")
    return path


def _downloaded(auditor: Client, request_id: str) -> bytes | None:
    try:
        return auditor.download(f"/api/v1/audit/requests/{request_id}/bundle")
    except HttpError as error:
        if error.status != 409:
            raise
        return None


def _write_trust(folder: Path) -> None:
    """The trust file: an auditor gets it on another way than the bundle."""
    (folder / "trust.json").write_bytes(trust.write(current_trust()))


def _verify(narrator: Narrator, path: Path) -> None:
    with narrator.step("The bundle is verified offline, in a process without server or database") as said:
        result = _verifier(path)
        if result.returncode != 0:
            raise DemoError(f"The bundle does not verify: {result.stderr}")
        report = json.loads(result.stdout)
        said.append(f"All {len(report['steps'])} steps hold under the pinned trust file. State: {report['state']}.")
        said += [line.strip() for line in report["conclusions"] if "claim" in line or line.startswith("Target")]


def _refuse_tampered(narrator: Narrator, path: Path) -> None:
    with narrator.step("A copy with one changed byte in the evidence is refused") as said:
        tampered = path.with_suffix(".tampered.zip")
        _change_one_byte(path, tampered)
        result = _verifier(tampered)
        if result.returncode == 0:
            raise DemoError("The tampered bundle was accepted.")
        refusal = json.loads(result.stdout)
        said.append(f"Exit code {refusal['code']} ({refusal['name']}): {refusal['meaning']}.")


def _verifier(path: Path) -> subprocess.CompletedProcess[str]:
    pinned = ["--trust", str(path.with_name("trust.json"))]
    command = [sys.executable, "-m", "compliance.evidence", "verify", str(path), *pinned, "--json"]
    return subprocess.run(command, capture_output=True, text=True, cwd=settings.ROOT, check=False)


def _change_one_byte(source: Path, copy: Path) -> None:
    """Let one signed statement speak of other records, and pack it as carefully as the service would."""
    contents = bundle.read(source.read_bytes())
    first = contents.evidence[0]
    envelope = dsse.parse_envelope(first.envelope)
    payload = envelope.payload.replace(b'"n_forget":1', b'"n_forget":2', 1)
    forged = replace(first, envelope=replace(envelope, payload=payload).to_bytes())
    copy.write_bytes(bundle.write(replace(contents, evidence=(forged, *contents.evidence[1:]))))
