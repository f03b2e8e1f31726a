"""Books have a weight, which is told from their pages at first."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models
from django.db.models import F

GRAMS_A_PAGE = 2.5


def weigh(apps: Any, _schema_editor: Any) -> None:
    apps.get_model("library", "Book").objects.update(weight=F("pages") * GRAMS_A_PAGE)


class Migration(migrations.Migration):
    """A column, and what it holds for the rows that are there."""

    dependencies = [("library", "0001_initial")]

    operations = [
        migrations.AddField("Book", "weight", models.FloatField(null=True)),
        migrations.RunPython(weigh, migrations.RunPython.noop),
    ]
