"""The first tables: sessions, offered keys, projections."""

from typing import Any, ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies: ClassVar[list[Any]] = []

    operations: ClassVar[list[Any]] = [
        migrations.CreateModel(
            name="Case",
            fields=[
                ("case", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("status", models.CharField(db_index=True, max_length=20)),
                ("point", models.CharField(max_length=30)),
                ("lots", models.CharField(max_length=400)),
                ("coi", models.CharField(max_length=20)),
                ("opened", models.CharField(max_length=27)),
            ],
        ),
        migrations.CreateModel(
            name="Cursor",
            fields=[
                ("name", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("position", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("position", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.CharField(db_index=True, max_length=27)),
                ("actor", models.CharField(db_index=True, max_length=100)),
                ("type", models.CharField(db_index=True, max_length=60)),
                ("stream", models.CharField(db_index=True, max_length=120)),
                ("coi", models.CharField(db_index=True, max_length=20)),
                ("text", models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name="Lot",
            fields=[
                ("lot", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("coi", models.CharField(db_index=True, max_length=20)),
                ("order", models.CharField(max_length=40)),
                ("product", models.CharField(max_length=60)),
                ("recipe", models.CharField(max_length=60)),
                ("recipe_version", models.CharField(max_length=20)),
                ("status", models.CharField(db_index=True, max_length=20)),
                ("step", models.CharField(max_length=60)),
                ("running", models.BooleanField()),
                ("done", models.IntegerField()),
                ("rooms", models.CharField(max_length=120)),
                ("due", models.CharField(db_index=True, max_length=27)),
                ("doubt", models.BooleanField()),
                ("open_findings", models.IntegerField()),
                ("release", models.CharField(max_length=30)),
                ("moved", models.CharField(db_index=True, max_length=27)),
            ],
        ),
        migrations.CreateModel(
            name="OfferedKey",
            fields=[
                ("credential", models.CharField(max_length=400, primary_key=True, serialize=False)),
                ("person", models.CharField(max_length=80)),
                ("public_key", models.CharField(max_length=200)),
                ("offered", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Order",
            fields=[
                ("order", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("coi", models.CharField(db_index=True, max_length=20)),
                ("pair", models.CharField(db_index=True, max_length=40)),
                ("product", models.CharField(max_length=60)),
                ("hospital", models.CharField(max_length=120)),
                ("linked", models.CharField(max_length=40)),
                ("stage", models.CharField(db_index=True, max_length=30)),
                ("doubt", models.BooleanField()),
                ("placed", models.CharField(max_length=27)),
                ("moved", models.CharField(db_index=True, max_length=27)),
            ],
        ),
        migrations.CreateModel(
            name="Room",
            fields=[
                ("room", models.CharField(max_length=60, primary_key=True, serialize=False)),
                ("room_class", models.CharField(max_length=60)),
                ("exclusive", models.BooleanField()),
                ("cleared", models.BooleanField()),
                ("coi", models.CharField(max_length=20)),
                ("lot", models.CharField(max_length=40)),
                ("since", models.CharField(max_length=27)),
            ],
        ),
        migrations.CreateModel(
            name="Seat",
            fields=[
                ("session", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("person", models.CharField(db_index=True, max_length=80)),
                ("means", models.CharField(max_length=40)),
                ("address", models.CharField(max_length=64)),
                ("began", models.DateTimeField()),
                ("seen", models.DateTimeField()),
            ],
        ),
    ]
