"""docker-compose.yml and .env.example: who may read which secret, what is reachable, and that the settings load."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

ROOT: Path = settings.ROOT
FILE = ROOT / "docker-compose.yml"
SERVICES: dict[str, Any] = yaml.safe_load(FILE.read_text())["services"]
DECLARED: dict[str, Any] = yaml.safe_load(FILE.read_text())
APP = [name for name, service in SERVICES.items() if service["image"].startswith("expunge:")]
# Started by hand and gone when it has made the keys.
SETUP = "keys"
LEDGER = ("sequencer", "checkpointer", "publisher")
TRUST = "${TRUST_FOLDER"
# Addresses that hold no password.
OPEN_ADDRESSES = {"TORCH_INDEX_URL", "EXPUNGE_TSA_URL"}
SECRET_WORDS = re.compile("password|secret|token|_key$|_key_file$|_url$|_url_file$", re.IGNORECASE)


def variables() -> dict[str, str]:
    """Each ${VARIABLE} of the file with what follows the name: `:-default`, `:?message` or nothing."""
    return dict(re.findall(r"\$\{([A-Z_]+)((?::[-?])[^}]*)?\}", FILE.read_text()))


def mounted(service: str) -> set[str]:
    """The first halves of a service's volumes: names, or folders of the host."""
    return {volume.partition(":")[0] for volume in SERVICES[service].get("volumes", [])}


def test_the_services_are_those_of_the_manual() -> None:
    assert set(SERVICES) == {"db", "redis", "migrate", SETUP, *LEDGER, "web", "worker", "worker-gpu", "beat"}


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_stands_in_the_file(name: str) -> None:
    """A variable that sounds like a secret names a file that the service is given as a secret."""
    environment: dict[str, str] = SERVICES[name].get("environment", {})
    sounding = {
        key: value for key, value in environment.items() if SECRET_WORDS.search(key) and key not in OPEN_ADDRESSES
    }
    given = {f"/run/secrets/{secret}" for secret in SERVICES[name]["secrets"]}

    assert sounding or name == "redis", "redis reads its one secret in its command"
    assert {key: value for key, value in sounding.items() if value not in given or not key.endswith("_FILE")} == {}


def test_every_secret_is_a_file_outside_the_source() -> None:
    assert set(DECLARED["secrets"]) == {secret for service in SERVICES.values() for secret in service["secrets"]}
    for name, secret in DECLARED["secrets"].items():
        assert secret == {"file": f"./secrets/{name}"}
    assert "/secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    assert "secrets" in (ROOT / ".dockerignore").read_text().splitlines()


def test_no_variable_that_sounds_like_a_secret_is_read_from_env() -> None:
    assert [name for name in variables() if SECRET_WORDS.search(name) and name not in OPEN_ADDRESSES] == []


def test_the_example_lists_the_variables_that_the_file_reads() -> None:
    listed = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)

    assert sorted(listed) == sorted(variables())


def test_the_key_of_the_ledger_is_in_one_service() -> None:
    assert [name for name in SERVICES if "ledger-key" in mounted(name) and name != SETUP] == ["checkpointer"]


def test_what_was_signed_is_remembered_by_the_one_that_signs() -> None:
    assert [name for name in SERVICES if "checkpoint-guard" in mounted(name)] == ["checkpointer"]
    assert mounted("checkpointer") == {"ledger-key", "checkpoint-guard"}
    assert mounted("sequencer") == set()


def test_the_published_log_is_written_by_the_publisher_and_read_by_the_web_server() -> None:
    volumes = {name: SERVICES[name].get("volumes", []) for name in SERVICES}
    assert {name for name in SERVICES if "log" in mounted(name)} == {"publisher", "web"}
    assert "log:/var/lib/expunge/log:ro" in volumes["web"]
    assert {name for name in SERVICES if TRUST in mounted(name)} == {"publisher", "web", SETUP}


