"""Offer every step as a command; decide nothing here."""

from __future__ import annotations

import sys

import typer

from careshed.cli import places, policy, steps
from careshed.cli.shared import app
from careshed.schema import InputError

__all__ = ["app", "main", "places", "policy", "steps"]


def main() -> None:
    """Run the command line; input that cannot be used ends in one message and exit code 1, not in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")  # a Windows console may default to GBK
    try:
        app()
    except InputError as error:
        typer.echo(error.text("en" if "en" in sys.argv else "zh"), err=True)
        sys.exit(1)
    except (KeyError, ValueError) as error:
        typer.echo(str(error), err=True)
        sys.exit(1)
