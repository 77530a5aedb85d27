from django.apps import AppConfig


class IntakeConfig(AppConfig):
    name = "compliance.intake"
    label = "intake"
