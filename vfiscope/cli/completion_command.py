"""``vfiscope completion``: the script for shell completion."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from vfiscope.cli.exit_codes import OK
from vfiscope.cli.terminal import say

__all__ = ["completion"]


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print a shell script that completes commands, options, choices and names.

    vfiscope completion bash >> ~/.bashrc

    For zsh: vfiscope completion zsh >> ~/.zshrc

    For fish: vfiscope completion fish > ~/.config/fish/completions/vfiscope.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None, shell  # click has all three
    program = context.find_root().command
    say(kind(program, {}, "vfiscope", "_VFISCOPE_COMPLETE").source())
    return OK
