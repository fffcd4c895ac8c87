"""The options that verbs share, with their defaults from the configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from vfiscope import config as defaults
from vfiscope import metric_names
from vfiscope.errors import UsageError

__all__ = ["COMPUTED", "comma_list", "files", "option", "run_options"]

_FIELDS = {field.name: field.default for field in fields(defaults.RunConfig)}


def comma_list(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    """Callback of an option that holds names between commas."""
    if value is None:
        return None
    return tuple(part.strip() for part in value.split(",") if part.strip())


def files(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Says to the shell that names of files complete an argument or option."""
    return [CompletionItem(incomplete, type="file")]


def option(*flags: str, **kind: Any) -> Callable[[Any], Any]:
    """An option of ``RunConfig`` whose default is read from there."""
    default = _FIELDS[flags[-1].lstrip("-").replace("-", "_")]
    given = None if default == () else default
    return click.option(*flags, default=given, show_default=given is not None, **kind)


_USUAL = ",".join(defaults.DEFAULT_METRICS)
COMPUTED = "\n\n".join(
    f"{kind}: {', '.join(names)}."
    for kind, names in (
        ("Metrics", metric_names.METRICS),
        ("Maps", metric_names.MAPS),
        ("Fields", metric_names.FIELDS),
    )
)
"""What can be computed, as the help of a verb lists it."""


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that score, scan and compare share."""
    options = [
        option(
            "-o",
            "--out",
            help="Result file; TEST.h5 in this folder where absent.",
            metavar="FILE.h5",
            shell_complete=files,
        ),
        option(
            "--metrics",
            help=f"Scores to compute; {_USUAL} where there is a reference.",
            metavar="A,B,C",
            callback=comma_list,
        ),
        option(
            "--maps",
            help='Maps to keep per frame, or "none"; where absent, those of the metrics.',
            metavar="A,B",
            callback=comma_list,
        ),
        option(
            "--fields",
            help=(
                'Vector fields to keep per frame, or "none"; where absent, motion beside mismatch.'
            ),
            metavar="A,B",
            callback=comma_list,
        ),
        option(
            "--signals",
            help='Signals to keep per frame, or "none"; where absent, those that cost little.',
            metavar="A,B",
            callback=comma_list,
        ),
        *_EMBEDDING_OPTIONS,
        option(
            "--batch", help="Frames decoded and scored together; never changes a score.", type=int
        ),
        option("--start", help="First frame (120) or time (2.5s, 0:01:02.5).", metavar="POSITION"),
        option("--stop", help="End, not included: frame or time.", metavar="POSITION"),
        option("--step", help="Take every N-th frame.", type=int),
        option("--fps", help="Frames per second of image folders.", type=float),
        option(
            "--align",
            metavar="auto|none|SHIFT",
            help=(
                "Of score: find each test frame's partner; pair row by row; or with the frame SHIFT"
                " (+3, -17) later."
            ),
        ),
        option(
            "--comparison",
            metavar="NAME",
            help="What frames are compared with, where an installed package brings another way.",
        ),
        option(
            "--register",
            help=(
                "Bring each test frame onto its partner first: ecc for small motions, sift, or"
                " loftr with weights."
            ),
            type=click.Choice(defaults.REGISTER_METHODS),
        ),
        option(
            "--register-weights",
            help="Weights of LoFTR, for --register loftr.",
            metavar="FILE",
            shell_complete=files,
        ),
        option(
            "--resize",
            help=(
                "Bring frames of another size to the reference's with this filter; refused where"
                " absent."
            ),
            type=click.Choice(defaults.RESIZE_FILTERS),
        ),
        option(
            "--tonemap",
            help=(
                "Bring HDR (PQ, HLG) to SDR, or take its values as stored (none); refused where"
                " absent."
            ),
            type=click.Choice(defaults.TONE_MAPS),
        ),
        option(
            "--time-from",
            help="Take the times of an image folder from EXIF or the file names.",
            type=click.Choice(defaults.TIME_SOURCES),
        ),
        option(
            "--stream",
            help="Read the stream of TEST with this number; the best video stream where absent.",
            type=int,
            metavar="N",
        ),
        option(
            "--deinterlace",
            help="Make whole pictures of interlaced ones; their number stays.",
            type=click.Choice(defaults.DEINTERLACERS),
        ),
        click.option(
            "--flag",
            multiple=True,
            metavar="RULE",
            help='Flag segments, as "ssim < 0.9 for 3 frames".',
        ),
        click.option(
            "--fail-on",
            multiple=True,
            metavar="RULE",
            help=(
                'Exit with 1 if met, as "mean(psnr) < 35"; "psnr of all", "of passed" or "of'
                " synthesised\" frames where these are told apart, else the headline's."
            ),
        ),
        click.option("--overwrite", is_flag=True, help="Replace a result that exists."),
        click.option(
            "--resume/--no-resume",
            default=True,
            show_default=True,
            help="Go on with unfinished work, or discard it.",
        ),
        *_OUTPUT_OPTIONS,
    ]
    for add in reversed(options):
        command = add(command)
    return command


def _read_config_file(
    context: click.Context, _parameter: click.Parameter, path: str | None
) -> None:
    """Options from a TOML file, by their long names, become defaults; the command line wins."""
    if path is None:
        return
    import tomllib

    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"cannot read the configuration {path}: {error.strerror}: check its name"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the configuration {path} is no valid TOML ({error}): mend it there"
        ) from error
    known = {
        flag.lstrip("-"): p
        for p in context.command.params
        if isinstance(p, click.Option)
        for flag in p.opts
    }
    chosen = {}
    for key, value in values.items():
        parameter = known.get(key.replace("_", "-"))
        if parameter is None or parameter.name is None or len(key) == 1 or key == "config":
            raise UsageError(
                f"{path}: there is no option {key!r} in vfiscope {context.info_name}: see --help"
            )
        chosen[parameter.name] = _from_toml(path, key, value, parameter)
    context.default_map = chosen


def _from_toml(path: str, key: str, value: Any, option: click.Option) -> Any:
    """A value as the command line would have given it; a float for a position means seconds, as in
    Python."""
    if option.is_flag:
        if not isinstance(value, bool):
            raise UsageError(f"{path}: {key} is {value!r}: give true or false")
        return value
    if option.multiple:
        value = [value] if isinstance(value, str) else value
        if isinstance(value, list) and all(isinstance(text, str) for text in value):
            return value
        raise UsageError(f"{path}: {key} is {value!r}: give a text or a list of texts")
    if option.callback is comma_list and isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, (bool, list, dict)):
        raise UsageError(f"{path}: {key} is {value!r}: give one value")
    if isinstance(value, float) and option.type is not click.FLOAT:
        if option.type is click.INT:
            raise UsageError(f"{path}: {key} is {value!r}: give a whole number")
        return f"{value}s"
    return str(value)


_OUTPUT_OPTIONS: list[Callable[[Any], Any]] = [
    click.option(
        "--config",
        metavar="FILE.toml",
        shell_complete=files,
        is_eager=True,
        expose_value=False,
        callback=_read_config_file,
        help="Read options from a file; those given here win.",
    ),
    click.option(
        "--json",
        "as_json",
        is_flag=True,
        help="Print the summary as one JSON object and nothing else.",
    ),
    click.option("--quiet", is_flag=True, help="No progress and no messages but errors."),
]

_EMBEDDING_OPTIONS: list[Callable[[Any], Any]] = [
    option(
        "--embedder",
        help="Name, or auto: DINOv2 where its weights are on this machine, dsift otherwise.",
    ),
    option("--weights", help="Weights of the embedder.", metavar="FILE", shell_complete=files),
    option("--device", help="Where tensors are computed.", type=click.Choice(defaults.DEVICES)),
    option(
        "--size",
        help="Short side in pixels before embedding; the embedder's own where absent.",
        type=int,
    ),
    option(
        "--aspect",
        help="Keep a frame's aspect before embedding or make it square.",
        type=click.Choice(defaults.ASPECTS),
    ),
    option(
        "--pool",
        help="Tokens that make the pooled embedding.",
        type=click.Choice(defaults.TOKEN_POOLS),
    ),
    click.option(
        "--precise",
        is_flag=True,
        help="Compute a network in float32 on a GPU too (bfloat16 otherwise).",
    ),
    option(
        "--window",
        help="Look for matches at most so many patches away; anywhere where absent.",
        type=int,
    ),
]
