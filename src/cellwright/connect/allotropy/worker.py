"""The process that holds the library: one JSON line in, one JSON line out, until the input ends.

    {"id": 1, "name": "export.csv", "vendor": "CFXMAESTRO", "data": "<base64>"}  ->
    {"id": 1, "document": {…}}  or  {"id": 1, "refused": "<why>"}

An empty vendor asks the library to recognise the file by its content. Run as `python -m`; nothing else imports it.
"""

import base64
import io
import json
import os
import sys
from typing import Any, TextIO


def limit_memory(megabytes: int) -> None:
    """Let this process have no more address space than this; without a way to say so (Windows), nothing is limited."""
    try:
        import resource
    except ImportError:
        return
    size = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The document of one file, or why there is none. The library raises errors of any kind on damaged files."""
    from allotropy.exceptions import AllotropeConversionError
    from allotropy.to_allotrope import allotrope_from_io

    data = io.BytesIO(base64.b64decode(request["data"]))
    try:
        return {"document": allotrope_from_io(data, request["name"], request["vendor"] or None)}
    except AllotropeConversionError as error:
        return {"refused": str(error)}
    except MemoryError:
        return {"refused": "out of memory"}
    except Exception as error:  # noqa: BLE001 - whatever the library meets in a file is a refusal of that file
        return {"refused": f"{type(error).__name__}: {error}"}


def serve(lines: TextIO, out: TextIO) -> None:
    """Answer every line."""
    import allotropy.to_allotrope  # noqa: F401 - its seconds belong to the start, not to the first file

    out.write(json.dumps({"ready": True}) + "\n")
    out.flush()
    for line in lines:
        request = json.loads(line)
        out.write(json.dumps({"id": request["id"], **answer(request)}) + "\n")
        out.flush()


def main() -> None:
    """Keep the pipe for answers; whatever the library prints goes to the errors."""
    limit_memory(int(sys.argv[1]))
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    serve(sys.stdin, out)


if __name__ == "__main__":
    main()
