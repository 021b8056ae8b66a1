"""Signing without a security key: a personal key that opens only with the person's password and the server's half (E18).

Each person has an Ed25519 key of their own. It is encrypted under a key derived from two halves: argon2id of the
password, which nobody stores, and 32 random bytes that the server keeps and uses only after a correct one-time code.
Within a continuous period of access the server's half stays released in memory and the password alone signs; after a
break both are asked for again (21 CFR 11.200(a)(1)(i) and (ii), R024).

What lies on the disk, `personal.db` in the site's folder, is wrapped by the site's key-encryption key. Somebody who has
both files can still not sign: they would have to guess the password against argon2id. Somebody who rules the running
server could take a password as it is typed; the manual says so. Nothing of this is in the ledger but the public key,
registered like any other means of signing, and counting until it is revoked.
"""

import os
import secrets
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Self

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cellwright.command import one_time_code, signing
from cellwright.command.signing import Proof
from cellwright.factory import people
from cellwright.factory.credential import RegisterCredential
from cellwright.factory.people import PersonState
from cellwright.factory.rule import By, Refusal
from cellwright.ledger.durable import PRIVATE, create_whole
from cellwright.ledger.errors import Locked
from cellwright.ledger.key_encryption import (
    KEY_BYTES,
    NONCE_BYTES,
    KekRefused,
    KeyEncryptionKey,
    SealBroken,
    new_cipher,
    open_sealed,
)

if TYPE_CHECKING:
    import apsw

    from cellwright.command.desk import Desk

FILE: Final = "personal.db"
MEANS: Final = "password_and_code"
CONTEXT: Final = b"cellwright-personal-key/1\0"
BUSY_MS: Final = 10_000

PASSWORD_SHORTEST: Final = 12
PASSWORD_LONGEST: Final = 256
"""Characters. No rule says which characters, and no password has to be changed by date (OWASP ASVS 5: 6.2.5, 6.2.10)."""
DIFFERENT_CHARACTERS: Final = 5

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS personal(
  person TEXT PRIMARY KEY, credential TEXT NOT NULL, wrapped BLOB NOT NULL, kek TEXT NOT NULL,
  counter INTEGER NOT NULL DEFAULT 0) STRICT;
"""


class Cost(msgspec.Struct, frozen=True):
    """What one guess of a password costs: argon2id (RFC 9106) with these passes, memory in KiB, and lanes."""

    passes: int = 3
    memory_kib: int = 65_536
    lanes: int = 1


class Period(msgspec.Struct, frozen=True):
    """How long access is continuous: since the last signature, and since both components were given."""

    idle: timedelta = timedelta(minutes=15)
    absolute: timedelta = timedelta(hours=8)


class Components(NamedTuple):
    """What a person types to sign: the password, and the one-time code where the period does not cover it."""

    password: str
    code: str = ""


Ask = Callable[[str, bool], Components]
"""Asks a person, by name, for the password, and for a code if the second argument is true."""


Purpose = Literal["sign_in", "signature"]


class Enrolment(NamedTuple):
    """What follows from a new personal key: the command that registers it, and what the person's device has to read."""

    command: RegisterCredential
    code_address: str
    """`otpauth://` address with the secret: shown to the person once, never stored or logged."""


class _Kept(msgspec.Struct, frozen=True):
    """What is kept of one person's key, inside the wrapping."""

    salt: bytes
    cost: Cost
    sealed: bytes
    """The private key under both halves."""
    half: bytes
    """The server's half."""
    code_secret: bytes


class _Row(NamedTuple):
    credential: str
    kept: _Kept
    counter: int


class _Access(msgspec.Struct):
    """A continuous period of one person at one session."""

    credential: str
    began: datetime
    used: datetime


