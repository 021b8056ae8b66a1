"""The same model twice more, each too slow or too narrow for use: what the fast simulation is held against.

`loop` runs one programme in one run after the other in plain Python, from the words of the model. `markov` is the exact
answer of the special case in which stages last exponentially: an absorbing Markov chain in continuous time.
"""

import random
from collections.abc import Sequence
from math import exp, inf

import numpy as np
from numpy.typing import NDArray


def loop(
    chances: Sequence[Sequence[float]],
    years: Sequence[Sequence[float]],
    spread: float,
    horizon: float,
    runs: int,
    seed: int,
) -> list[int]:
    """Approvals by the horizon in each run; every programme starts its first stage now.

    Args:
        chances: for each programme the chance of each stage still ahead.
        years: for each programme the mean duration of each of them.
    """
    chance = random.Random(seed)
    counts = []
    for _run in range(runs):
        approved = 0
        for stages, lasting in zip(chances, years, strict=True):
            when = 0.0
            for share, mean in zip(stages, lasting, strict=True):
                when += mean * exp(spread * chance.gauss(0, 1) - spread**2 / 2)
                if chance.random() >= share:
                    when = inf
                    break
            approved += when <= horizon
        counts.append(approved)
    return counts


def markov(chances: Sequence[float], years: Sequence[float], horizon: float) -> float:
    """The chance to be approved by the horizon if every stage lasts exponentially.

    States are the stages, approval and failure; stage i is left at the rate 1 / years[i], to the next one with
    chances[i] and to failure otherwise. The answer is an entry of the matrix exponential of the generator.
    """
    from scipy.linalg import expm

    n = len(chances)
    generator: NDArray[np.float64] = np.zeros((n + 2, n + 2))
    for stage, (share, mean) in enumerate(zip(chances, years, strict=True)):
        generator[stage, stage] = -1 / mean
        generator[stage, stage + 1] = share / mean
        generator[stage, n + 1] = (1 - share) / mean
    # Approval, the state after the last stage, has index n; failure n + 1.
    return float(expm(generator * horizon)[0, n])
