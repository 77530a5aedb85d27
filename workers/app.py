"""The Celery application: two queues, ids as JSON, no results. The rows in the database say what is to be done.

``celery -A workers.app worker`` runs jobs, ``celery -A workers.app beat`` asks for a sweep now and then. A message is
acknowledged after its work, and a worker takes one at a time, but nothing rests on that: a lost message is sent again
by the sweep, and one that comes twice finds nothing to do.

Next: workers/tasks.py
"""

import os
from typing import Any

# Read by the OpenMP runtime when torch is imported: threads that spin while they wait starve the processes beside.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "compliance.settings")

from celery import Celery, signals  # type: ignore[import-untyped]
from django.conf import settings
from kombu.entity import Queue

from workers.embedded_broker import broker_url

CPU, GPU = "cpu", "gpu"
#: Far longer than any job: redelivery to a second worker while the first is at work is only noise.
VISIBILITY_SECONDS = 7 * 24 * 3600

# Because DJANGO_SETTINGS_MODULE is set, Celery itself calls django.setup() before it imports the tasks, and closes
# database connections between them.
app: Any = Celery("expunge", include=["workers.tasks"])
app.conf.update(
    broker_url=broker_url(),
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_connection_timeout=2,
    broker_transport_options={"visibility_timeout": VISIBILITY_SECONDS, "socket_keepalive": True},
    task_queues=[Queue(name, routing_key=name) for name in (CPU, GPU)],  # type: ignore[no-untyped-call]
    task_create_missing_queues=False,
    task_default_queue=CPU,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    worker_prefetch_multiplier=1,
    # In one process: a child that was forked after torch ran would hang (its threads are not copied).
    worker_pool="solo",
    worker_concurrency=1,
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    # The schedule is this one entry, so nothing is kept in a file.
    beat_scheduler="celery.beat:Scheduler",
    beat_schedule={
        "sweep": {
            "task": "workers.tasks.sweep",
            "schedule": settings.SWEEP_SECONDS,
            # While all workers are busy, sweeps do not pile up.
            "options": {"queue": CPU, "expires": settings.SWEEP_SECONDS},
        }
    },
    timezone="UTC",
)


@signals.worker_init.connect  # type: ignore[untyped-decorator]
def publish_catalogue(**_: object) -> None:
    """A worker that cannot say what it can do, or sign what it did, does not start."""
    from workers import catalogue, faults

    try:
        catalogue.publish()
    except Exception as error:
        # Celery would log an Exception and start the worker all the same.
        raise SystemExit(f"The worker cannot start: {error or faults.describe(error)}") from error
