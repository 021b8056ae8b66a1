"""Trial registers: their documents read into one form without losing anything, and written for others.

    for record in read_file(data):
        record.fields.title, record.unmapped

Every field of a document is either held in the common fields or listed as unmapped; the document itself is kept by hash.
"""

from cellwright.connect.register.fields import TrialFields
from cellwright.connect.register.forms import FORMS, Record, Unreadable, read_file
from cellwright.connect.register.merge import Group, groups

__all__ = ["FORMS", "Group", "Record", "TrialFields", "Unreadable", "groups", "read_file"]
