"""Results kept: what a model with a seed gave once is not run again. One small file each, written whole or not at all."""

import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

import msgspec

MEANING: Final = 2
"""Of the interpreter: it counts up when a model means something else, so that older results are not taken for new ones."""


class Store:
    """A folder of results by the hash of the model, the options of the run, and the seed."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def path(self, model: str, options: Mapping[str, Any], seed: int) -> Path:
        """Where a result lies."""
        said = msgspec.json.encode({"meaning": MEANING, **options}, order="deterministic")
        return self.folder / model[:16] / f"{sha256(model.encode() + said).hexdigest()[:16]}-{seed}.json"

    def get(self, model: str, options: Mapping[str, Any], seed: int) -> dict[str, float] | None:
        """The figures of a run; None if it was not run, or if its file is not whole."""
        path = self.path(model, options, seed)
        try:
            kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        return {k: float("nan") if v is None else v for k, v in kept.figures.items()} if kept.model == model else None

    def put(self, model: str, options: Mapping[str, Any], seed: int, figures: Mapping[str, float]) -> None:
        """Keep the figures of a run."""
        path = self.path(model, options, seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        body = msgspec.json.encode(_Kept(model, seed, dict(options), dict(figures)))
        with NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)


class _Kept(msgspec.Struct):
    model: str
    seed: int
    options: dict[str, Any]
    figures: dict[str, float | None]