def test_the_key_of_evidence_is_with_the_workers_alone() -> None:
    assert [name for name in SERVICES if "evidence-key" in mounted(name) and name != SETUP] == ["worker", "worker-gpu"]


def test_the_service_with_both_keys_is_started_by_hand() -> None:
    assert mounted(SETUP) == {"ledger-key", "evidence-key", TRUST}
    assert SERVICES[SETUP]["profiles"] == ["setup"]
    assert SERVICES[SETUP]["restart"] == "no"


@pytest.mark.parametrize("name", ["db", "redis", "sequencer", "checkpointer", "migrate", SETUP])
def test_what_needs_no_way_out_has_none(name: str) -> None:
    assert SERVICES[name]["networks"] == ["inside"]
    assert "ports" not in SERVICES[name]
    assert DECLARED["networks"]["inside"] == {"internal": True}


def test_only_the_web_server_is_reachable_and_only_from_this_host() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "web": ["127.0.0.1:${PORT:-8000}:8000"]
    }


@pytest.mark.parametrize("name", APP)
def test_every_process_of_ours_is_confined(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "user" not in service, "the image chooses the user"


@pytest.mark.parametrize("name", [name for name in APP if name != "migrate"])
def test_every_process_of_ours_waits_for_the_migrations(name: str) -> None:
    assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_the_worker_with_an_accelerator_is_asked_for_by_profile() -> None:
    service = SERVICES["worker-gpu"]
    (device,) = service["deploy"]["resources"]["reservations"]["devices"]

    assert service["profiles"] == ["gpu"]
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}


@pytest.mark.parametrize("name", ["worker", "worker-gpu"])
def test_workers_do_not_fork(name: str) -> None:
    command = SERVICES[name]["command"]

    assert command[command.index("-P") + 1] == "solo"


def test_every_command_of_django_exists() -> None:
    commands = {service["command"][2] for service in SERVICES.values() if "manage.py" in service.get("command", [])}

    assert commands == {"migrate", "keys", *LEDGER}
    assert commands <= set(get_commands())


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the manual's own commands make."""
    folder = tmp_path_factory.mktemp("installation")
    (script,) = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "operate.md").read_text(), flags=re.DOTALL)
    subprocess.run(["sh", "-eu", "-c", script], cwd=folder, check=True)
    return folder / "secrets"


def test_the_manual_makes_every_secret_and_keeps_others_out(secrets: Path) -> None:
    assert {file.name for file in secrets.iterdir()} == set(DECLARED["secrets"])
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert (secrets / "database_password").read_text() in (secrets / "database_url").read_text()
    assert (secrets / "redis_password").read_text() in (secrets / "redis_url").read_text()


def test_every_process_of_ours_is_given_the_same() -> None:
    for name in APP:
        assert SERVICES[name]["environment"] == SERVICES["web"]["environment"]
        assert SERVICES[name]["secrets"] == SERVICES["web"]["secrets"]


def test_the_settings_load_with_what_a_process_is_given(secrets: Path, tmp_path: Path) -> None:
    """Outside DEBUG, with the manual's secrets, Django's own check for deployments finds nothing."""
    result = subprocess.run(
        [sys.executable, ROOT / "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env=environment("web", secrets) | {"EXPUNGE_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr
    assert list(tmp_path.iterdir()) == [], "the root file system of a container is read-only"


def environment(name: str, secrets: Path) -> dict[str, str]:
    """What the service finds: the example's values, filled in where they have to be."""
    example = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))
    example |= {name: "expunge.example.org" for name, rest in variables().items() if rest.startswith(":?")}

    def filled(match: re.Match[str]) -> str:
        return example[match[1]] or (match[2] or "").removeprefix(":-")

    texts: dict[str, str] = SERVICES[name]["environment"]
    values = {key: re.sub(r"\$\{([A-Z_]+)((?::[-?])[^}]*)?\}", filled, text) for key, text in texts.items()}
    values = {key: value.replace("/run/secrets", str(secrets)) for key, value in values.items()}
    return {"PATH": os.environ["PATH"], **values}
