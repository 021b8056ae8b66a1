"""A site on disk: its folder, its settings, and everything that is opened with it.

site.toml        what the site is and where its ledger lies
ledger.db        the record (or a PostgreSQL database named in site.toml)
files/           raw files by content
keys.db          keys of the subjects whose data are encrypted; has a backup of its own (E11)
personal.db      personal signing keys, each closed by its person's password
keys/            private keys of the site, readable by its owner only
running/         a sign of each process that works with the site; one left behind tells of a crash
outside/         the default outside place for checkpoints; a real site names places on other machines
"""

import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256 as digest
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from cellwright.command import genesis, recovery, rotation, witnessing
from cellwright.command.definitions import Definitions
from cellwright.command.desk import Desk
from cellwright.command.issuing import Issuing, new_event_id
from cellwright.command.personal_key import FILE as PERSONAL
from cellwright.command.personal_key import Period, PersonalKeys
from cellwright.command.recovery import Recovery, Running
from cellwright.command.signing import Relying
from cellwright.command.webauthn import Asked
from cellwright.factory.order.subject import KeyDestroyed
from cellwright.factory.record import Fact
from cellwright.factory.rule import By, Refusal
from cellwright.factory.site import SiteOpened
from cellwright.identifier.isbt128.facility import FacilityNumber
from cellwright.language import _
from cellwright.ledger import Clock, Event, Ledger, SimulatedClock, open_ledger, system_clock
from cellwright.ledger.canonical import parse_time
from cellwright.ledger.checkpoint import NOTE, Publisher, key_chain
from cellwright.ledger.durable import write_whole
from cellwright.ledger.files import FileAltered, FileRef, FolderStore
from cellwright.ledger.key_encryption import KeyEncryptionKey
from cellwright.ledger.outside import OutsideFolder
from cellwright.ledger.signing_key import generate_keys, save_keys
from cellwright.ledger.subject_keys import SubjectKeys

KEK = Path("keys") / "persons.kek"
"""Key that wraps the persons' keys; keep a copy apart from every other backup."""
INSTALLATION = By(person="installation", source="terminal/server")
"""Who records what comes before anybody is employed."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`site.toml`. Times zones are IANA names; `ledger` is a file name in the folder or a `postgresql://` address."""

    name: str
    title_en: str
    title_zh: str
    facility: str = "A9999"
    zone: str = "Asia/Shanghai"
    simulated: bool = False
    ledger: str = "ledger.db"
    relying_id: str = "localhost"
    origins: tuple[str, ...] = ("http://localhost:8000", "https://localhost:8443")
    places: tuple[str, ...] = ("outside",)
    """Folders for checkpoints, relative to the site's folder or absolute; best on other machines."""
    witnesses: tuple[str, ...] = ()
    """Who cosigns checkpoints: an address (`https://…`, or a folder), then the witness's public keys, spaces between."""
    signing_idle_minutes: int = 15
    signing_absolute_minutes: int = 480
    """How long a password alone signs after password and code: since the last signature, and in all (R024)."""

    @property
    def origin(self) -> str:
        """Name of the site's log in its checkpoints."""
        return f"cellwright/{self.name}"


class NoSite(ValueError):
    """The folder holds no site, or its settings cannot be read; says what to do."""


class SettingsContradicted(NoSite):
    """`site.toml` says otherwise than the site's first event; names the line, and what is recorded."""


def read_settings(folder: Path) -> Settings:
    """The settings of a site's folder. Raises NoSite."""
    file = folder / "site.toml"
    try:
        return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), Settings)
    except FileNotFoundError:
        raise NoSite(f"{folder} holds no site (no site.toml). Make one with: cellwright demo --dir {folder}") from None
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise NoSite(f"{file} cannot be read: {error}") from None


def _toml(settings: Settings) -> str:
    """Settings as TOML; every value here is text, truth or a list of text."""
    lines = []
    for name, value in msgspec.to_builtins(settings).items():
        lines.append(f"{name} = {msgspec.json.encode(value).decode()}")
    return "\n".join(lines) + "\n"


