"""What a sweep file says."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from runtime.setup.sections import NamedFile, Part
from runtime.validation.settings import ValidationSettings

type Choice = bool | int | float | str | None
type SamplerKind = Literal["grid", "random", "tpe", "nsga2"]
type Aggregate = Literal["mean", "median", "worst"]


class Range(Part, frozen=True, kw_only=True):
    """
    The values between two bounds, both included.

    Parameters
    ----------
    low, high : float
        The bounds.
    log : bool, default False
        Whether values are spread evenly by their logarithm.
    step : float, optional
        Only low, low + step, low + 2 step, … up to high.
    points : int, optional
        For a grid: so many values, spread evenly from low to high.
    integer : bool, default False
        Whether only whole numbers are meant.

    """

    low: float
    high: float
    log: bool = False
    step: Annotated[float, Meta(gt=0)] | None = None
    points: Annotated[int, Meta(ge=2, le=10_000)] | None = None
    integer: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"low: was {self.low}, expected below high, {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"low: was {self.low}, expected above 0 where log is true")
        if self.log and self.step is not None:
            raise ValueError("step: does not go with log; points does")
        if self.integer:
            for key in ("low", "high", "step"):
                value = getattr(self, key)
                if value is not None and value != int(value):
                    raise ValueError(f"{key}: was {value}, expected a whole number where integer is true")


class SamplerSettings(Part, frozen=True, kw_only=True):
    """
    How the points of the trials are chosen.

    Parameters
    ----------
    kind : {"grid", "random", "tpe", "nsga2"}, default "tpe"
        All points of a grid; points at random; a model of what was good so far (tree-structured Parzen estimator); a
        population that evolves, for several objectives.
    seed : int, default 1
        Of the choices.
    batch : int, default 8
        Trials that are chosen together, from the results of all batches before. It decides the points, whatever the
        number of workers; the last workers of a batch wait for each other, so a few times as many as workers are good.
        For nsga2 it is the size of the population. A grid and random points have no batches.

    """

    kind: SamplerKind = "tpe"
    seed: Annotated[int, Meta(ge=0, lt=2**32)] = 1
    batch: Annotated[int, Meta(ge=2, le=10_000)] = 8


class Objective(Part, frozen=True, kw_only=True):
    """
    A figure of the summary by its dotted path, such as `sharpe` or `markouts_bps.30s`; one of the two keys.

    Parameters
    ----------
    maximize, minimize : str, optional
        The figure.

    """

    maximize: str | None = None
    minimize: str | None = None

    def __post_init__(self) -> None:
        if (self.maximize is None) == (self.minimize is None):
            raise ValueError("maximize: expected either maximize or minimize, with a figure of the summary")

    @property
    def key(self) -> str:
        """The figure."""
        return self.maximize or self.minimize or ""

    @property
    def direction(self) -> Literal["maximize", "minimize"]:
        """What is wanted of it."""
        return "minimize" if self.maximize is None else "maximize"

    @property
    def sign(self) -> int:
        """+1 where more is better, -1 where less is."""
        return 1 if self.maximize is not None else -1


class Replicates(Part, frozen=True, kw_only=True):
    """
    Each trial is run several times, with another value of one key of the setup: other markets, or other luck.

    Parameters
    ----------
    vary : str, default "backtest.seed"
        The key: `backtest.synthetic.seed` for other synthetic markets, `backtest.seed` for other luck of the fills.
    values : tuple
        Its values, one per run.
    aggregate : {"mean", "median", "worst"}, default "mean"
        What of the runs' figures is the trial's, for objectives and constraints.

    """

    vary: str = "backtest.seed"
    values: Annotated[tuple[Choice, ...], Meta(min_length=2, max_length=1_000)]
    aggregate: Aggregate = "mean"

    def __post_init__(self) -> None:
        if len(set(self.values)) < len(self.values):
            raise ValueError("values: names a value twice")


class Pruning(Part, frozen=True, kw_only=True):
    """
    Stop trials that are hopeless after the first part of the market.

    Each trial replays the first part alone. Where its objective is then among the worst, compared with the first parts
    of the trials of all batches before, it is not run on the whole.

    Parameters
    ----------
    first_pct : float, default 25
        How much of the period, by time, the first part is.
    worst_pct : float, default 50
        Which part of the trials counts as the worst.
    after_trials : int, default 16
        No trial is stopped before so many first parts are known.

    """

    first_pct: Annotated[float, Meta(gt=0, lt=100)] = 25
    worst_pct: Annotated[float, Meta(gt=0, lt=100)] = 50
    after_trials: Annotated[int, Meta(ge=2)] = 16


class SweepSettings(Part, frozen=True, kw_only=True):
    """
    Which trials to make of which setup, and what is wanted of them.

    Parameters
    ----------
    setup : str
        The file of the setup, from the folder of the sweep file.
    set : tuple of str
        `PATH=VALUE`: what of the setup is different in every trial.
    parameters : dict
        What differs between the trials: a path of the setup, and a list of values or a `Range`.
    where : tuple of str
        Conditions between parameters that every point keeps, such as `stop_zscore > entry_zscore`.
    sampler : SamplerSettings
        How points are chosen.
    trials : int, optional
        How many; a grid has as many as it has points.
    objectives : tuple of Objective
        What is best.
    constraints : tuple of str
        `FIGURE <= NUMBER` or `FIGURE >= NUMBER`: a trial that breaks one is not feasible.
    replicates : Replicates, optional
        Several runs per trial.
    pruning : Pruning, optional
        Whether hopeless trials are stopped early.
    validation : ValidationSettings
        Where the winner is tried after the search.

    """

    setup: str
    set: tuple[str, ...] = ()
    parameters: Annotated[dict[str, Any], Meta(min_length=1)]
    where: tuple[str, ...] = ()
    sampler: SamplerSettings = SamplerSettings()
    trials: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    objectives: Annotated[tuple[Objective, ...], Meta(min_length=1, max_length=8)]
    constraints: tuple[str, ...] = ()
    replicates: Replicates | None = None
    pruning: Pruning | None = None
    validation: ValidationSettings = ValidationSettings()

    def __post_init__(self) -> None:
        if self.sampler.kind != "grid" and self.trials is None:
            raise ValueError(
                f"trials: is missing; only a grid knows by itself how many there are, not {self.sampler.kind}"
            )
        if self.sampler.kind == "grid" and self.trials is not None:
            raise ValueError("trials: a grid has as many trials as it has points")
        if self.pruning is not None and len(self.objectives) > 1:
            raise ValueError("pruning: goes with one objective")


class SweepFile(NamedFile, frozen=True, kw_only=True):
    """A sweep file; `sweep` says what is done."""

    sweep: SweepSettings
