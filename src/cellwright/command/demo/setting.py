"""The stage set: definitions approved, plant commissioned and qualified, rooms cleared, materials received and released."""

from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from cellwright.command.definitions import KINDS
from cellwright.command.demo.cast import by, employ
from cellwright.command.signing import Signer, SoftwareAuthenticator
from cellwright.command.site import Site
from cellwright.factory import definition
from cellwright.factory.approval import Approve
from cellwright.factory.people import stamp
from cellwright.factory.plant.commissioning import Commission
from cellwright.factory.plant.equipment import CalibrateEquipment, CleanEquipment, QualifyEquipment
from cellwright.factory.plant.material import ReceiveMaterial, ReleaseMaterial
from cellwright.factory.plant.plant import Plant
from cellwright.factory.plant.room import ClearRoom
from cellwright.factory.quality.laboratory import Qualify
from cellwright.factory.recipe.recipe import Recipe

PLANT = "e-town"
CONTRACT_LABORATORY = "Simulated contract laboratory"
LOTS_PER_MATERIAL = 2
"""Two lots of every material, so that a recall of one spares the other."""


@cache
def shipped() -> tuple[tuple[type[Any], str, bytes], ...]:
    """Every shipped definition: its type, its id, its exact bytes."""
    found = []
    for kind, folder in KINDS.items():
        for file in sorted(files("cellwright.shipped").joinpath(folder).iterdir(), key=lambda f: f.name):
            if file.name.endswith(".yaml"):
                data = file.read_bytes()
                found.append((kind, definition.read(kind, data.decode(), file.name).id, data))
    return tuple(found)


class Setting:
    """The plant ready for work."""

    def __init__(self, site: Site, signer: Signer) -> None:
        self.site = site
        self.signer = signer
        self.materials: dict[str, tuple[str, ...]] = {}
        """Material code -> its released lots."""
        self.codes: dict[str, str] = {}
        """Container, or serial of a label -> what a scanner reads on it."""

    @property
    def plant(self) -> Plant:
        return self.site.desk.definition(Plant, PLANT)

    def do(self, command: Any, person: str) -> Any:
        return self.site.desk.do(command, by(person), self.signer)

    def prepare(self, authenticator: SoftwareAuthenticator) -> None:
        """Everything that has to be there before the first patient."""
        definitions = shipped()
        recipes = [definition.read(Recipe, data.decode()) for kind, _, data in definitions if kind is Recipe]
        qualifications = {s.qualification for r in recipes for s in r.steps if s.qualification}
        employ(self.site.desk, authenticator, tuple((r.id, r.version) for r in recipes), sorted(qualifications))
        for kind, name, data in definitions:
            version = definition.read(kind, data.decode()).version
            digest = self.site.files.put(data).sha256
            role = "process_engineer" if KINDS[kind] == "trial" else ""
            approve = Approve(
                kind=KINDS[kind], definition=name, version=version, sha256=digest, author="PE-1", author_role=role
            )
            self.do(approve, "QA-1")
        self._plant()
        self._materials()
        laboratory = Qualify(
            laboratory=CONTRACT_LABORATORY, tests=self._attested_tests(), until="2027-12-31",
            document_sha256=self.site.files.put(b'{"title":"laboratory qualification","simulated":true}').sha256,
        )  # fmt: skip
        self.do(laboratory, "QA-1")

    def _attested_tests(self) -> tuple[str, ...]:
        from cellwright.factory.quality.specification import Specification

        specifications = [definition.read(k, d.decode()) for k, _, d in shipped() if k is Specification]
        return tuple(sorted({code for s in specifications for code in s.measured()}))

    def _plant(self) -> None:
        self.do(Commission(plant=PLANT), "QA-1")
        names = tuple(e.id for e in self.plant.equipment)
        self.do(QualifyEquipment(equipment=names, document="Simulated qualification report"), "QA-2")
        calibrated = tuple(
            e.id for e in self.plant.equipment if self.plant.equipment_class(e.equipment_class).calibration_every
        )
        self.do(CalibrateEquipment(equipment=calibrated, certificate="Simulated certificate"), "PE-1")
        for piece in self.plant.equipment:
            kind = self.plant.equipment_class(piece.equipment_class)
            if kind.clean_each_use or kind.cleaning_every:
                self.do(CleanEquipment(equipment=piece.id), "PE-1")
        for room in self.plant.rooms:
            if self.plant.room_class(room.room_class).exclusive:
                self.do(ClearRoom(room=room.id, verifier="OP-02", second_role="operator"), "OP-01")

    def _materials(self) -> None:
        expiry = stamp(self.site.clock() + timedelta(days=700))
        for item in self.plant.materials:
            lots = []
            for number in range(1, LOTS_PER_MATERIAL + 1):
                lot = f"{item.code.upper().replace('_', '-')}-{number}"
                self.do(
                    ReceiveMaterial(
                        plant=PLANT, material=lot, code=item.code, supplier_batch=f"SIM-{number}", quantity="100000",
                        expiry=expiry,
                    ),
                    "WH-1",
                )  # fmt: skip
                self.do(ReleaseMaterial(material=lot, document="Simulated certificate of analysis"), "QA-2")
                lots.append(lot)
            self.materials[item.code] = tuple(lots)
