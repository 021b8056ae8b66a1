"""Run benchmarks: `python -m benchmarks NAME [--json] [--full] [--write]`."""

import argparse
import json
import pkgutil
import sys
from importlib import import_module

import benchmarks
from benchmarks import page
from benchmarks.harness import SCHEMA, Comparison, Finding, Session

FRAME = {"__main__", "harness", "page"}


def names() -> list[str]:
    """Every benchmark: the modules of this folder that are not the frame itself, nor what a benchmark measures beside."""
    modules = [module.name for module in pkgutil.iter_modules(benchmarks.__path__)]
    return sorted(name for name in modules if name not in FRAME and not name.startswith("rivals_"))


def show(finding: Finding) -> str:
    """A finding as a line for a person."""
    mark = "  " if finding.held else "✗ "
    if isinstance(finding, Comparison):
        asked = f", asked {finding.target:g}" if finding.target is not None else ""
        spread = f"({finding.low:.2f} to {finding.high:.2f}{asked})"
        return f"{mark}{finding.measure}: {finding.ratio:.2f} times {finding.rival} {spread}"
    limit = f" (limit {finding.limit:g})" if finding.limit is not None else ""
    return f"{mark}{finding.measure}: {finding.value:.4g} {finding.unit}{limit}"


def run(name: str, *, full: bool, as_json: bool) -> Session:
    """Run one benchmark, printing each finding as it comes."""

    def report(finding: Finding) -> None:
        line = {"schema": SCHEMA, "benchmark": name, **finding.line()}
        print(json.dumps(line, ensure_ascii=False) if as_json else show(finding), flush=True)

    session = Session(name, full=full, report=report)
    import_module(f"benchmarks.{name}").run(session)
    return session


def main() -> int:
    """Run what is asked. Exit code 1 when a target is missed, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=benchmarks.__doc__)
    parser.add_argument("name", choices=[*names(), "all"], metavar="NAME", help=f"one of {', '.join(names())}, or all")
    parser.add_argument("--json", action="store_true", help="JSON lines, one per finding")
    parser.add_argument("--full", action="store_true", help="full sizes; writes the figures into the manual")
    parser.add_argument("--write", action="store_true", help="write the figures into the manual at daily size too")
    options = parser.parse_args()
    held = True
    for name in names() if options.name == "all" else [options.name]:
        session = run(name, full=options.full, as_json=options.json)
        held = held and all(finding.held for finding in session.findings)
        if options.full or options.write:
            page.keep(name, session.findings, full=options.full)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
