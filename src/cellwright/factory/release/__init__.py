"""Release: what is missing, who decides, what may leave, and what happens when a result turns after that.

`formula` is the pure formula over gates, `finding` names what closes a gate, `assessment` puts both together, `acts` asks
again at each later act (D21); the other modules hold the facts and commands.
"""

from cellwright.factory.release.acts import may_close, overdue, permits
from cellwright.factory.release.assessment import Assessment, assess
from cellwright.factory.release.finding import Missing

__all__ = ["Assessment", "Missing", "assess", "may_close", "overdue", "permits"]
