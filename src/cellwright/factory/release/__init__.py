"""Release: what is missing, who decides, what may leave, and what happens when a result turns after that.

`formula` is the pure formula over gates, `assessment` finds the gates of a lot and names what is missing, `acts` asks
again at each later act (D21); the other modules hold the facts and commands.
"""

from cellwright.factory.release.acts import may_close, overdue, permits
from cellwright.factory.release.assessment import Assessment, Missing, assess

__all__ = ["Assessment", "Missing", "assess", "may_close", "overdue", "permits"]
