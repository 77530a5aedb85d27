from django.apps import AppConfig


class ControllersConfig(AppConfig):
    name = "compliance.controllers"
    label = "controllers"

    def ready(self) -> None:
        """Registers the checks."""
        from compliance.controllers import checks  # noqa: F401 - importing it registers them
