"""How long a person waits for the command line to answer, against the least that Python and Typer themselves need."""

import subprocess
import sys

from benchmarks.harness import Session


def _call(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)


def run(session: Session) -> None:
    """`cellwright --help` beside `import typer`; both are whole processes."""
    answers = session.compare(
        "answer to --help",
        {
            "cellwright --help": lambda: _call(
                "-c", "import sys; sys.argv[1:] = ['--help']; from cellwright.cli import main; main()"
            ),
            "import typer": lambda: _call("-c", "import typer"),
        },
        ours="cellwright --help",
        rounds=21 if session.full else 9,
        targets={"import typer": 0.5},
        work="one process, from start to exit",
    )
    session.figure("cellwright --help", answers[0].seconds["cellwright --help"], "s", limit=0.3)
