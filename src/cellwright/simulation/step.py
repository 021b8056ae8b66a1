"""What a process can do: the steps of a program, as the builder and the file form both write them."""

import msgspec

from cellwright.simulation.draw import Draw


class Step(msgspec.Struct, frozen=True, tag_field="do", kw_only=True):
    """One step; steps follow each other unless one of them leads to a label."""


class Label(Step, frozen=True, tag="label"):
    """A place that other steps lead to."""

    name: str


class Delay(Step, frozen=True, tag="delay"):
    """Time passes. With `interruptible`, a more urgent process may take that resource away meanwhile."""

    draw: Draw
    interruptible: str | None = None


class Acquire(Step, frozen=True, tag="acquire"):
    """Wait for units of a resource, or of several at once, and hold them.

    Gives up after `patience`, or at the time that the attribute `deadline` holds, and goes on at `otherwise`.
    """

    units: dict[str, int]
    preempt: bool = False
    patience: Draw | None = None
    deadline: str | None = None
    otherwise: str | None = None


class Release(Step, frozen=True, tag="release"):
    """Hold units no longer; after `cleaning` they are free for others."""

    units: dict[str, int]
    cleaning: Draw | None = None


class Take(Step, frozen=True, tag="take"):
    """Wait for units of a stock and use them up."""

    stock: str
    units: int = 1
    patience: Draw | None = None
    deadline: str | None = None
    otherwise: str | None = None


class Put(Step, frozen=True, tag="put"):
    """Add units to a stock."""

    stock: str
    units: int = 1


class Branch(Step, frozen=True, tag="branch"):
    """With this probability go on at the label."""

    probability: float
    to: str


class Jump(Step, frozen=True, tag="jump"):
    """Go on at the label."""

    to: str


class Test(Step, frozen=True, tag="test"):
    """Go on at the label if the attribute compares so with a number or with another attribute."""

    attribute: str
    is_: str = msgspec.field(name="is")
    value: float | str
    to: str


class Set(Step, frozen=True, tag="set"):
    """Give an attribute a value."""

    attribute: str
    draw: Draw


class Add(Step, frozen=True, tag="add"):
    """Add to an attribute."""

    attribute: str
    draw: Draw


class Stamp(Step, frozen=True, tag="stamp"):
    """Give an attribute the present time, or a time so much later."""

    attribute: str
    plus: Draw | None = None


class WaitUntil(Step, frozen=True, tag="wait_until"):
    """Hold until the time that an attribute says; no wait if it is past."""

    attribute: str


class Priority(Step, frozen=True, tag="priority"):
    """Be so urgent from now on: 0 is the most urgent; a name is that of an attribute."""

    value: int | str


class Count(Step, frozen=True, tag="count"):
    """Add to a counter of the model."""

    counter: str
    by: float = 1.0


class Measure(Step, frozen=True, tag="measure"):
    """Record the time since the process began, or since the time that an attribute holds."""

    measure: str
    since: str | None = None


class Batch(Step, frozen=True, tag="batch"):
    """Wait until so many are together, at most `within`; one of them goes on for all until `unbatch` or the end."""

    name: str
    size: int
    within: Draw | None = None


class Unbatch(Step, frozen=True, tag="unbatch"):
    """The members of the batch go on each for itself."""


class Split(Step, frozen=True, tag="split"):
    """Start copies of the process at a label; `join` waits for the joined ones."""

    to: str
    copies: int = 1
    joined: bool = True


class Join(Step, frozen=True, tag="join"):
    """Wait until every joined copy has ended."""


class End(Step, frozen=True, tag="end"):
    """The process ends here."""


class Break(Step, frozen=True, tag="break"):
    """Units of a resource are under repair from now on, or so many fewer; only breakdowns have this step."""

    resource: str
    units: int


AnyStep = (
    Label
    | Delay
    | Acquire
    | Release
    | Take
    | Put
    | Branch
    | Jump
    | Test
    | Set
    | Add
    | Stamp
    | WaitUntil
    | Priority
    | Count
    | Measure
    | Batch
    | Unbatch
    | Split
    | Join
    | End
)
"""What a model may say."""
Instruction = AnyStep | Break
"""What is translated."""  # fmt: skip
