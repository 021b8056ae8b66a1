"""The house itself: what is installed, imported, translated, listed and said is what it claims to be."""

import ast
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks import __main__ as runner
from benchmarks import page as benchmark_page
from benchmarks.harness import Session, interleave
from cellwright import __version__, language
from cellwright.cli import VERBS, app, output, verbs
from tests import conftest
from tools import catalogue, manual, matrix

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "cellwright"
LOCKED = re.compile(r"^(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>\S+)(?: ; (?P<marker>.*?))? \\$")


# --- imports ---------------------------------------------------------------------------------------------------------


def _imported_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize("room", ["ledger", "identifier"])
def test_a_library_of_the_first_floor_is_light(room: str) -> None:
    heavy = {"django", "numpy", "scipy", "psycopg", "typer", "rich", "zxingcpp"}
    assert not _imported_by(f"import cellwright.{room}") & heavy


def test_the_command_frame_imports_no_room_of_the_factory() -> None:
    code = "import cellwright.cli, sys; print(' '.join(n for n in sys.modules if n.startswith('cellwright')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {
        "cellwright",
        "cellwright.cli",
        "cellwright.cli.frame",
        "cellwright.language",
    }


FORBIDDEN_CALLS = {"now", "utcnow", "today", "uuid4", "uuid1", "uuid7", "getrandbits", "urandom"}
FORBIDDEN_NAMES = {"open", "print", "input", "float", "exec", "eval"}


