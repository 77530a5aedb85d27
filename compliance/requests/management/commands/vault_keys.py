"""`manage.py vault_keys`: create, list, rotate and retire the master keys of the vault."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compliance.ledger.readiness import refuse_missing_tables
from compliance.vault import ring
from compliance.vault.errors import VaultError
from compliance.vault.turning import folder_of_keys, n_wrapped_under, retire, rotate


class Command(BaseCommand):
    help = "The master keys that wrap the vault's keys. docs/operate.md tells when to rotate and when to retire."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        verbs.add_parser(
            "create", help="make a key, which does not wrap yet: copy it to every machine, then rotate to it"
        )
        verbs.add_parser("list", help="show the keys held here, and how many rows are wrapped under each")
        rotate = verbs.add_parser("rotate", help="let another key wrap from now on; old ones still open")
        rotate.add_argument("--to", metavar="KEY", help="a key that is in the folder; without it a new one is made")
        retiring = verbs.add_parser("retire", help="destroy a key under which nothing is wrapped any more")
        retiring.add_argument("key", metavar="KEY", help="its id, as `list` shows it")
        retiring.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        refuse_missing_tables()
        handlers = {"create": self._create, "list": self._list, "rotate": self._rotate, "retire": self._retire}
        try:
            handlers[verb](options)
        except VaultError as error:
            raise CommandError(str(error)) from error

    def _create(self, options: dict[str, Any]) -> None:
        folder = folder_of_keys()
        key_id = folder.create().key_id
        self.stdout.write(f"created {folder.path / key_id}.key")
        if folder.current_id() == key_id:
            self.stdout.write("It is the first key of the folder, and wraps from now on.")
        else:
            self.stdout.write(
                f"It does not wrap yet. Copy its file to every machine, then run `vault_keys rotate --to {key_id}` on each."
            )

    def _list(self, options: dict[str, Any]) -> None:
        for key in ring.configured().held():
            use = "current" if key.is_current else "opens only"
            self.stdout.write(f"{key.key_id}  {use:10}  {n_wrapped_under(key.key_id):>8} rows  {key.place}")
        n_unnamed = n_wrapped_under("")
        if n_unnamed:
            self.stdout.write(f"{n_unnamed} rows from before keys had ids, under VAULT_MASTER_KEY: run `rewrap_vault`.")

    def _rotate(self, options: dict[str, Any]) -> None:
        key_id = rotate(options["to"])
        self.stdout.write(
            f"The current key is {key_id}. Next: `manage.py rewrap_vault`, then `vault_keys retire` for the old ones, once "
            "no backup is needed that was made before the rewrap."
        )

    def _retire(self, options: dict[str, Any]) -> None:
        key_id = options["key"]
        if not options["yes"] and not _is_meant(key_id):
            raise CommandError("Nothing was destroyed.")
        retire(key_id)
        self.stdout.write(
            f"The key {key_id} is destroyed here. Delete its file on other machines, too. Backups of the file die on a "
            "schedule of their own: until then they open older copies of the vault."
        )


def _is_meant(key_id: str) -> bool:
    try:
        return (
            input(f"Destroy the key {key_id} for ever? Backups of the vault that need it are lost. Type yes: ") == "yes"
        )
    except EOFError as error:
        raise CommandError("Nothing was destroyed: there is nobody to ask. Without a terminal give --yes.") from error
