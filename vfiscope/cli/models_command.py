"""``vfiscope models``: embedders and their weights."""

from __future__ import annotations

import click

from vfiscope.cli.parameters import files
from vfiscope.cli.terminal import say, say_json

__all__ = ["models"]


@click.group()
def models() -> None:
    """List embedders, fetch their weights, check them. The only command that downloads."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list and nothing else.")
def models_list(as_json: bool) -> int:
    """List the embedders and which of them can be used on this machine."""
    from vfiscope.embedders.kinds import list_embedders

    listed = list_embedders()
    if as_json:
        say_json(listed)
        return 0
    say(f"{'name':<16}{'dim':>6}{'patch':>7}  weights")
    for entry in listed:
        say(f"{entry['name']:<16}{entry['dim']:>6}{entry['patch']:>7}  {entry['weights']}")
    say("any other vision transformer of timm: by its name there")
    return 0


@models.command("fetch")
@click.argument("name")
def models_fetch(name: str) -> int:
    """Download the weights of an embedder into the cache that timm uses."""
    from vfiscope.models.checkpoints import fetch_weights

    say(str(fetch_weights(name)))
    return 0


@models.command("check")
@click.argument("name")
@click.option(
    "--weights",
    metavar="FILE",
    shell_complete=files,
    help="Weights to check; by default the cached ones.",
)
def models_check(name: str, weights: str | None) -> int:
    """Load an embedder and its weights and embed a probe image."""
    from vfiscope.embedders import check

    for key, value in check(name, weights).items():
        if value is not None:
            say(f"{key:<12}{value}")
    return 0
