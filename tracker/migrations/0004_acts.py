import django.db.models.deletion
import django.db.models.functions.datetime
import tracker.models.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tracker", "0003_names_by_sound"),
    ]

    operations = [
        migrations.CreateModel(
            name="Act",
            fields=[
                ("context", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    tracker.models.fields.CodedField(
                        codes=("merge", "undo", "intake", "import", "journey", "sum", "publish"),
                        editable=False,
                        verbose_name="kind",
                    ),
                ),
                ("why", models.TextField(blank=True, default="", editable=False, verbose_name="why")),
                ("about", models.JSONField(default=dict, editable=False)),
                (
                    "ended",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name="done"
                    ),
                ),
                ("records", models.PositiveIntegerField(editable=False, verbose_name="records")),
                (
                    "by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
            ],
            options={
                "verbose_name": "act",
                "verbose_name_plural": "acts",
                "indexes": [models.Index(fields=["-ended", "-context"], name="tracker_act_ended_78f26a_idx")],
            },
        ),
        # the merges, and what was taken back, of before; each changed a person
        migrations.RunSQL(
            """
            INSERT INTO tracker_act (context, kind, by_id, why, about, ended, records)
            SELECT h.pgh_context_id, min(h.pgh_context->>'act'), u.id, min(coalesce(h.pgh_context->>'why', '')),
                jsonb_strip_nulls(jsonb_build_object(
                    'merged', min(h.pgh_context->>'merged'), 'undoes', min(h.pgh_context->>'undoes'))),
                max(h.pgh_created_at), count(DISTINCT h.pgh_obj_id)
            FROM tracker_personhistory h LEFT JOIN tracker_user u ON u.id::text = h.pgh_context->>'user'
            WHERE h.pgh_context->>'act' IN ('merge', 'undo')
            GROUP BY h.pgh_context_id, u.id
            ON CONFLICT DO NOTHING
            """,
            migrations.RunSQL.noop,
        ),
    ]
