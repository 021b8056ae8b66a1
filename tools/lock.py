"""Resolve the dependencies into two lock files: names, versions and hashes, and no addresses.

`requirements.lock` holds everything, `requirements-run.lock` the part of it that the factory runs on (with its
labels as pictures), so that `make demo` installs neither tests nor linters nor documentation.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
EVERYTHING = ["--all-extras", *(f"--group={group}" for group in ("build", "test", "bench", "lint", "docs"))]
RUN = ["--group=build", "--extra=labels", "--constraint=requirements.lock"]


def command(target: str, selection: list[str]) -> list[str]:
    """The uv command that resolves a selection into a file."""
    uv = str(Path(sys.executable).parent / "uv")
    form = ["--universal", "--generate-hashes", "--no-emit-index-url", "--no-annotate", "--no-header", "--quiet"]
    return [
        uv,
        "pip",
        "compile",
        *form,
        "--python-version=3.11",
        *selection,
        "pyproject.toml",
        f"--output-file={target}",
    ]


def main() -> None:
    """Write both files. Versions already locked stay unless `--upgrade` is given."""
    subprocess.run(command("requirements.lock", EVERYTHING + sys.argv[1:]), cwd=ROOT, check=True)
    subprocess.run(command("requirements-run.lock", RUN), cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
