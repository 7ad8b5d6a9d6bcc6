"""Offer every step as a command; decide nothing here."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

import typer

from careshed.cli import check, committee, places, policy, siting, steps, streets
from careshed.cli.shared import app
from careshed.schema import InputError
from careshed.words import Lang

__all__ = ["app", "check", "committee", "main", "places", "policy", "siting", "steps", "streets"]


_LANG: Final = re.compile(r"^\s*lang\s*=\s*[\"'](zh|en)[\"']", re.MULTILINE)


def main() -> None:
    """Run the command line; input that cannot be used ends in one message and exit code 1, not in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")  # a Windows console may default to GBK
    try:
        app()
    except InputError as error:
        typer.echo(error.text(_lang(sys.argv[1:])), err=True)
        sys.exit(1)
    except (KeyError, ValueError, OSError) as error:
        bare = type(error) is KeyError
        typer.echo(f"not found / 找不到：{error}" if bare else str(error), err=True)
        sys.exit(1)


def _lang(arguments: list[str]) -> Lang:
    """Tell the language of messages: the one asked for, else that of the study file named, else Chinese."""
    for at, word in enumerate(arguments):
        asked = arguments[at + 1] if word == "--lang" and at + 1 < len(arguments) else word.removeprefix("--lang=")
        if word.startswith("--lang") and asked in ("zh", "en"):
            return "en" if asked == "en" else "zh"
    for word in arguments:
        if word.endswith(".toml") and Path(word).is_file():
            found = _LANG.search(Path(word).read_text(encoding="utf-8", errors="replace"))
            return "en" if found and found[1] == "en" else "zh"
    return "zh"