class Site:
    """An open site: ledger, files, keys, desk, publisher. Close it, or use it in a `with`."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        ledger: Ledger,
        clock: Clock,
        new_id: Callable[[], UUID],
        new_nonce: Callable[[], str] | None,
        running: Running,
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.ledger = ledger
        self.clock = clock
        self.keys = SubjectKeys(folder / "keys.db", KeyEncryptionKey.load(folder / KEK))
        self.files = FolderStore(folder / "files", self.keys)
        relying = Relying(settings.relying_id, settings.origins)
        self.desk = Desk(
            ledger,
            clock=clock,
            zone=settings.zone,
            definitions=Definitions(self.stored),
            issuing=Issuing(ledger, FacilityNumber(settings.facility), settings.zone, new_id),
            relying=relying,
            simulated=settings.simulated,
            holds=lambda sha256: self.files.exists(FileRef(sha256, 0)),
            new_id=new_id,
            **({"new_nonce": new_nonce} if new_nonce else {}),
        )
        self.desk.heard = self._heard
        self.registering: dict[str, Asked] = {}
        """Registrations of security keys that wait for their answer, by person."""
        self.running = running
        """The sign that this process works with the site."""
        self.recovery = Recovery({}, 0)
        """What had to be done when it was opened."""
        self.new_id = new_id
        self._closed = False
        self._publisher: Publisher | None = None
        self._personal: PersonalKeys | None = None

    @property
    def publisher(self) -> Publisher:
        """Publishes the checkpoints of this site with its own keys."""
        if self._publisher is None:
            places = [OutsideFolder(self._place(place), self.settings.origin) for place in self.settings.places]
            chain = key_chain(self.ledger)
            self._publisher = Publisher(self.ledger, rotation.held(self.folder, chain), chain, places)
        return self._publisher

    def publish(self) -> dict[str, str]:
        """Publish a checkpoint and have it cosigned; give, by place and witness, why one of them lacks it.

        Raises:
            LedgerError, NoteError: as `Publisher.publish`; nothing is signed.
        """
        self.publisher.publish()
        asked = witnessing.cosign(self.ledger, self.folder, self.settings.witnesses)
        return {**self.publisher.status().away, **asked}

    def name_witness(self, line: str) -> None:
        """Have a witness cosign from the next checkpoint on; its line stands in `site.toml`."""
        witnessing.named(line)
        self.settings = msgspec.structs.replace(self.settings, witnesses=(*self.settings.witnesses, line))
        write_whole(self.folder / "site.toml", _toml(self.settings).encode())

    @property
    def personal_keys(self) -> PersonalKeys:
        """The personal signing keys of this site's people, opened at their first use."""
        if self._personal is None:
            period = Period(
                timedelta(minutes=self.settings.signing_idle_minutes),
                timedelta(minutes=self.settings.signing_absolute_minutes),
            )
            kek = KeyEncryptionKey.load(self.folder / KEK)
            self._personal = PersonalKeys(self.folder / PERSONAL, kek, self.desk, period)
        return self._personal

    def stored(self, sha256: str) -> bytes:
        """The bytes of a file as stored (encrypted, if it is about a person).

        Raises:
            FileMissing: it is not there. FileAltered: it is not what it was.
        """
        with self.files.open(FileRef(sha256, 0)) as file:
            data = file.read()
        if digest(data).hexdigest() != sha256:
            raise FileAltered(f"{sha256}: the stored bytes are not those of this hash")
        return data

    def _heard(self, event: Event) -> None:
        """A destruction that is on record is carried out at once; what a crash leaves undone is done at the next start."""
        if event.type == KeyDestroyed.type:
            self.keys.destroy_again([event.body["destroyed"]])

    def _place(self, place: str) -> Path:
        return self.folder / place

    def close(self) -> None:
        """End the work: what was recorded since the last checkpoint is covered by one more. May be called twice.

        Raises:
            LedgerError, NoteError: no checkpoint could be signed; everything is closed all the same.
        """
        if self._closed:
            return
        self._closed = True
        try:
            if self._publisher is not None:
                self._publisher.close()
            if self._grown():
                self.publish()
        finally:
            if self._personal is not None:
                self._personal.close()
            self.keys.close()
            self.ledger.close()
            self.running.end()

    def _grown(self) -> bool:
        """Whether there are events that no checkpoint covers, or one that a witness could cosign."""
        notes = self.ledger.checkpoints(NOTE)
        size = self.ledger.head().size
        return size > (notes[-1].size if notes else 0) or bool(self.settings.witnesses and self._publisher)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _where(folder: Path, settings: Settings, environment: Mapping[str, str] | None) -> str | Path:
    """Where the ledger lies: by the environment, or else by the settings."""
    where = (environment or {}).get("CELLWRIGHT_LEDGER") or settings.ledger
    return where if "://" in where else folder / where


