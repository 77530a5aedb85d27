"""The journey needs a real model in service, as the workers' tests have it."""

from tests.workers.conftest import artifacts_dir, digits_folder, live

__all__ = ["artifacts_dir", "digits_folder", "live"]
