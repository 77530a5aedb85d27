"""A real, durable PostgreSQL with the product's own tables, in a folder that goes when the measurement ends."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.services import postgres


@dataclass(frozen=True)
class Installation:
    """A folder for files, and the server, None when DATABASE_URL names one of somebody else's."""

    folder: Path
    server: postgres.Postgres | None

    def crash(self) -> None:
        """Stop the server as a power cut would, and let it recover; nothing where it is somebody else's."""
        if self.server is not None:
            self.server.stop()
            self.server.restart()


@contextmanager
def installation(disk: Path | None = None) -> Iterator[Installation]:
    """Start it, make the tables and set up Django; with `disk`, the database lies in that folder."""
    with tempfile.TemporaryDirectory(prefix="expunge-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        given = None if disk else postgres.given_url()
        server = None if given else postgres.Postgres((disk or folder) / "postgres", durable=True)
        url = given or (server.start().removesuffix("/expunge") + "/postgres" if server else "")
        set_environment(folder / "data", url)
        import django

        django.setup()
        from django.core.management import call_command

        try:
            call_command("migrate", verbosity=0)
            yield Installation(folder, server)
        finally:
            from django.db import connection

            connection.close()
            if server is not None:
                server.stop()


def set_environment(data: Path, url: str) -> None:
    """What Django and its child processes read."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "compliance.settings",
        "EXPUNGE_DEBUG": "1",
        "EXPUNGE_LOG_LEVEL": "ERROR",
        "EXPUNGE_DATA_DIR": str(data),
        "EXPUNGE_DISPATCHER": "compliance.requests.dispatch.NullDispatcher",
        "DATABASE_URL": url,
    }
