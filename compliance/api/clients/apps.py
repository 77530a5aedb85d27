from django.apps import AppConfig


class ClientsConfig(AppConfig):
    name = "compliance.api.clients"
    label = "api_clients"
