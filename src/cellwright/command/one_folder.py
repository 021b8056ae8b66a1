"""One folder at a time works with a PostgreSQL site: the keys lie in it, and two folders would have different ones.

Each process holds an advisory lock of the database, shared among the processes of one folder on one machine. Whoever
finds another folder's lock is refused. The locks end with their connections, so a crash leaves none behind.
"""

from hashlib import sha256
from pathlib import Path
from socket import gethostname
from typing import Final

from cellwright.factory.rule import Refusal
from cellwright.language import _
from cellwright.ledger import Unavailable

CLASS: Final = 0x63656C6C
"""The first half of the lock's name; the second is the folder's."""
MACHINE: Final = Path("/etc/machine-id")
CONNECT_LIMIT_S: Final = 5


class OneFolder:
    """A folder's hold of a PostgreSQL site, until it is let go.

    Raises:
        Refusal `site-elsewhere`: another folder works with it.
        Unavailable: the server cannot be reached.
    """

    def __init__(self, url: str, folder: Path) -> None:
        import psycopg

        try:
            self._connection = psycopg.connect(
                url, autocommit=True, connect_timeout=CONNECT_LIMIT_S, application_name="cellwright site"
            )
        except psycopg.Error as error:
            raise Unavailable(_("The database can not be reached: {why}.").format(why=error)) from error
        mine = number(folder)
        self._connection.execute("SELECT pg_advisory_lock_shared(%s, %s)", (CLASS, mine))
        others = self._connection.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database "
            "WHERE locktype = 'advisory' AND classid = %s AND objid <> %s AND objsubid = 2 "
            "AND datname = current_database()",
            (CLASS, mine),
        ).fetchone()
        if others is not None and others[0]:
            self.end()
            raise Refusal(
                "site-elsewhere",
                "The site's record is at work from another folder.",
                remedy="Its keys lie in that folder. Stop it there first, and bring the folder here with them.",
                rule="D6",
            )

    def end(self) -> None:
        """Let the site go. May be called twice."""
        self._connection.close()


def number(folder: Path) -> int:
    """A number below 2^31 that stands for a folder of this machine."""
    machine = MACHINE.read_text(encoding="ascii").strip() if MACHINE.is_file() else gethostname()
    return int.from_bytes(sha256(f"{machine}\0{folder.resolve()}".encode()).digest()[:4], "big") >> 1
