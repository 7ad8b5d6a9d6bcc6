"""Refuse settings and tables that the chain of demand cannot use, in both languages and with the cure."""

from __future__ import annotations

from careshed.schema import Fault, InputError


def refuse(code: str, told: tuple[str, str], cure: tuple[str, str] = ("", ""), *, file: str = "study.toml") -> InputError:
    """Build the error for one thing that cannot be used.

    Parameters
    ----------
    told, cure
        What is wrong and what to do, in Chinese and in English.

    >>> print(refuse("no_year", ("没有 2035 年", "2035 is not stated"), ("请补充。", "State it.")))
    1 fault(s) in the input; nothing was written:
      study.toml
        - 2035 is not stated. State it.
    """
    return InputError([Fault(code, file, *told, *cure)])
