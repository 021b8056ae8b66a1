"""State machines as tables: what is not in the table is refused and changes nothing."""

from collections.abc import Mapping
from typing import NamedTuple

from cellwright.factory.rule import Refusal


class Machine(NamedTuple):
    """A state machine.

    Attributes:
        name: what the machine describes, for refusals.
        states: all states, in the order of the standard; the first one is initial.
        commands: all commands, in the order of the standard.
        commanded: state -> command -> next state.
        completion: state -> next states that it reaches by itself, without a command.
        rule: requirement it shows.
    """

    name: str
    states: tuple[str, ...]
    commands: tuple[str, ...]
    commanded: Mapping[str, Mapping[str, str]]
    completion: Mapping[str, tuple[str, ...]]
    rule: str

    def command(self, state: str, command: str) -> str:
        """The state that a command leads to.

        Raises:
            Refusal `transition-not-possible`: the table has no such transition.
        """
        following = self.commanded.get(state, {}).get(command)
        if following is None:
            raise Refusal(
                "transition-not-possible",
                "{machine}: {command} is not possible in the state {state}.",
                remedy="Possible now: {possible}.",
                rule=self.rule,
                machine=self.name,
                command=command,
                state=state,
                possible=", ".join(self.possible(state)) or "-",
            )
        return following

    def complete(self, state: str, into: str | None = None) -> str:
        """The state that a state reaches by itself when its work is done; `into` where there is a choice.

        Raises:
            Refusal `nothing-to-complete`: the state does not end by itself, or not so.
        """
        following = self.completion.get(state, ())
        if into is None and len(following) == 1:
            return following[0]
        if into in following:
            return str(into)
        raise Refusal(
            "nothing-to-complete",
            "{machine}: the state {state} does not become {into} by itself.",
            remedy="By itself it becomes: {possible}.",
            rule=self.rule,
            machine=self.name,
            state=state,
            into=into or "-",
            possible=", ".join(following) or "-",
        )

    def possible(self, state: str) -> tuple[str, ...]:
        """The commands a state accepts, in the order of the standard."""
        accepted = self.commanded.get(state, {})
        return tuple(command for command in self.commands if command in accepted)
