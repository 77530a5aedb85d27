from django.apps import AppConfig


class OutboundConfig(AppConfig):
    name = "compliance.outbound"
    label = "outbound"
