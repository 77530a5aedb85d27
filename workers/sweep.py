"""Now and then: what was lost on the way is sent again, and what has had its time is destroyed: weights out of use, and
the identities of closed requests.

It decides nothing. Which work is overdue and what is due are queries over rows; each is bounded, and doing a piece of
work twice changes nothing.
"""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from compliance.api.clients.expiry import forget_expired
from compliance.identity import silence
from compliance.intake.receiving import forget_old_keys
from compliance.ledger import hold
from compliance.ledger.actors import SYSTEM
from compliance.outbound import engine
from compliance.registry.actions.destroy_version import destroy_version
from compliance.registry.errors import RegistryError
from compliance.registry.models import ModelVersion, VersionState
from compliance.requests import queries, retention
from compliance.requests.actions.close_unverified import close_unverified
from compliance.requests.actions.remind_of_identity import remind_of_identity
from compliance.requests.actions.remind_staff import remind_staff
from compliance.requests.actions.shred import shred
from compliance.requests.dispatch import dispatcher
from compliance.requests.errors import RequestError
from workers import artifacts

logger = logging.getLogger(__name__)

#: Weights that no row knows are kept this long, for the row may still be on its way: seconds.
UNKNOWN_SECONDS = artifacts.ABANDONED_SECONDS


def sweep() -> None:
    """One round."""
    now = datetime.now(tz=UTC)
    lost = queries.lost_work(now)
    _send_again(lost)
    _deliver_again(now)
    _ask_the_silent(now)
    _remind_staff(now)
    forget_old_keys(now)
    forget_expired(now)
    if hold.current() is None:
        # While rows are older than the ledger, as after a restore, they do not tell what is out of use.
        _record_destructions(lost)
        _shred_due(now)
        _delete_files_out_of_use()
        artifacts.tidy()


def _send_again(lost: queries.Lost) -> None:
    send = dispatcher()
    for request_id in lost.identities:
        send.ask_identity(request_id)
    for request_id in lost.searches:
        send.search_sources(request_id)
    for request_id in lost.plans:
        send.plan(request_id)
    for job_id, queue in lost.jobs:
        send.run_job(job_id, queue)
    for request_id in lost.summaries:
        send.summarise(request_id)
    for letter_id in lost.letters:
        send.send_letter(letter_id)


def _deliver_again(now: datetime) -> None:
    """Deliveries to other systems whose next try is due, and those whose message was lost."""
    send = dispatcher()
    for delivery_id in engine.due(now):
        send.deliver(delivery_id)


def _record_destructions(lost: queries.Lost) -> None:
    for version_id in lost.destructions:
        try:
            destroy_version(version_id, actor=SYSTEM)
        except RegistryError:
            logger.info("version %s: in use again, not destroyed", version_id)


def _shred_due(now: datetime) -> None:
    for request_id in retention.due(now):
        with _skipping("not shredded", request_id):
            shred(request_id, actor=SYSTEM)


def _ask_the_silent(now: datetime) -> None:
    """People who were asked for a proof of identity and do not answer are reminded once; in the end it is closed."""
    silent = silence.silent(now)
    for request_id in silent.to_remind:
        with _skipping("not reminded", request_id):
            remind_of_identity(request_id)
    for request_id in silent.to_close:
        with _skipping("not closed", request_id):
            close_unverified(request_id, actor=SYSTEM)


def _remind_staff(now: datetime) -> None:
    try:
        remind_staff(now)
    except OSError as error:
        # Of smtplib, too. What the server says may quote addresses.
        logger.warning("staff could not be reminded (%s); the next sweep tries again", type(error).__name__)


@contextmanager
def _skipping(what: str, request_id: uuid.UUID) -> Iterator[None]:
    """One request that cannot be served must not keep the sweep from the others."""
    try:
        yield
    except RequestError as error:
        logger.info("request %s: %s, %s", request_id, what, error.code)


def _delete_files_out_of_use() -> None:
    """Delete every stored version whose rows all say destroyed, and old ones that no row knows.

    It starts from the files, not from what was just recorded: so it also finishes what a crash left half done.
    """
    ages = artifacts.stored()
    rows = ModelVersion.objects.filter(sha256__in=ages).values_list("sha256", "status")
    known = {digest for digest, _ in rows}
    in_use = {digest for digest, status in rows if status != VersionState.DESTROYED}
    for digest, age in ages.items():
        if digest in known - in_use or (digest not in known and age > UNKNOWN_SECONDS):
            artifacts.destroy(digest)
            logger.info("weights %s: deleted", digest)
