"""Compile the numerical kernels ahead of their first use, with progress; they are cached and never compiled again.

A room with kernels keeps them in a module named `kernels` with a function `compile_all(progress)`. The libraries work
without this, slowly at first.
"""

import sys
from importlib import import_module
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src"


def rooms() -> list[str]:
    """The modules that hold kernels."""
    return sorted(".".join(path.relative_to(SOURCE).with_suffix("").parts) for path in SOURCE.rglob("kernels.py"))


def stale() -> list[str]:
    """The rooms whose kernels changed since they were compiled, or never were."""
    old = []
    for path in sorted(SOURCE.rglob("kernels.py")):
        made = [index.stat().st_mtime for index in (path.parent / "__pycache__").glob("kernels.*.nbi")]
        if not made or max(made) < path.stat().st_mtime:
            old.append(".".join(path.relative_to(SOURCE).with_suffix("").parts))
    return old


def main() -> None:
    """Compile the kernels of every room, naming each on standard error."""
    for room in rooms():
        sys.stderr.write(f"{room}\n")
        import_module(room).compile_all(sys.stderr.write)
    print(
        f"kernels of {len(rooms())} rooms are compiled" if rooms() else "no room of this version has kernels to compile"
    )


if __name__ == "__main__":
    main()
