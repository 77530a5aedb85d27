from django.apps import AppConfig


class RecipientsConfig(AppConfig):
    name = "compliance.recipients"
    label = "recipients"