class PersonalKeys:
    """The personal keys of a site. Safe to share between threads.

    Args:
        path: `personal.db`; made with mode 0600 when it is not there.
        kek: the key-encryption key of the site.
        desk: tells the time and who is active, and counts failures against the account.
        period: limits of continuous access.
        cost: of deriving from the password; kept with each key, so that it can be raised.
    """

    def __init__(
        self, path: Path, kek: KeyEncryptionKey, desk: "Desk", period: Period | None = None, cost: Cost | None = None
    ) -> None:
        self._path, self._kek, self._desk = path, kek, desk
        self._period, self._cost = period or Period(), cost or Cost()
        self._lock = threading.RLock()
        self._open: dict[tuple[str, str], _Access] = {}
        self._db = _connect(path)

    # --- enrolling, changing, ending

    def enrol(self, person: str, password: str, secret: str = "") -> Enrolment:
        """Make a key for a person who sits there and types a password. It signs nothing until it is registered.

        Args:
            secret: what an officer handed over to the person, where no means of theirs counts (`factory.credential`).

        Raises:
            Refusal `unknown-person`, `service-cannot-sign`, `password-too-weak`, or `personal-key-exists` while the
                present one counts.
        """
        state = self._person(person)
        with self._lock:
            row = self._row(person)
            if row is not None and row.credential in state.credentials:
                raise Refusal(
                    "personal-key-exists",
                    "{person} has a personal key already.",
                    remedy="Revoke it first; or change its password.",
                    rule="R031",
                    person=person,
                )
            made = self.make(person, state.account, password)
        return made._replace(command=msgspec.structs.replace(made.command, secret=secret))  # type: ignore[type-var]

    def make(self, person: str, account: str, password: str) -> Enrolment:
        """A new key in place of any other kept for this person. Raises Refusal `password-too-weak`."""
        strong(password, person, account)
        with self._lock:
            private, secret = Ed25519PrivateKey.generate(), one_time_code.new_secret()
            credential = f"personal-{secrets.token_hex(8)}"
            seed, half = private.private_bytes_raw(), secrets.token_bytes(KEY_BYTES)
            kept = self._sealed(person, credential, seed, password, half, secret)
            self._store(person, credential, kept)
            self.end(person=person)
        command = RegisterCredential(
            person=person,
            credential=credential,
            means=MEANS,
            public_key=signing.text(private.public_key().public_bytes_raw()),
        )
        return Enrolment(command, one_time_code.address(secret, account, self._desk.relying.id))

    def change_password(self, person: str, given: Components, new: str) -> None:
        """Encrypt the same key under a new password. The old password and a code are needed; every period ends.

        Raises:
            Refusal `signature-failed`, counted against the account; `password-too-weak`; as :meth:`sign`.
        """
        with self._lock:
            state = self._person(person)
            strong(new, person, state.account)
            row = self._usable(state)
            seed = self._opened(state, row, given, code_needed=True)
            kept = self._sealed(person, row.credential, seed, new, row.kept.half, row.kept.code_secret)
            self._store(person, row.credential, kept, row)
            self.end(person=person)

    def destroy(self, person: str) -> None:
        """Overwrite what is kept of a person's key, after its revocation was recorded. Doing it twice changes nothing."""
        with self._lock:
            self.end(person=person)
            with self._change():
                self._db.execute("DELETE FROM personal WHERE person=?", (person,))

    def renew(self, kek: KeyEncryptionKey) -> None:
        """Wrap everything under a new key-encryption key, together with the persons' keys."""
        with self._lock:
            with self._change():
                for person, wrapped in list(self._db.execute("SELECT person, wrapped FROM personal")):
                    again = kek.wrap(_wrapping(str(person)), self._kek.unwrap(_wrapping(str(person)), bytes(wrapped)))
                    self._db.execute("UPDATE personal SET wrapped=?, kek=? WHERE person=?", (again, kek.id, person))
            self._kek = kek
            self._db.execute("VACUUM")

    # --- signing

    def signer(self, session: str, ask: Ask) -> "PersonalSigner":
        """Somebody at a session who can be asked to sign with a personal key."""
        return PersonalSigner(self, session, ask)

    def code_needed(self, session: str, person: str) -> bool:
        """Whether this person has to give a code too when signing at this session now."""
        with self._lock:
            access = self._open.get((session, person))
            now = self._desk.clock()
            if access is None:
                return True
            if now - access.used >= self._period.idle or now - access.began >= self._period.absolute:
                del self._open[session, person]
                return True
            return access.credential not in self._desk.state(PersonState, person).credentials

    def sign(
        self,
        session: str,
        person: str,
        challenge: bytes,
        given: Components,
        *,
        by: By | None = None,
        purpose: Purpose = "signature",
    ) -> Proof:
        """A person's signature over a challenge of 32 bytes.

        The proof says which components were given; that is the site's own statement, not something a stranger can check.

        Args:
            session: names one continuous sitting at one terminal; a new one for every sign-in and every unlocking.
            by: whose session it is and where, if not the person's own; failures then count against the terminal.
            purpose: what a failure is recorded as.

        Raises:
            Refusal `signature-failed`: password or code is wrong, or a code is missing or was used before. It does not
                say which. It is counted against the account, and ends the period.
            Refusal `account-locked`, `account-ended`, `service-cannot-sign`, `no-personal-key`: not even tried.
        """
        with self._lock:
            state = self._person(person)
            row = self._usable(state)
            code_needed = self.code_needed(session, person)
            giver = by or By(person=person)
            self._desk.may_offer(person, giver)
            seed = self._opened(state, row, given, code_needed=code_needed, by=giver, purpose=purpose)
            now = self._desk.clock()
            if code_needed:
                self._open[session, person] = _Access(row.credential, now, now)
            access = self._open[session, person]
            access.used = now
        signature = Ed25519PrivateKey.from_private_bytes(seed).sign(challenge)
        parts = {
            "signature": signing.text(signature),
            "components": "password+code" if code_needed else "password",
            "period_began": people.stamp(access.began),
        }
        return Proof(means=MEANS, credential=row.credential, parts=parts)

    def end(self, *, session: str | None = None, person: str | None = None) -> None:
        """End continuous access, of a session that was locked or left, or of a person; both components are asked again."""
        with self._lock:
            for key in [k for k in self._open if session in (None, k[0]) and person in (None, k[1])]:
                del self._open[key]

    def close(self) -> None:
        """Forget every period and give the file back. May be called twice."""
        with self._lock:
            self._open.clear()
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- inside

    def _person(self, name: str) -> PersonState:
        state = self._desk.state(PersonState, name)
        if not state.exists:
            raise Refusal("unknown-person", "There is no account {person}.", rule="R022", person=name)
        if not state.active:
            raise Refusal("account-ended", "The account {person} is deactivated.", rule="R021", person=name)
        if state.kind == "service":
            raise Refusal(
                "service-cannot-sign", "{person} is a service account and cannot sign.", rule="R037", person=name
            )
        if state.locked:
            raise Refusal(
                "account-locked",
                "The account {person} is locked after repeated failures.",
                remedy="A security officer unlocks it; a second qualified person can take over the step at once.",
                rule="R029",
                person=name,
            )
        return state

    def _usable(self, state: PersonState) -> _Row:
        row = self._row(state.name)
        if row is None or row.credential not in state.credentials:
            raise Refusal(
                "no-personal-key",
                "{person} has no personal key that counts.",
                remedy="A security officer enrols one, or the person signs with a security key.",
                rule="R031",
                person=state.name,
            )
        return row

    def _opened(
        self,
        state: PersonState,
        row: _Row,
        given: Components,
        *,
        code_needed: bool,
        by: By | None = None,
        purpose: Purpose = "signature",
    ) -> bytes:
        """The private key. Password and code are both tried before anything is said, and a good code is used up."""
        counted = not code_needed or self._use_code(state.name, row, given.code)
        seed = self._unsealed(state.name, row, given.password)
        if seed is None or not counted:
            self.end(person=state.name)
            self._desk.failed_authentication(state.name, by or By(person=state.name), purpose)
            raise Refusal(
                "signature-failed",
                "The password or the one-time code of {person} is wrong, or the code was used before.",
                remedy="Nothing was recorded but the failure. Wait for the next code and give both.",
                rule="R024",
                person=state.name,
            )
        return seed

    def _use_code(self, person: str, row: _Row, code: str) -> bool:
        counter = one_time_code.accepted(row.kept.code_secret, code, self._desk.clock(), row.counter)
        if counter is None:
            return False
        with self._change():
            self._db.execute("UPDATE personal SET counter=? WHERE person=? AND counter<?", (counter, person, counter))
            return self._db.changes() == 1

    def _unsealed(self, person: str, row: _Row, password: str) -> bytes | None:
        if len(password) > PASSWORD_LONGEST:
            return None
        key = _both(password, row.kept, person, row.credential)
        try:
            return open_sealed(new_cipher(key), row.kept.sealed, _bound(person, row.credential))
        except SealBroken:
            return None

    def _sealed(self, person: str, credential: str, seed: bytes, password: str, half: bytes, secret: bytes) -> _Kept:
        kept = _Kept(salt=os.urandom(16), cost=self._cost, sealed=b"", half=half, code_secret=secret)
        nonce = os.urandom(NONCE_BYTES)
        key = _both(password, kept, person, credential)
        sealed = nonce + new_cipher(key).encrypt(nonce, seed, _bound(person, credential))
        return msgspec.structs.replace(kept, sealed=sealed)

    def _row(self, person: str) -> _Row | None:
        rows = self._db.execute("SELECT credential, wrapped, kek, counter FROM personal WHERE person=?", (person,))
        found: tuple[Any, ...] | None = next(rows, None)
        if found is None:
            return None
        credential, wrapped, kek, counter = found
        if kek != self._kek.id:
            raise KekRefused(f"{self._path}: the personal key of {person} is wrapped under the key {kek}")
        kept = msgspec.msgpack.decode(self._kek.unwrap(_wrapping(person), bytes(wrapped)), type=_Kept)
        return _Row(str(credential), kept, int(counter))

    def _store(self, person: str, credential: str, kept: _Kept, before: _Row | None = None) -> None:
        wrapped = self._kek.wrap(_wrapping(person), msgspec.msgpack.encode(kept))
        with self._change():
            counter = self._db.execute("SELECT counter FROM personal WHERE person=?", (person,)).fetchone()
            self._db.execute(
                "INSERT OR REPLACE INTO personal VALUES(?,?,?,?,?)",
                (person, credential, wrapped, self._kek.id, counter[0] if before and counter else 0),
            )

    @contextmanager
    def _change(self) -> Iterator[None]:
        """One durable change of the file, all of it or nothing."""
        import apsw

        try:
            with self._db:
                yield
        except apsw.BusyError as error:
            raise Locked(f"{self._path} is in use by another program.") from error


