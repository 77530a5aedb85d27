"""Real witnesses on this machine, each with a folder, a key and a port of its own, and policies that name them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import checkpoint, consistency, cosignature, witness_policy
from compliance.evidence.witness import store
from compliance.evidence.witness.cosigner import Cosigner
from compliance.evidence.witness.server import WitnessServer
from compliance.evidence.witness.service import Answer
from compliance.evidence.witness.store import Store
from compliance.evidence.witness_policy import Group, Witness, WitnessPolicy
from compliance.ledger import keys, notes
from compliance.ledger.models import Log, SignedCheckpoint
from tests.services.free_port import free_port


@dataclass(frozen=True)
class RunningWitness:
    """A witness that answers; `store` is its memory."""

    name: str
    vkey: str
    url: str
    store: Store

    def watch(self, head: SignedCheckpoint) -> None:
        """Let it know the log of this head, as its operator would."""
        self.store.add_log(notes.vkey_of(bytes(head.note)))

    def show(self, log: Log, size: int, root: bytes) -> Answer:
        """Show it a first head of this log that the ledger's own key signed, true or not."""
        head = checkpoint.Checkpoint(origin=log.origin, size=size, root=root)
        note = checkpoint.sign(head, log.origin, keys.log_signer(log))
        return Cosigner(self.store).add_checkpoint(consistency.write(0, [], note))


@contextmanager
def running(folder: Path, name: str) -> Iterator[RunningWitness]:
    """A witness for the time of the block."""
    key = store.create(folder, name)
    with Store.open(folder) as opened:
        server = WitnessServer(("127.0.0.1", 0), Cosigner(opened))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield RunningWitness(name, str(key), f"http://127.0.0.1:{server.server_port}", opened)
        finally:
            server.stop()
            thread.join()


def policy_of(*witnesses: RunningWitness | Witness, threshold: int = 1) -> WitnessPolicy:
    """So many of these witnesses are asked for."""
    members = tuple(Witness(each.name, each.vkey, each.url) for each in witnesses)
    group = Group("enough", threshold, tuple(member.name for member in members))
    policy = WitnessPolicy(logs=(), witnesses=members, groups=(group,), quorum="enough")
    assert witness_policy.parse(witness_policy.write(policy)) == policy
    return policy


def away(name: str) -> Witness:
    """A witness that nobody runs."""
    key = Ed25519PrivateKey.generate().public_key()
    return Witness(name, cosignature.vkey(name, key), f"http://127.0.0.1:{free_port()}")
