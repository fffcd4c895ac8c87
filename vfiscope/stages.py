"""Stages: steps that compute tables from a stored run and store them in it.

Another package adds a stage from one of its modules (see :mod:`vfiscope.registry`)::

    from vfiscope.stages import STAGES, Stage

    STAGES.add("mine", Stage("mine", 1, ["scores/psnr"], {"mine": MyRow}, make))

``vfiscope stage mine RUN --set limit=30`` then calls ``make(run, limit=30)`` and stores the rows of
``{"mine": rows}`` that it returns. The parameters of a stage are the keywords of its function, with
their defaults.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from vfiscope.errors import UsageError
from vfiscope.registry import Registry, suggest
from vfiscope.store import Run, StageResult, Table, amend
from vfiscope.types import Fetch

__all__ = ["STAGES", "Fetching", "Stage", "ask"]


@dataclass(frozen=True)
class Stage:
    """A step over a stored run."""

    name: str
    version: int
    """Increment it whenever the same parameters would produce other tables."""
    needs: Sequence[str]
    """Names that the file must hold: "scores/ssim", "maps/mismatch", "stages/segments"."""
    tables: Mapping[str, type]
    """{table: the dataclass of its rows}, whose fields are int, float, bool or str."""
    run: Callable[..., Mapping[str, Sequence[Any]]]
    """(run, its parameters as keywords) -> {table: rows}; with ``frames``, (run, fetch, its
    parameters as keywords)."""
    frames: bool = False
    """True if it looks at frames; ``fetch(rows)`` reads them again, one by one."""
    facts: Callable[..., Mapping[str, Any]] | None = None
    """(run, its parameters as keywords) -> what else its tables depend on, JSON-able, to be stored
    beside the parameters; None where there is no such thing."""

    @property
    def defaults(self) -> dict[str, Any]:
        """{parameter: its default}"""
        keywords = list(inspect.signature(self.run).parameters.values())[2 if self.frames else 1 :]
        return {each.name: each.default for each in keywords}

    def asked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters: those passed, and the defaults of the others.

        Raises:
            UsageError: a parameter is unknown, or one without a default is missing.
        """
        known = self.defaults
        for name in given:
            if name not in known:
                hint = suggest(name, known) if known else "it has none"
                raise UsageError(f"the stage {self.name} has no parameter {name!r}: {hint}")
        asked = {**known, **given}
        for name, value in asked.items():
            if value is inspect.Parameter.empty:
                raise UsageError(f"the stage {self.name} needs {name}: pass --set {name}=VALUE")
        return asked

    def check(self, run: Run) -> None:
        """Refuse a run that does not hold what the stage needs.

        Raises:
            UsageError: something is missing.
        """
        for need in self.needs:
            group, _, name = need.partition("/")
            held = getattr(run, group, {})
            if name not in held:
                listed = ", ".join(held) or "none at all"
                raise UsageError(
                    f"the stage {self.name} needs {need}, but the {group} of {run.path} are"
                    f" {listed}: make it again with {name}"
                )

    def result(
        self, parameters: Mapping[str, Any], made: Mapping[str, Sequence[Any]]
    ) -> StageResult:
        """The tables that the stage made, ready to be stored.

        Raises:
            UsageError: the stage made other tables than it declares.
        """
        if set(made) != set(self.tables):
            raise UsageError(
                f"the stage {self.name} made the tables {', '.join(sorted(made)) or 'none'}, but"
                f" declares {', '.join(sorted(self.tables))}: correct the stage"
            )
        tables = {name: Table(row, made[name]) for name, row in self.tables.items()}
        return StageResult(self.name, self.version, parameters, tables)


Fetching = Callable[[Run], AbstractContextManager[Fetch]]
"""Opens the inputs of a run, to read its frames again."""
STAGES: Registry[Stage] = Registry("stage")
"""All stages; a stage may need the tables of those before it."""


def ask(
    path: str | os.PathLike[str],
    stage: Stage,
    given: Mapping[str, Any],
    *,
    since: Run | None = None,
    fetching: Fetching | None = None,
) -> None:
    """Run a stage over a stored run; its tables replace those of its last time.

    Args:
        path: a finished run.
        stage: the stage.
        given: its parameters, JSON-able; the others have their defaults.
        since: the run as the caller saw it, from which the tables are made without opening it
            again, unless the stage looks at frames; as it is now where None.
        fetching: opens the frames of a run, for stages that look at them.

    Raises:
        UsageError: a parameter cannot be used, or the run lacks what the stage needs.
        StoreError: there is no readable run, it cannot be changed, or somebody else asked the stage
            since then.
    """
    parameters = stage.asked(given)
    seen: AbstractContextManager[Run] = (
        Run(path) if since is None or stage.frames else nullcontext(since)
    )
    with seen as run:
        stage.check(run)
        facts = {} if stage.facts is None else stage.facts(run, **parameters)
        if stage.frames:
            if fetching is None:
                raise UsageError(f"the stage {stage.name} looks at frames: pass fetching")
            with fetching(run) as fetch:
                made = stage.run(run, fetch, **parameters)
        else:
            made = stage.run(run, **parameters)
    result = stage.result(parameters, made)
    tables = result.tables
    known = result.version, result.parameters
    amend(path, result.stage, *known, tables, facts=facts, since=since or run)
