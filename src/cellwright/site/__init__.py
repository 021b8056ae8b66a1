"""The site in a browser: sign-in, the floor, a patient's story, a lot's record, a working step, the audit trail, proof.

One process: an ASGI root serves live updates by itself and hands everything else to Django. The record is the ledger;
what Django keeps in `site.db` are sessions, passwords and projections, and of these only the first two could be lost.
"""
