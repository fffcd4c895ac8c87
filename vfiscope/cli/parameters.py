"""The click parameters made from the declared options, and those that verbs share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from vfiscope import metric_names
from vfiscope.cli.config_file import read_config_file
from vfiscope.errors import UsageError
from vfiscope.registry import suggest

if TYPE_CHECKING:
    from vfiscope.options import Declared

__all__ = [
    "COMPUTED",
    "DeclaredOption",
    "RunCommand",
    "Verbs",
    "comma_list",
    "config_option",
    "files",
    "output_options",
]

COMPUTED = "\n\n".join(
    f"{kind}: {', '.join(names)}."
    for kind, names in (
        ("Metrics", metric_names.METRICS),
        ("Maps", metric_names.MAPS),
        ("Fields", metric_names.FIELDS),
    )
)
"""The metrics, maps and fields, as the help of a verb lists them."""


class Verbs(click.Group):
    """The verbs; suggests one for a mistyped name."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            raise UsageError(f"there is no verb {args[0]!r}: {suggest(args[0], self.commands)}")
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None and not ctx.resilient_parsing:
            _check_values(command.get_params(ctx), rest)
        return name, command, rest

    def invoke(self, ctx: click.Context) -> Any:
        """As a group does. What click's parser refuses knows no verb: it is told which."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            verb = self.commands.get(ctx.invoked_subcommand or "")
            if error.ctx is None and verb is not None:
                error.ctx = click.Context(verb, info_name=verb.name, parent=ctx)
            raise


class RunCommand(click.Command):
    """A verb that makes a run. Its options are read from their declarations only when its command
    line or help is needed, so that the help of the program itself stays fast."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        if not any(isinstance(each, DeclaredOption) for each in self.params):
            self.params = [*self.declared_parameters(), *self.params]
        return super().get_params(ctx)

    def declared_parameters(self) -> Iterable[click.Parameter]:
        """The arguments and options of the verb of this name."""
        from vfiscope.options import declared, sections

        for title, options in sections(declared().values()).items():
            for told in options:
                if self.name in told.option.argument_of:
                    needed = told.name == "test"  # the page of compare --panels holds the others
                    yield click.Argument([told.name], type=DeclaredType(told), required=needed)
                elif self.name in told.option.verbs:
                    yield DeclaredOption(told, title)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Help in sections, one for each group of options."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            title = getattr(parameter, "section", "Other options")
            if isinstance(parameter, click.Option) and (record := parameter.get_help_record(ctx)):
                sections.setdefault(title, []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


class DeclaredOption(click.Option):
    """An option of the command line that is made from a declaration."""

    def __init__(self, told: Declared, section: str) -> None:
        flag = f"{told.flag}/--no-{told.flag[2:]}" if told.default is True else told.flag
        default = None if told.default == () else told.default
        super().__init__(
            [flag] if told.option.short is None else [told.option.short, flag],
            type=None if told.kind is bool else DeclaredType(told),
            is_flag=told.kind is bool,
            multiple=told.kind is tuple and told.option.names is None,
            default=default,
            show_default=default is not None and default is not False,
            metavar=told.option.metavar,
            help=told.option.help,
        )
        self.section = section


class DeclaredType(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.5 alone
    """Converts a text as its declaration says; any other value, as from a TOML file, is passed on
    and validated later."""

    def __init__(self, told: Declared) -> None:
        self.told = told
        self.name = {int: "integer", float: "number"}.get(told.kind, "text")

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        return self.told.of_text(value) if isinstance(value, str) else value

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        return f"[{'|'.join(self.told.choices)}]" if self.told.choices else None

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        if self.told.option.file:
            return files(ctx, param, incomplete)
        if self.told.option.names is None:
            return _beginning(incomplete, self.told.choices)
        names = _names(self.told.option.names)
        if self.told.kind is not tuple:
            return _beginning(incomplete, names)
        given, comma, last = incomplete.rpartition(",")
        return _beginning(last, names, f"{given}{comma}")


def _check_values(parameters: Iterable[click.Parameter], arguments: Sequence[str]) -> None:
    """Refuse an option that would take the one after it for its value.

    Raises:
        UsageError: one would.
    """
    takes_value = {
        flag: isinstance(each, click.Option) and not each.is_flag and not each.count
        for each in parameters
        for flag in (*each.opts, *each.secondary_opts)
        if flag.startswith("-")
    }
    for flag, after in pairwise(arguments):
        if flag == "--":
            return
        if takes_value.get(flag) and after.partition("=")[0] in takes_value:
            raise UsageError(f"{flag} needs a value, and {after} is the next option: pass one")


def comma_list(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    """Callback of an option that takes comma-separated names."""
    if value is None:
        return None
    return tuple(part.strip() for part in value.split(",") if part.strip())


def files(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Tells the shell to complete an argument or option with file names."""
    return [CompletionItem(incomplete, type="file")]


config_option = click.option(
    "--config",
    metavar="FILE.toml",
    shell_complete=files,
    is_eager=True,
    expose_value=False,
    callback=read_config_file,
    help="Read options from a file; the command line wins.",
)


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that change how a run is started and reported, but nothing in it."""
    as_json = click.option(
        "--json",
        "as_json",
        is_flag=True,
        help="Print the summary as one JSON object and nothing else.",
    )
    quiet = click.option("--quiet", is_flag=True, help="Print errors only, no progress.")
    return config_option(as_json(quiet(command)))


def _beginning(start: str, names: Iterable[str], before: str = "") -> list[CompletionItem]:
    return [CompletionItem(f"{before}{name}") for name in names if name.startswith(start)]


def _names(kind: str) -> Iterable[str]:
    """All names of a kind that an option takes."""
    if kind == "embedder":
        from vfiscope.embedders.kinds import list_embedders

        return ("auto", *(str(each["name"]) for each in list_embedders()))
    if kind == "comparison":
        from vfiscope.comparisons import COMPARISONS

        return ("auto", *COMPARISONS)
    if kind == "signal":
        from vfiscope.signals import SIGNALS

        return (*SIGNALS, "none")
    if kind == "kind":
        from vfiscope.types.segment_kinds import SEGMENT_KINDS

        return SEGMENT_KINDS
    if kind == "method":
        from vfiscope.regions import METHODS

        return (*METHODS, "none")
    return {
        "metric": metric_names.METRICS,
        "map": (*metric_names.MAPS, "none"),
        "field": (*metric_names.FIELDS, "none"),
    }[kind]
