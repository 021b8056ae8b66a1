"""The near side of the pipe: starts the process when first needed, waits for so long and no longer, starts it again."""

import base64
import json
import os
import queue
import subprocess
import sys
import threading
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Any, Final, Self

from cellwright.instrument import Unreadable
from cellwright.language import _

TIMEOUT_S: Final = 120.0
MEMORY_MB: Final = 4096
SIZE_MAX: Final = 100_000_000
WORKER: Final = "cellwright.connect.allotropy.worker"


class NoAllotropy(RuntimeError):
    """The extra `instruments` is not installed."""


class WorkerFailed(RuntimeError):
    """The process died or took too long over a file. It is started again for the next."""


def installed() -> str:
    """The library's version. Raises NoAllotropy if it is not there."""
    try:
        return version("allotropy")
    except PackageNotFoundError:
        raise NoAllotropy(_("This instrument is read by the extra: pip install 'cellwright[instruments]'")) from None


class Allotropy:
    """One process of the library, for as many files as there are; one file at a time. Close it, or use it with `with`.

    Args:
        timeout_s: for one file, the start not counted in.
        memory_mb: address space of the process.
    """

    def __init__(self, *, timeout_s: float = TIMEOUT_S, memory_mb: int = MEMORY_MB, worker: str = WORKER) -> None:
        self.timeout_s, self.memory_mb, self.worker = timeout_s, memory_mb, worker
        self.started = 0
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str | None] = queue.Queue()
        self._lock = threading.Lock()
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self, data: bytes, name: str, vendor: str = "") -> dict[str, Any]:
        """The Allotrope document of a file.

        Args:
            name: the file's own name: some exports say things there only.
            vendor: by the library's own word; empty to let it recognise the file.

        Raises:
            NoAllotropy: the library is not installed.
            Unreadable: it refuses the file; says why in its own words.
            WorkerFailed: it died, or took longer than allowed.
        """
        installed()
        if len(data) > SIZE_MAX:
            raise Unreadable(_("the file is larger than {size} bytes").format(size=SIZE_MAX))
        with self._lock:
            found = self._asked({"name": name, "vendor": vendor, "data": base64.b64encode(data).decode()})
        if "refused" in found:
            raise Unreadable(_("allotropy refuses the file: {why}").format(why=found["refused"]))
        document: dict[str, Any] = found["document"]
        return document

    def close(self) -> None:
        """End the process; it is started again when needed."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def _asked(self, request: dict[str, Any]) -> dict[str, Any]:
        process = self._started()
        self._number += 1
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps({"id": self._number, **request}) + "\n")
            process.stdin.flush()
        except OSError:
            self.close()
            raise WorkerFailed(_("the process of allotropy died")) from None
        found = self._answer(self.timeout_s)
        assert found["id"] == self._number, "one question, one answer"
        return found

    def _started(self) -> "subprocess.Popen[str]":
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        self._answers = queue.Queue()
        surroundings = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", self.worker, str(self.memory_mb)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, encoding="utf-8", env=surroundings,
        )  # fmt: skip
        self.started += 1
        threading.Thread(target=_listen, args=(self._process, self._answers), daemon=True).start()
        # Its imports take seconds, on a busy machine many; a file's own time does not count them.
        self._answer(max(60.0, self.timeout_s))
        return self._process

    def _answer(self, wait_s: float) -> dict[str, Any]:
        try:
            line = self._answers.get(timeout=wait_s)
        except queue.Empty:
            self.close()
            raise WorkerFailed(
                _("allotropy took longer than {seconds:g} s over the file").format(seconds=wait_s)
            ) from None
        if line is None:
            self.close()
            raise WorkerFailed(_("the process of allotropy died"))
        found: dict[str, Any] = json.loads(line)
        return found


def _listen(process: "subprocess.Popen[str]", answers: "queue.Queue[str | None]") -> None:
    assert process.stdout is not None
    try:
        for line in process.stdout:
            answers.put(line)
    except ValueError:
        pass  # the pipe was closed while it was read: the process was ended on purpose
    answers.put(None)
