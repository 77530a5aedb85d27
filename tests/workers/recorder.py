"""A dispatcher that writes down what it was asked to send."""

import uuid

SENT: list[tuple[str, object]] = []


class Recorder:
    """Implements `compliance.requests.dispatch.Dispatcher`; `settings.DISPATCHER` names it."""

    def ask_identity(self, request_id: uuid.UUID) -> None:
        SENT.append(("ask_identity", request_id))

    def search_sources(self, request_id: uuid.UUID) -> None:
        SENT.append(("search_sources", request_id))

    def plan(self, request_id: uuid.UUID) -> None:
        SENT.append(("plan", request_id))

    def run_job(self, job_id: uuid.UUID, queue: str) -> None:
        SENT.append((f"run_job on {queue}", job_id))

    def send_letter(self, letter_id: int) -> None:
        SENT.append(("send_letter", letter_id))

    def deliver(self, delivery_id: uuid.UUID) -> None:
        SENT.append(("deliver", delivery_id))