class PersonalSigner:
    """A `Signer` that asks each person for the components needed now, and signs with their personal keys."""

    def __init__(self, keys: PersonalKeys, session: str, ask: Ask) -> None:
        self._keys, self._session, self._ask = keys, session, ask

    def sign(self, person: str, challenge: bytes) -> Proof:
        given = self._ask(person, self._keys.code_needed(self._session, person))
        return self._keys.sign(self._session, person, challenge, given)


def strong(password: str, *names: str) -> None:
    """Raises Refusal `password-too-weak` where a password is none that a person may choose."""
    plain = password.casefold()
    good = (
        PASSWORD_SHORTEST <= len(password) <= PASSWORD_LONGEST
        and len(set(plain)) >= DIFFERENT_CHARACTERS
        and not any(word and word.casefold() in plain for word in names)
    )
    if not good:
        raise Refusal(
            "password-too-weak",
            "A password has {shortest} to {longest} characters, at least {different} different ones, and not the account's name in it.",
            remedy="A sentence that you alone would say is easy to remember. There is no rule about kinds of characters.",
            rule="R031",
            shortest=PASSWORD_SHORTEST,
            longest=PASSWORD_LONGEST,
            different=DIFFERENT_CHARACTERS,
        )


def _both(password: str, kept: _Kept, person: str, credential: str) -> bytes:
    """The key that both halves give: HKDF-SHA-256 (RFC 5869) over argon2id(password) and the server's half."""
    from argon2.low_level import Type, hash_secret_raw

    mine = hash_secret_raw(
        unicodedata.normalize("NFKC", password).encode(),
        kept.salt,
        kept.cost.passes,
        kept.cost.memory_kib,
        kept.cost.lanes,
        KEY_BYTES,
        Type.ID,
    )
    return HKDF(SHA256(), KEY_BYTES, salt=kept.salt, info=_bound(person, credential)).derive(mine + kept.half)


def _bound(person: str, credential: str) -> bytes:
    """Binds a ciphertext to its owner, so that sealed keys cannot be exchanged."""
    name = person.encode()
    return CONTEXT + len(name).to_bytes(4, "big") + name + credential.encode()


def _wrapping(person: str) -> str:
    return f"personal key/{person}"


def _connect(path: Path) -> "apsw.Connection":
    import apsw

    if not path.exists():
        create_whole(path, b"", PRIVATE)
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    db.set_busy_timeout(BUSY_MS)
    db.pragma("journal_mode", "delete")
    db.pragma("synchronous", "extra")
    db.pragma("secure_delete", True)
    db.execute(_SCHEMA)
    return db
