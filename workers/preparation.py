"""What must be there before the processes start: tables, keys, and the public halves in the ledger."""

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError

from compliance.ledger import keys
from compliance.ledger.models import PublicKey
from workers.embedded_broker import BrokerError
from workers.processes import ProcessError

#: What can go wrong before and while the processes run, each with a sentence of its own.
STARTING_FAILS = (ProcessError, BrokerError, DatabaseError, OSError)


def prepare() -> None:
    """Migrate the database and make what is missing; repeating it changes nothing."""
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    call_command("migrate", verbosity=0, interactive=False)
    if not PublicKey.objects.exists():
        # Only for a ledger that has none: a key that went missing later must be restored, never silently replaced.
        keys.create_missing()
    keys.publish_evidence_key()
