"""The command line: parse, one call, print.

Nothing here imports torch, or reads the declarations of the options, before a verb needs it, so
that help and info answer at once.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

import click

from vfiscope.cli.batch_command import batch
from vfiscope.cli.completion_command import completion
from vfiscope.cli.entry import catch
from vfiscope.cli.exit_codes import FAULT, INTERRUPTED, TERMINATED, UNUSABLE
from vfiscope.cli.media_commands import demo, doctor, info
from vfiscope.cli.models_command import models
from vfiscope.cli.parameters import Verbs
from vfiscope.cli.regions_command import regions
from vfiscope.cli.result_commands import export, flag, plot
from vfiscope.cli.run_commands import compare, scan, score
from vfiscope.cli.show_command import show
from vfiscope.cli.stage_command import stage
from vfiscope.cli.table_command import table
from vfiscope.cli.terminal import say, say_error, say_traceback
from vfiscope.cli.timelapse_command import timelapse
from vfiscope.errors import Interrupted, Terminated, VfiscopeError
from vfiscope.registry import near_name

__all__ = ["main"]

OBJECTS_BETWEEN_COLLECTIONS = 10_000
"""New objects after which garbage is looked for. Python's 700 cost a short run a tenth of its time:
imports make a million objects that stay."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program: exits with the contract's codes; a user's mistake is one line,
    never a traceback."""
    catch(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    # Threads that spin while they wait for work starve decoding, and everything else, on machines
    # with few cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # vfiscope reports damaged images itself
    pressed: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        signal.default_int_handler(number, frame)

    try:
        catch(signal.SIGINT, interrupt)
        code = vfiscope.main(args=arguments, prog_name="vfiscope", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        say(error.format_message())
        code = UNUSABLE
    except (click.Abort, KeyboardInterrupt) as error:
        say_error(_interrupted(error))
        code = INTERRUPTED
    except SystemExit as error:  # from a signal, or from click after a completion
        if error.code == TERMINATED:
            say_error(_interrupted(error))
        code = error.code
    except (click.ClickException, VfiscopeError, OSError, MemoryError) as error:
        say_error(f"error: {_message(error).strip() or type(error).__name__}")
        code = UNUSABLE
    except Exception:
        if pressed:  # a library made another error of it
            say_error("interrupted")
        else:
            say_traceback()
            say_error("this is a bug in vfiscope: please report it with the lines above")
        code = INTERRUPTED if pressed else FAULT
    sys.exit(code)


def _message(error: Exception) -> str:
    if isinstance(error, click.NoSuchOption):
        return _no_option(error)
    if isinstance(error, click.UsageError):
        return _wrong_usage(error)
    return error.format_message() if isinstance(error, click.ClickException) else str(error)


def _wrong_usage(error: click.UsageError) -> str:
    """What click has to say, with where to read on."""
    what = error.format_message().strip().rstrip(".")
    if error.ctx is None:
        return f"{what}: vfiscope --help says what to pass"
    if isinstance(error, click.MissingParameter) and error.param is not None:
        names = error.param.opts if isinstance(error.param, click.Option) else ()
        what = f"{' or '.join(names) or error.param.make_metavar(error.ctx)} is missing"
    elif "unexpected extra argument (" in error.message and (hint := _of_two_inputs(error.ctx)):
        return f"{what}: {hint}"
    return f"{what}: {error.ctx.command_path} --help says what to pass"


def _of_two_inputs(ctx: click.Context) -> str:
    """Where a second input goes, of a verb that takes one."""
    params = ctx.command.params
    if any(isinstance(each, click.Option) and each.name == "ref" for each in params):
        return "what it is compared with is passed as --ref REF"
    scans = any(each.name == "golden" for each in params)
    return "two inputs are compared by vfiscope score TEST --ref REF" if scans else ""


def _no_option(error: click.NoSuchOption) -> str:
    """The message about an unknown option. Names are compared without their dashes, which make all
    of them look near."""
    known = {name.lstrip("-"): name for name in error.possibilities or ()}
    near = near_name(error.option_name.lstrip("-"), known)
    verb = "vfiscope" if error.ctx is None else error.ctx.command_path
    hint = f"{verb} --help lists all" if near is None else f"did you mean {known[near]}?"
    return f"there is no option {error.option_name}: {hint}"


def _interrupted(error: BaseException) -> str:
    """The message about an interrupt, with what was kept of unfinished work."""
    told = error.__cause__ if isinstance(error, click.Abort) else error
    if isinstance(told, (Interrupted, Terminated)):
        return f"interrupted: {told.message}"
    return "interrupted"


@click.group(
    cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(package_name="vfiscope")
def vfiscope() -> None:
    """Score interpolated videos, scan time-lapse sequences and plot temporal difference curves.

    Every result is one HDF5 file; every figure and table is made from it.
    """


for verb in (score, scan, compare, batch, flag, regions, stage, plot, show, table, export):
    vfiscope.add_command(verb)
for verb in (timelapse, info, doctor, models, demo, completion):
    vfiscope.add_command(verb)
