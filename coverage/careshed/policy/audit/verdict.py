"""Weigh a computed number against a stated one, and write a check up."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from careshed.policy.audit.figures import Relation
from careshed.policy.audit.results import Check, Figure, Figures, Outcome, Reading
from careshed.policy.audit.spans import Span, exact, number


def compare(computed: Span, stated: Span, *, target: bool = False) -> tuple[Outcome, str]:
    """Weigh two numbers: equal, equal within what they are rounded to, or not.

    A target is also read to the letter: where only its rounding makes it fit, the outcome is ``"rounding"``.

    >>> compare(exact(44), exact(44)), compare(exact(7053), exact(7155))
    (('closes', '='), ('open', '≠'))
    """
    if computed.value == stated.value:
        return "closes", "="
    if not computed.meets(stated):
        return "open", "≠"
    if target and stated.low != stated.high and not computed.holds(stated.value):
        return "rounding", "≈"
    return "closes", "≈"


def joined(sign: str, figures: Iterable[Figure]) -> str:
    """Write figures with a sign between them."""
    return f" {sign} ".join(figure.text() for figure in figures)


def bracketed(figures: Iterable[Figure]) -> str:
    """Write a sum, in brackets where it has two terms or more."""
    told = list(figures)
    return f"({joined('+', told)})" if len(told) > 1 else joined("+", told)


def sum_text(parts: Iterable[Figure], computed: Fraction, sign: str, stated: Figure) -> str:
    """Write a sum beside the stated total; a single part is not written twice."""
    told = list(parts)
    left = f"{joined('+', told)} = {number(computed)}" if len(told) > 1 else joined("+", told)
    return left if sign == "=" and len(told) > 1 else f"{left} {sign} {stated.text()}"


def difference(computed: Fraction, stated: Fraction) -> Reading:
    """Say by how much the stated number is above or below."""
    by = stated - computed
    return (
        f"所列数比复算数{'多' if by > 0 else '少'} {number(abs(by))}",
        f"the stated number is {number(abs(by))} {'above' if by > 0 else 'below'} the recomputed one",
    )


def equal_elsewhere(figures: Figures, value: Fraction, unit: str, but: Iterable[Figure]) -> list[Reading]:
    """Say which other figures of the plan are the computed number."""
    worked = number(value)
    return [
        (
            f"{worked} 与方案中“{other.title_zh}”（{other.told()}）相同，两者可能混用",
            f"{worked} is what the plan states as “{other.title_en}” ({other.told('en')}); the two may be mixed up",
        )
        for other in figures.equal_to(value, unit, but)
    ]


def check(
    relation: Relation,
    kind: str,
    outcome: Outcome,
    main: Figure,
    arithmetic: str | Reading,
    figures: Iterable[Figure],
    readings: Iterable[Reading] = (),
    numbers: Iterable[tuple[str, Fraction]] = (),
) -> Check:
    """Write up a relation's check; what it takes for granted softens a mismatch to a doubt."""
    told = list(readings)
    if relation.assumed_zh and outcome in ("open", "unreachable"):
        outcome = "doubtful"
    if relation.assumed_zh:
        told.append((f"前提：{relation.assumed_zh}", f"taken for granted: {relation.assumed_en}"))
    zh, en = (arithmetic, arithmetic) if isinstance(arithmetic, str) else arithmetic
    return Check(
        relation.id, kind, outcome, relation.title_zh or main.title_zh, relation.title_en or main.title_en, zh, en,
        tuple(dict.fromkeys(figures)), tuple(dict.fromkeys(told)), tuple((name, float(value)) for name, value in numbers),
    )  # fmt: skip


def factor(share: Figure) -> Span:
    """A percentage as a factor."""
    return share.span / exact(100)
