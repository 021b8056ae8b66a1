"""What `cellwright portfolio forecast` and `demand` share: options, assumptions, the record of settings, pictures."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cellwright.cli.output import Exit, complain, stop
from cellwright.language import _

if TYPE_CHECKING:
    import numpy as np

    from cellwright.forecast import Assumptions, Priors, Runs
    from cellwright.forecast.chart import Band
    from cellwright.forecast.programme import Portfolio
    from cellwright.forecast.standing import Standing

RunCount = Annotated[int, typer.Option("--runs", min=200, max=1_000_000, help="Runs. / 模拟次数。")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of all chance. / 随机种子。")]
Years = Annotated[int, typer.Option("--years", min=1, max=40, help="Years ahead. / 预测年数。")]
DayOf = Annotated[
    str, typer.Option("--as-of", metavar="DAY", help="Day of the forecast; the file's if none. / 预测日期。")
]
Mixture = Annotated[
    list[str] | None,
    typer.Option(
        "--prior", metavar="NAME=WEIGHT", help="Priors and their weights instead of the file's. / 先验及权重。"
    ),
]
Sponsor = Annotated[
    float,
    typer.Option(
        "--sponsor-failure", min=0, max=1, help="Sponsors that fail a year; a stress, not a claim. / 申办者年失败率。"
    ),
]
Pictures = Annotated[
    Path | None,
    typer.Option("--pictures", metavar="FOLDER", help="Write the pictures there as SVG. / 图片输出文件夹。"),
]
Folder = Annotated[
    Path | None, typer.Option("--dir", metavar="DIR", help="The folder of the portfolio. / 产品组合的文件夹。")
]
Plain = Annotated[bool, typer.Option("--json", help="One JSON document. / 输出 JSON。")]


def assumptions(
    priors: "Priors", runs: int, seed: int, years: int, prior: list[str] | None, sponsor_failure: float
) -> "Assumptions":
    """Runs in groups of up to a hundred that share what the priors leave open; there are 200 groups or more."""
    from cellwright.forecast import Assumptions

    inner = max(runs // 200 if runs < 20_000 else 100, 2)
    weights = mixture(priors, prior) if prior else None
    return Assumptions(
        outer=runs // inner, inner=inner, seed=seed, horizon=years, mixture=weights, sponsor_failure=sponsor_failure
    )


def standings(portfolio: "Portfolio", today: date, folder: Path | None) -> "Standing":
    """The programmes where the portfolio's ledger says that they stand."""
    from cellwright.command.portfolio.keeping import NotThePortfolio, open_portfolio
    from cellwright.forecast.standing import standing
    from cellwright.ledger import LedgerError

    try:
        with open_portfolio(folder) as kept:
            return standing(portfolio.programmes, kept.book, today)
    except (NotThePortfolio, LedgerError, OSError) as error:
        stop(str(error), Exit.USAGE)


def mixture(priors: "Priors", given: list[str]) -> dict[str, float]:
    """Priors with their weights as they were asked for."""
    known = [one.id for one in priors.priors]
    weights = {}
    for one in given:
        name, _equals, weight = one.partition("=")
        try:
            weights[name] = float(weight or 1)
        except ValueError:
            weights[name] = -1.0
        if name not in known or not 0 < weights[name] < float("inf"):
            stop(
                _("{value} is no prior with a weight; known are {names}.").format(value=one, names=", ".join(known)),
                Exit.USAGE,
            )
    return weights


def day(text: str) -> date:
    """The day of an option."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        stop(_("{value} is no day such as 2026-01-01.").format(value=text), Exit.USAGE)


def number(value: float, digits: int = 4) -> str:
    """A number for a document, to so many significant digits."""
    from decimal import Decimal

    return format(Decimal(f"{value:.{digits}g}"), "f")


def settings(runs: "Runs", made: "Assumptions", priors: "Priors") -> dict[str, Any]:
    """Everything that a repetition needs."""
    from cellwright import __version__
    from cellwright.forecast.simulate import plain

    settings = {name: number(one) if isinstance(one, float) else one for name, one in plain(runs).items()}
    total = sum((made.mixture or priors.weights()).values())
    weights = {name: number(weight / total) for name, weight in (made.mixture or priors.weights()).items()}
    return {
        **settings, "mixture": weights, "mixture_standing": priors.weights_basis.standing,
        "duration_spread": {"value": priors.spread.value, "standing": priors.spread.basis.standing},
        "priors_sha256": priors.sha256, "program_version": __version__,
    }  # fmt: skip


def draw(folder: Path, drawn: dict[str, str]) -> list[str]:
    """Write pictures and give their names."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, svg in drawn.items():
        file = folder / f"{name}.svg"
        file.write_text(svg, "utf-8")
        written.append(str(file))
    complain(_("{count} pictures in {folder}").format(count=len(written), folder=folder))
    return written


def bands(labels: list[str], values: "np.ndarray[Any, Any]") -> list["Band"]:
    """The quantiles of a table of runs, place by place."""
    import numpy as np

    from cellwright.forecast.chart import Band

    levels = np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95), axis=0)
    return [Band(label, *map(float, levels[:, index])) for index, label in enumerate(labels)]
