"""What must be there before the processes start: tables, keys, and the public halves in the ledger."""

from django.conf import settings
from django.core.management import call_command

from compliance.ledger import keys


def prepare() -> None:
    """Migrate the database and make what is missing; repeating it changes nothing."""
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    call_command("migrate", verbosity=0, interactive=False)
    keys.create_missing()
    keys.publish_checkpoint_key()
    keys.publish_evidence_key()
