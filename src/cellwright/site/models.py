"""What Django keeps: sessions of people, and projections of the ledger that can be made again at any time.

Roles, locks and public keys of people are in the ledger, what opens their personal keys in `command.personal_key`.
Sessions are the one thing here that cannot be made again (E10).
"""

from django.db import models


class Seat(models.Model):
    """One session: who sits at which browser, since when, and when they were last there."""

    session = models.CharField(max_length=40, primary_key=True)
    person = models.CharField(max_length=80, db_index=True)
    means = models.CharField(max_length=40)
    address = models.CharField(max_length=64)
    began = models.DateTimeField()
    seen = models.DateTimeField()


class OfferedKey(models.Model):
    """A security key a person registered in the browser; it signs nothing until a security officer has recorded it."""

    credential = models.CharField(max_length=400, primary_key=True)
    person = models.CharField(max_length=80)
    public_key = models.CharField(max_length=200)
    offered = models.DateTimeField()


class Cursor(models.Model):
    """How many events the projections below hold."""

    name = models.CharField(max_length=20, primary_key=True)
    position = models.BigIntegerField(default=0)


class Entry(models.Model):
    """One event of the ledger, as the audit trail searches it."""

    position = models.BigIntegerField(primary_key=True)
    at = models.CharField(max_length=27, db_index=True)
    actor = models.CharField(max_length=100, db_index=True)
    type = models.CharField(max_length=60, db_index=True)
    stream = models.CharField(max_length=120, db_index=True)
    coi = models.CharField(max_length=20, db_index=True)
    text = models.TextField()
    """Everything the event says, as canonical JSON."""


class Lot(models.Model):
    """A lot as the floor shows it."""

    lot = models.CharField(max_length=40, primary_key=True)
    coi = models.CharField(max_length=20, db_index=True)
    order = models.CharField(max_length=40)
    product = models.CharField(max_length=60)
    recipe = models.CharField(max_length=60)
    recipe_version = models.CharField(max_length=20)
    status = models.CharField(max_length=20, db_index=True)
    step = models.CharField(max_length=60)
    running = models.BooleanField()
    """Whether `step` is under way; else it is the last one completed."""
    done = models.IntegerField()
    rooms = models.CharField(max_length=120)
    due = models.CharField(max_length=27, db_index=True)
    """When the nearest clock in the material runs out; empty if none runs."""
    doubt = models.BooleanField()
    open_findings = models.IntegerField()
    """Nonconformances that nobody has assessed."""
    release = models.CharField(max_length=30)
    moved = models.CharField(max_length=27, db_index=True)


class Order(models.Model):
    """A patient's order, for one product."""

    order = models.CharField(max_length=40, primary_key=True)
    coi = models.CharField(max_length=20, db_index=True)
    pair = models.CharField(max_length=40, db_index=True)
    product = models.CharField(max_length=60)
    hospital = models.CharField(max_length=120)
    linked = models.CharField(max_length=40)
    stage = models.CharField(max_length=30, db_index=True)
    doubt = models.BooleanField()
    placed = models.CharField(max_length=27)
    moved = models.CharField(max_length=27, db_index=True)


class Room(models.Model):
    """A room of the plant."""

    room = models.CharField(max_length=60, primary_key=True)
    room_class = models.CharField(max_length=60)
    exclusive = models.BooleanField()
    cleared = models.BooleanField()
    coi = models.CharField(max_length=20)
    lot = models.CharField(max_length=40)
    since = models.CharField(max_length=27)


class Case(models.Model):
    """An identity case."""

    case = models.CharField(max_length=40, primary_key=True)
    status = models.CharField(max_length=20, db_index=True)
    point = models.CharField(max_length=30)
    lots = models.CharField(max_length=400)
    coi = models.CharField(max_length=20)
    opened = models.CharField(max_length=27)