def _impure(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and node.func.attr in FORBIDDEN_CALLS:
                yield f"line {node.lineno}: {node.func.attr}()"
            if isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_NAMES:
                yield f"line {node.lineno}: {node.func.id}()"
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f"line {node.lineno}: a float"


def test_the_rules_take_no_clock_no_chance_no_file_and_no_float() -> None:
    found = {
        f"{path.relative_to(ROOT)} {fault}"
        for path in (SOURCE / "factory").rglob("*.py")
        for fault in _impure(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert not found


@pytest.mark.parametrize("line", ["datetime.now()", "x = 0.5", "open('f')", "uuid4.uuid4()"])
def test_an_impure_line_is_found(line: str) -> None:
    assert list(_impure(ast.parse(line)))


def test_no_file_of_the_package_is_a_drawer_for_odds_and_ends() -> None:
    drawers = {"utils", "helpers", "common", "manager", "base", "misc", "util", "helper"}
    assert not [path for path in SOURCE.rglob("*") if path.stem in drawers]


def test_the_tree_names_no_machine() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    machine = re.compile(r"(?<![\w.])/(?:root|home/\w+|work|Users/\w+)/")
    found = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and path.suffix in {".py", ".md", ".toml", ".lock", ".yaml", ".yml", ".json", ".jinja", ""}:
            found += [name] if machine.search(path.read_text(encoding="utf-8", errors="ignore")) else []
    assert not found


# --- locks -----------------------------------------------------------------------------------------------------------


def _locked(name: str) -> dict[str, set[str]]:
    """Name -> versions in a lock file, several where systems differ."""
    versions: dict[str, set[str]] = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if match := LOCKED.match(line):
            versions.setdefault(match["name"], set()).add(match["version"])
    return versions


def _normal(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def _declared() -> dict[str, list[str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups: dict[str, list[str]] = {"run": project["project"]["dependencies"]}
    groups |= project["project"]["optional-dependencies"] | project["dependency-groups"]
    return groups


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-run.lock"])
def test_a_lock_holds_names_versions_and_hashes_and_no_addresses(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "file:" not in text
    for entry in re.split(r"\n(?=[a-z0-9])", text.strip()):
        first, *hashes = entry.splitlines()
        assert LOCKED.match(first), first
        assert hashes, first
        assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in hashes), first


def test_everything_declared_is_locked() -> None:
    locked = _locked("requirements.lock")
    for group, requirements in _declared().items():
        assert {_normal(requirement) for requirement in requirements} <= set(locked), group


def test_what_the_factory_runs_on_is_a_part_of_everything_without_tests_and_linters() -> None:
    run, everything = _locked("requirements-run.lock"), _locked("requirements.lock")
    assert all(versions <= everything[name] for name, versions in run.items())
    groups = _declared()
    wanted = {_normal(requirement) for requirement in groups["run"] + groups["build"]}
    assert wanted <= set(run)
    kept_out = {_normal(requirement) for group in ("test", "lint", "docs", "bench") for requirement in groups[group]}
    assert not (kept_out - wanted) & set(run)


def test_every_declared_dependency_has_its_reason() -> None:
    for tongue in manual.SOURCES:
        page = manual.text(tongue, "explanation/dependencies.md").lower()
        named = {word for level, title in manual.headings(page) if level == 3 for word in re.split(r"[,：:\s]+", title)}
        given = {name.replace("myst", "myst-parser").replace(".", "-") for name in named} | {
            "types-pyyaml",
            "sphinx-intl",
        }
        for requirements in _declared().values():
            assert {_normal(requirement) for requirement in requirements} <= given


# --- languages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tongue", catalogue.LANGUAGES)
def test_every_message_is_translated_and_compiled(tongue: str) -> None:
    assert catalogue.faults(tongue) == []


def test_the_two_languages_answer() -> None:
    assert language.translate("Commands", "en") == "Commands"
    assert language.translate("Commands", "zh-Hans") == "命令"


def test_a_language_holds_for_its_block_only() -> None:
    assert language.active() == "en"
    with language.use("zh-Hans"):
        assert language._("Commands") == "命令"
        assert language.localized({"en": "Wash", "zh": "洗涤"}) == "洗涤"
        assert language.localized({"en": "Wash"}) == "Wash"
    assert language._("Commands") == "Commands"


def test_a_language_the_house_does_not_speak_is_refused() -> None:
    with pytest.raises(ValueError, match="fr"):
        language.activate("fr")


@pytest.mark.parametrize(
    ("tag", "chosen"),
    [("zh", "zh-Hans"), ("zh_CN.UTF-8", "zh-Hans"), ("zh-SG", "zh-Hans"), ("en-GB", "en"), ("C", "en"), (None, "en")],
)
def test_a_tag_chooses_the_nearest_language(tag: str | None, chosen: str) -> None:
    assert language.choose(tag) == chosen


def test_an_empty_message_stays_empty() -> None:
    assert language.translate("", "zh-Hans") == ""


# --- requirements ----------------------------------------------------------------------------------------------------


def test_all_requirements_are_listed_in_both_languages() -> None:
    known = matrix.requirements()
    assert list(known) == [f"R{number:03}" for number in range(1, 121)]
    assert all(requirement.en and requirement.zh for requirement in known.values())


def test_marks_are_found_on_functions_classes_modules_and_state_machines() -> None:
    module = ast.parse(
        "pytestmark = pytest.mark.requirement('R001')\n"
        "@pytest.mark.requirement('R002')\n"
        "def test_a(): ...\n"
        "@pytest.mark.requirement('R003')\n"
        "class TestB:\n"
        "    def test_c(self): ...\n"
        "    def no_test(self): ...\n"
        "TestD = pytest.mark.requirement('R004')(Machine.TestCase)\n"
        "@pytest.mark.requirement('R005')\n"
        "class TestE(Machine.TestCase):\n"
        "    settings = fast\n"
    )
    found = set(matrix._marked(module.body, "t.py", set()))
    assert {pair for pair in found if pair[0] != "R001"} == {
        ("R002", "t.py::test_a"),
        ("R003", "t.py::TestB::test_c"),
        ("R004", "t.py::TestD"),
        ("R005", "t.py::TestE"),
    }
    assert {test for mark, test in found if mark == "R001"} == {
        "t.py::test_a",
        "t.py::TestB::test_c",
        "t.py::TestD",
        "t.py::TestE",
    }


def test_a_requirement_without_a_test_is_open_on_the_page() -> None:
    page = matrix.page("en", {"R002": ["tests/x.py::test_y"]})
    assert "### R002" in page
    assert "- `tests/x.py::test_y`" in page
    assert page.count("*open, due*") == sum(it.due for it in matrix.requirements().values()) - 1
    assert "1 of 120 requirements have tests; 119 are open." in page


# --- the rule of no skips --------------------------------------------------------------------------------------------


def test_continuous_integration_accepts_no_skip_beside_the_shared_files() -> None:
    reasons = ["a.py::t: " + conftest.NO_CHROMIUM, "b.py::t: " + conftest.NO_SHARED]
    assert conftest.forbidden_skips(reasons, in_ci=True, shared_present=True) == reasons
    assert conftest.forbidden_skips(reasons, in_ci=True, shared_present=False) == reasons[:1]
    assert conftest.forbidden_skips(reasons, in_ci=False, shared_present=True) == []


# --- the command line ------------------------------------------------------------------------------------------------


def test_the_help_lists_the_verbs_in_the_language_asked_for() -> None:
    answer = CliRunner().invoke(app, ["--language", "zh-Hans", "--help"])
    assert answer.exit_code == 0
    assert "运行一座细胞治疗工厂" in answer.output


def test_the_version_is_one_line() -> None:
    answer = CliRunner().invoke(app, ["--version"])
    assert answer.stdout == f"cellwright {__version__}\n"


@pytest.mark.parametrize("arguments", [["--nothing"], ["nothing"], ["--language", "fr", "--help"]])
def test_wrong_usage_ends_with_two(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2


def test_wrong_usage_is_said_in_the_language_asked_for() -> None:
    answer = CliRunner().invoke(app, ["--language", "zh-Hans", "nothing"])
    assert "没有命令 'nothing'。" in answer.stderr
    assert "No such command" not in answer.output


def test_every_verb_says_what_it_is_for_in_chinese_too() -> None:
    for text in VERBS.values():
        assert language.translate(text, "zh-Hans") != text


def test_a_document_names_its_schema_first_and_keeps_decimals_and_utc() -> None:
    moment = datetime(2026, 3, 2, 16, 12, tzinfo=timezone(timedelta(hours=8)))
    text = output.document("cellwright.test/1", {"dose": Decimal("12.50"), "at": moment, "list": [{"x": moment}]})
    assert json.loads(text) == {
        "schema": "cellwright.test/1",
        "dose": "12.50",
        "at": "2026-03-02T08:12:00.000000Z",
        "list": [{"x": "2026-03-02T08:12:00.000000Z"}],
    }
    assert text.startswith('{\n  "schema"')


def test_a_time_without_a_zone_is_no_part_of_a_document() -> None:
    with pytest.raises(AssertionError):
        output.document("cellwright.test/1", {"at": datetime(2026, 3, 2, tzinfo=UTC).replace(tzinfo=None)})


def test_progress_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with output.progress("patients", 20) as bar:
        for _ in range(20):
            bar.advance()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[-1] == "patients  20/20"


# --- benchmarks ------------------------------------------------------------------------------------------------------


def test_contenders_take_turns_in_a_rotating_order() -> None:
    order: list[str] = []
    interleave({name: lambda name=name: order.append(name) for name in "abc"}, rounds=3)
    assert order == list("abcbcacab")


def test_a_comparison_is_the_median_of_ratios_of_one_round() -> None:
    ours, rival = iter([1.0, 2.0, 4.0]), iter([2.0, 2.0, 12.0])
    found = Session("test").compare(
        "work",
        {"ours": lambda: next(ours), "rival": lambda: next(rival)},
        ours="ours",
        rounds=3,
        targets={"rival": 2.5},
    )[0]
    assert (found.ratio, found.low, found.high) == (2.0, 1.0, 3.0)
    assert not found.held


def test_the_page_of_figures_is_what_was_written_by_a_run() -> None:
    for tongue, path in benchmark_page.PAGES.items():
        assert path.read_text(encoding="utf-8") == benchmark_page.page(tongue, benchmark_page.read())
    assert set(benchmark_page.read()) <= set(runner.names())


# --- the manual ------------------------------------------------------------------------------------------------------


def test_the_manual_says_what_the_program_does() -> None:
    assert manual.faults() == []


def test_both_languages_show_the_same_commands() -> None:
    for page in manual.pages("en"):
        english, chinese = (manual.text(tongue, page) for tongue in manual.SOURCES)
        assert manual.commands(english) == manual.commands(chinese), page


TYPED = "three grey herons on a jetty\n" * 4
SITE = "site create plant --name plant-1 --fin W1234 --officer SO-1=Ada --officer SO-2=Ben --evidence seen --place ../outside"


def _run(words: list[str], folder: Path) -> str | None:
    """What a command said when it failed; None when it ended with 0."""
    call = [sys.executable, "-c", "from cellwright.cli import main; main()", *words]
    done = subprocess.run(call, cwd=folder, input=TYPED, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize(
    "page", [page for page in manual.pages("en") if manual.commands(manual.text("en", page))], ids=str
)
def test_the_commands_that_a_page_shows_work(page: Path, tmp_path: Path) -> None:
    """In order, in a folder of their own; a page about a site that was made before finds one, its checkpoints outside."""
    shown = [shlex.split(command) for command in manual.commands(manual.text("en", page))]
    assert all(words[0] == "cellwright" for words in shown)
    assert {words[1] for words in shown} <= set(verbs())
    if any(words[1] == "site" for words in shown) and not any(words[1:3] == ["site", "create"] for words in shown):
        assert _run(SITE.split(), tmp_path) is None
    for words in shown:
        assert _run(words[1:], tmp_path) is None
