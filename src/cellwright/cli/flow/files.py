"""Files of `cellwright flow`: what is read says why it cannot be, and what is written goes over nothing that was read."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from cellwright.cli.output import Exit, complain, print_document, say, stop
from cellwright.language import _

if TYPE_CHECKING:
    from cellwright.cytometry import FcsFile
    from cellwright.cytometry.analysis import AnalysisError, Sheet
    from cellwright.cytometry.batch import Gates

WRITTEN: Final = "cellwright.flow-written/1"


def why(error: Exception) -> str:
    """What went wrong, without the path that the sentence around it names."""
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def sample_of(path: Path, data_set: int = 0) -> "FcsFile":
    """A data set of a file. Ends the command if it cannot be read."""
    from cellwright.cytometry import FcsError, read_fcs

    try:
        return read_fcs(path, data_set=data_set)
    except (FcsError, OSError) as error:
        unreadable(path, error)


def unreadable(path: Path, error: Exception) -> NoReturn:
    """End the command over a file."""
    stop(_("{file}: cannot be read: {why}").format(file=path, why=why(error)))


def is_simulated(sample: "FcsFile") -> bool:
    """Whether the file says of itself that nobody acquired it."""
    from cellwright.cytometry.simulated import MARKER

    return MARKER in sample.text


def gates_of(path: Path) -> "Gates":
    """The gates of a file. Ends the command if it cannot be read."""
    from cellwright.cytometry import GateError, batch

    try:
        return batch.gates_of(path)
    except (GateError, OSError) as error:
        stop(_("{path} cannot be read: {why}").format(path=path, why=why(error)))


def sheet_of(path: Path) -> "Sheet":
    """An analysis. Ends the command if it cannot be read."""
    from cellwright.cytometry.analysis import AnalysisError, read_analysis

    try:
        return read_analysis(path.read_bytes())
    except OSError as error:
        stop(_("{path} cannot be read: {why}").format(path=path, why=why(error)), Exit.USAGE)
    except AnalysisError as error:
        refuse(path, error)


def refuse(path: Path, error: "AnalysisError") -> NoReturn:
    """End the command over an analysis, with every problem at its line."""
    for problem in error.problems:
        complain(f"{path}:{problem.line}: {problem.where}: {problem.what}")
    raise SystemExit(int(Exit.FINDING))


@contextmanager
def writing(path: Path, *read: Path) -> Iterator[None]:
    """Write a file; ends the command if that fails, or if it is one of those that were read."""
    if any(_same(path, one) for one in read):
        stop(_("{path} was read; it is not written over.").format(path=path), Exit.USAGE)
    try:
        yield
    except OSError as error:
        stop(_("{path} cannot be written: {why}").format(path=path, why=why(error)))


def _same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False


def wrote(paths: Sequence[Path], *, json: bool) -> None:
    """Say what was written."""
    if json:
        print_document(WRITTEN, {"written": [str(path) for path in paths]})
    else:
        for path in paths:
            say(_("{path} written").format(path=path))


def parquet(columns: dict[str, Any], path: Path, *read: Path) -> None:
    """Write columns as a Parquet table."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        stop(_("Tables need the extra: pip install 'cellwright[tables]'"), Exit.USAGE)
    with writing(path, *read):
        pq.write_table(pa.table(columns), path)
