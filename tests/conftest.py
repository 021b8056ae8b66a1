"""Fixtures of the whole house: where real files and the browser are, and the rule that nothing is skipped in CI."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cellwright import language
from tools import kernels

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("CELLWRIGHT_SHARED", ROOT.parent / "shared"))
CHROMIUM = os.environ.get("CELLWRIGHT_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
NO_SHARED = "no shared reference files beside this clone (set CELLWRIGHT_SHARED)"
SAMPLES = Path(sys.prefix) / "samples"
NO_SAMPLES = "no sample files out of packages (python -m tools.samples brings them)"
NO_CHROMIUM = "no Chromium on this machine (install it, or set CELLWRIGHT_CHROMIUM)"

# Where the shared files are absent (a clone outside the project's own workshop) these skips are right, in CI too.
ALLOWED_ELSEWHERE = (NO_SHARED,)
IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}


def _shared(folder: str) -> Path:
    path = SHARED / folder
    if not path.is_dir():
        pytest.skip(NO_SHARED)
    return path


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real files from instruments, registers and planning instances; skips where it is absent."""
    return _shared("data")


@pytest.fixture(scope="session")
def shared_reference() -> Path:
    """The folder of requirements, published figures and test vectors; skips where it is absent."""
    return _shared("reference")


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of real files that lie inside packages of the index; skips where they could not be fetched."""
    if not SAMPLES.is_dir():
        pytest.skip(NO_SAMPLES)
    return SAMPLES


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium for browser tests; skips where there is none."""
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    return CHROMIUM


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """Each test begins in English, whatever the one before it spoke."""
    with language.use(language.ENGLISH):
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the numerical kernels once before workers start, each of which would compile them for itself."""
    if getattr(session.config.option, "numprocesses", None) and kernels.stale():
        subprocess.run([sys.executable, "-m", "tools.kernels"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one file on one worker unless they name a group: a file's fixtures are then built once."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.relative_to(ROOT).as_posix()))


def pytest_report_header() -> list[str]:
    """Say at the start what this run cannot show."""
    missing = [reason for present, reason in ((SHARED.is_dir(), NO_SHARED), (CHROMIUM, NO_CHROMIUM)) if not present]
    return [f"some tests are skipped: {reason}" for reason in missing]


def forbidden_skips(reasons: list[str], *, in_ci: bool, shared_present: bool) -> list[str]:
    """The reasons of skips that CI does not accept: all where the shared files are present, else all but those stated."""
    if not in_ci:
        return []
    allowed = () if shared_present else ALLOWED_ELSEWHERE
    return [reason for reason in reasons if not any(text in reason for text in allowed)]


def _reason(report: pytest.TestReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return f"{report.nodeid}: {text}"


def _faults(report: pytest.TestReport) -> list[str]:
    return [str(value) for name, value in report.user_properties if name == "faults"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end, where it is read, how many faults were met and which kinds of test did not run."""
    faults = [text for report in terminalreporter.stats.get("passed", []) for text in _faults(report)]
    if faults:
        terminalreporter.write_sep("-", "faults that were really planted and met")
    for text in faults:
        terminalreporter.write_line(text)
    if CHROMIUM is None:
        terminalreporter.write_line(f"BROWSER TESTS WERE SKIPPED: {NO_CHROMIUM}", yellow=True, bold=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI a skipped test fails the run."""
    if hasattr(session.config, "workerinput"):
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = [_reason(report) for report in reporter.stats.get("skipped", [])] if reporter else []
    refused = forbidden_skips(skipped, in_ci=IN_CI, shared_present=SHARED.is_dir())
    if refused and exitstatus == pytest.ExitCode.OK:
        reporter.write_line(
            f"CI skips nothing, and {len(refused)} tests were skipped:\n" + "\n".join(refused), red=True
        )
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
