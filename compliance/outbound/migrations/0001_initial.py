"""Deliveries to other systems, their tries, and webhooks."""

import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Webhook",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=80, unique=True)),
                ("url", models.CharField(max_length=2048)),
                ("event_types", models.JSONField()),
                ("is_active", models.BooleanField(default=True)),
                ("created_by", models.UUIDField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=40)),
                ("subject_id", models.UUIDField()),
                ("url", models.CharField(max_length=2048)),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "Pending"), ("delivered", "Delivered"), ("gave_up", "Given up")],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("n_tries", models.PositiveSmallIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(null=True)),
                ("give_up_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
                ("delivered_at", models.DateTimeField(null=True)),
                ("alarmed_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "pending")), fields=["next_try_at"], name="deliveries_due"
                    ),
                    models.Index(fields=["-created_at", "-id"], name="deliveries_by_time"),
                    models.Index(fields=["kind", "subject_id"], name="deliveries_by_subject"),
                    models.Index(
                        condition=models.Q(("alarmed_at__isnull", False)),
                        fields=["alarmed_at"],
                        name="deliveries_alarmed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookMessage",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("event_type", models.CharField(max_length=64)),
                ("occurred_at", models.DateTimeField()),
                ("request_id", models.UUIDField(null=True)),
                ("request_state", models.CharField(blank=True, max_length=20)),
                ("due_date", models.DateField(null=True)),
                (
                    "webhook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="messages", to="outbound.webhook"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WebhookSecret",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("wrapped_key", models.BinaryField()),
                ("master_key_id", models.CharField(max_length=16)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
                (
                    "webhook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="secrets", to="outbound.webhook"
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="DeliveryAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("status_code", models.PositiveSmallIntegerField(null=True)),
                (
                    "failure",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("address_refused", "the address is not one that may be reached"),
                            ("name_unknown", "the name of the host leads nowhere"),
                            ("no_connection", "nobody took the connection, or it broke"),
                            ("tls_failed", "the certificate does not prove the host"),
                            ("timed_out", "no answer in time"),
                            ("bad_answer", "the answer is no HTTP"),
                            ("not_rendered", "the message could not be made"),
                            ("not_wanted", "nobody wants it any more"),
                            ("tries_used_up", "all tries were used up, some by workers that died"),
                            ("no_record", "being sent, or the worker died"),
                        ],
                        max_length=16,
                    ),
                ),
                ("duration_ms", models.PositiveIntegerField(default=0)),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="attempts", to="outbound.delivery"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "indexes": [models.Index(fields=["at"], name="attempts_by_time")],
            },
        ),
    ]