def create(
    folder: Path,
    settings: Settings,
    *,
    start: datetime | None = None,
    new_id: Callable[[], UUID] = new_event_id,
    new_nonce: Callable[[], str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Site:
    """Make a new site in an empty or absent folder and record its first event.

    Args:
        start: first moment of a simulated site's clock; a real site keeps the machine's time.
        environment: `CELLWRIGHT_LEDGER` in it names the ledger with its password, which `site.toml` then does not hold.

    Raises:
        Refusal `folder-not-empty`, `ledger-not-empty`: something is there already; nothing was touched.
        Refusal `password-in-settings`: the ledger's address holds a password.
    """
    if urlsplit(settings.ledger).password:
        raise Refusal(
            "password-in-settings",
            "The ledger's address holds a password, which would stand in site.toml.",
            remedy="Leave it out there, and give the whole address in CELLWRIGHT_LEDGER.",
        )
    if folder.exists() and any(folder.iterdir()):
        raise Refusal(
            "folder-not-empty",
            "{folder} is not empty.",
            remedy="Name a new folder; a site is never made over something else.",
            folder=str(folder),
        )
    clock: Clock = SimulatedClock(start or datetime(2026, 3, 2, tzinfo=UTC)) if settings.simulated else system_clock
    folder.mkdir(parents=True, exist_ok=True)
    where = _where(folder, settings, environment)
    ledger = open_ledger(where, clock=clock, create=True)
    if ledger.head().size:
        ledger.close()
        raise Refusal(
            "ledger-not-empty",
            "{ledger} holds a record already.",
            remedy="Name an empty database; two sites never share one, and a site is opened from its own folder.",
            ledger=settings.ledger,
        )
    running = Running(folder, where)
    (folder / "keys").mkdir(mode=0o700)
    for place in settings.places:
        if not Path(place).is_absolute():
            (folder / place).mkdir(exist_ok=True)
    keys = generate_keys(settings.origin)
    save_keys(folder / rotation.CURRENT, keys)
    kek = KeyEncryptionKey.create(folder / KEK)
    SubjectKeys(folder / "keys.db", kek, create=True).close()
    site = Site(folder, settings, ledger, clock, new_id, new_nonce, running)
    opened = SiteOpened(
        site=settings.name,
        title={"en": settings.title_en, "zh": settings.title_zh},
        facility=settings.facility,
        zone=settings.zone,
        clock="simulated" if settings.simulated else "system",
        simulated=settings.simulated,
        relying_id=settings.relying_id,
        origins=settings.origins,
        origin=settings.origin,
        verifier_keys=tuple(str(key.verifier) for key in keys),
    )
    site.desk.record([Fact(f"site/{settings.name}", opened)], INSTALLATION, expected={f"site/{settings.name}": 0})
    (folder / "site.toml").write_text(_toml(settings), encoding="utf-8")
    return site


def open_site(folder: Path, *, environment: Mapping[str, str] | None = None) -> Site:
    """Open a site for work; exactly one process at a time may have an SQLite site open so.

    After a crash whatever was at work is Held first; `Site.recovery` says what (see `command.recovery`).

    A simulated site's clock goes on from its last event. `CELLWRIGHT_LEDGER` in the environment overrides where the
    ledger lies, for example to keep a password out of the file.

    Raises:
        NoSite: the folder holds no site.
        SettingsContradicted: `site.toml` says otherwise than the first event, for example that it is simulated.
        Locked: another process has it open; a served site is reached through its address.
    """
    settings = read_settings(folder)
    where = _where(folder, settings, environment)
    with open_ledger(where, read_only=True) as record:
        _must_agree(folder, settings, record)
        clock: Clock = SimulatedClock(_last(record)) if settings.simulated else system_clock
    ledger = open_ledger(where, clock=clock)
    try:
        running = Running(folder, where)
    except BaseException:
        ledger.close()
        raise
    try:
        site = Site(folder, settings, ledger, clock, new_event_id, None, running)
        site.recovery = recovery.start(site)
    except BaseException:
        running.end()
        ledger.close()
        raise
    return site


def _must_agree(folder: Path, settings: Settings, ledger: Ledger) -> None:
    """The settings are those of the site that the record opened. Raises SettingsContradicted."""
    opened = genesis.first_event(ledger)
    wrong = genesis.contradictions(folder, settings, opened) if opened else []
    if wrong:
        raise SettingsContradicted(" ".join([*wrong, _("Put site.toml right; a site never becomes another.")]))


def record_of(folder: Path, environment: Mapping[str, str] | None = None) -> Ledger:
    """The record of a site, for reading only; also while another process works with it. Raises NoSite."""
    return open_ledger(_where(folder, read_settings(folder), environment), read_only=True)


def last_moment(ledger: Ledger) -> datetime:
    """When the last event was recorded. Closes the ledger."""
    with ledger:
        return _last(ledger)


def _last(ledger: Ledger) -> datetime:
    size = ledger.head().size
    return parse_time(ledger.event(size - 1).at) if size else datetime(2026, 3, 2, tzinfo=UTC)
