from django.apps import AppConfig


class SuppressionConfig(AppConfig):
    name = "compliance.suppression"
    label = "suppression"
