"""What a verification has to say, as a text and its values, so that it can be said in either language.

Standard library only; a part of the stand-alone verifier.
"""

from dataclasses import dataclass, field
from typing import Any


class Problem(Exception):
    """One thing that is not as it must be. The text names the place; its `{values}` are filled in when it is said."""

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text)
        self.text = text
        self.values = values

    def __str__(self) -> str:
        return self.text.format(**self.values)


@dataclass
class Findings:
    """What a verification of a dossier found: its problems, and the facts as far as they could be read."""

    problems: list[Problem] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    manifest: dict[str, Any] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    """The site's first verifier keys, as the dossier states them."""
    pinned: bool = False
    """The reader knew the site's keys from elsewhere, and they are these."""
    compared: int = 0
    """Checkpoints from elsewhere that this dossier's record was compared with, and continues."""
    witnesses: list[tuple[str, int, bool]] = field(default_factory=list)
    """Who cosigned the checkpoint, when (Unix seconds), and whether the reader knew the witness's key from elsewhere."""
    timestamps: int = 0
    """Tokens of time-stamping authorities over the checkpoint; their signatures are not checked here."""
    reviewed: tuple[str, int, int] | None = None
    """The last review of the record: when it was signed, over how many events, how many of these are not here."""
    post_quantum: str = ""
    """Which implementation checked the post-quantum signatures; empty when there were none."""
    signatures: int = 0
    elsewhere: int = 0
    """Contents that signatures cover and that belong to other records than this dossier's."""
    files: int = 0

    @property
    def ok(self) -> bool:
        """Everything holds."""
        return not self.problems

    @property
    def simulated(self) -> bool:
        """The record, or the list of contents, says of itself that it was made by simulation."""
        opened = bool(self.events) and bool(self.events[0].get("body", {}).get("simulated"))
        return opened or bool(self.manifest.get("simulated"))
