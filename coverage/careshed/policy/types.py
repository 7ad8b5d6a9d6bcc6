"""Name facility types, functions and operators as the plans do, whatever a register calls them."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Final, Literal

Area = Literal["elder", "childcare", "other"]
"""Whose care a type is."""

Counts = Literal["beds", "places", ""]
"""What a type's number of places means; empty where it has none."""

_NO_EXTRA: Final[Mapping[str, str]] = MappingProxyType({})
_ALIKE: Final = str.maketrans({"〔": "(", "〕": ")", "<": "(", ">": ")", "[": "(", "]": ")", "【": "(", "】": ")"})
_BRACKETS: Final = re.compile(r"\([^()]*\)")
_BETWEEN: Final = re.compile(r"[;；,，、/|\n]+")
_NEAR: Final = 0.34
"""Least share of common characters of a name offered as "did you mean"; one of three characters in common is chance."""


@dataclass(frozen=True)
class FacilityType:
    """A kind of facility that a plan's rules speak of."""

    name: str
    """Canonical name, as profiles and rules write it."""
    name_en: str
    area: Area
    counts: Counts
    functions: tuple[str, ...]
    """Functions the name alone implies; a register's own functions replace them."""
    synonyms: tuple[str, ...]


@dataclass(frozen=True)
class CareFunction:
    """Something a facility does, or a quality it has, that decides whether a rule counts it."""

    name: str
    name_en: str
    synonyms: tuple[str, ...]


@dataclass(frozen=True)
class OperatorClass:
    """A class of operator, found by words in the register's text."""

    name: str
    name_zh: str
    name_en: str
    words: tuple[str, ...]
    without: tuple[str, ...]
    """Words that rule the class out: 公办民营 is not 公办."""


@dataclass(frozen=True)
class _Shipped:
    """What types.toml holds, its keys and kinds of values checked on reading."""

    type: tuple[FacilityType, ...]
    function: tuple[CareFunction, ...]
    operator: tuple[OperatorClass, ...]


@cache
def catalogue() -> Mapping[str, FacilityType]:
    """List the facility types that the plans speak of, by canonical name.

    >>> catalogue()["日间照料中心"].functions
    ('日托',)
    """
    return MappingProxyType({kind.name: kind for kind in _shipped().type})


@cache
def functions() -> Mapping[str, CareFunction]:
    """List the functions that rules may ask for, by canonical name.

    >>> functions()["全托"].name_en
    'round-the-clock care'
    """
    return MappingProxyType({function.name: function for function in _shipped().function})


@cache
def operator_kinds() -> Mapping[str, OperatorClass]:
    """List the classes of operators that rules may ask for.

    >>> list(operator_kinds())
    ['public', 'public_private', 'private', 'inclusive', 'market']
    """
    return MappingProxyType({kind.name: kind for kind in _shipped().operator})


def canonical_type(word: str, extra: Mapping[str, str] = _NO_EXTRA) -> str | None:
    """Find the canonical type a register's word stands for, or nothing where it is not known.

    The word is looked up whole, brackets and spaces made alike; then without what stands in brackets. Nothing is guessed beyond
    that: `nearest_types` says what it might be.

    Parameters
    ----------
    word
        Type as the register writes it.
    extra
        The study's own words -> canonical type (``[policy.types]``); they come before the catalogue's.

    >>> canonical_type("社区养老服务站(点)"), canonical_type("托育机构（民办普惠）"), canonical_type("书店")
    ('社区养老服务站', '托育机构', None)
    >>> canonical_type("邻里养老屋", {"邻里养老屋": "社区养老服务站"})
    '社区养老服务站'
    """
    own = {plain(name): kind for name, kind in extra.items()}
    for form in _forms(word):
        found = own.get(form) or _type_names().get(form)
        if found:
            return found
    return None


def nearest_types(word: str, n: int = 3) -> tuple[str, ...]:
    """List the canonical types whose names look most like a word, nearest first.

    >>> nearest_types("老年日间照料")[0]
    '日间照料中心'
    """
    wanted = plain(word)
    best: dict[str, float] = {}
    for name, kind in _type_names().items():
        best[kind] = max(best.get(kind, 0.0), SequenceMatcher(None, wanted, name, autojunk=False).ratio())
    ranked = sorted((kind for kind, score in best.items() if score > _NEAR), key=lambda kind: -best[kind])
    return tuple(ranked[:n])


def unknown_types(words: Iterable[str], extra: Mapping[str, str] = _NO_EXTRA) -> dict[str, tuple[str, ...]]:
    """List the register's words that no rule would count, each with the types it may stand for.

    >>> unknown_types(["托育机构", "老年人日照中心"])
    {'老年人日照中心': ('日间照料中心', ...)}
    """
    return {word: nearest_types(word) for word in dict.fromkeys(words) if canonical_type(word, extra) is None}


def canonical_function(word: str) -> str | None:
    """Find the canonical function a word stands for, or nothing where it is not known.

    >>> canonical_function("日间照料"), canonical_function("唱歌")
    ('日托', None)
    """
    return _function_names().get(plain(word))


def split_functions(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read a register's functions: the canonical ones, and the words that are not known.

    >>> split_functions("全日托养、日间照料；助餐, 唱歌")
    (('全托', '日托', '助餐'), ('唱歌',))
    """
    words = [word.strip() for word in _BETWEEN.split(text) if word.strip()]
    known = [canonical_function(word) for word in words]
    unknown = [word for word, function in zip(words, known, strict=True) if function is None]
    return tuple(dict.fromkeys(name for name in known if name)), tuple(dict.fromkeys(unknown))


def operator_classes(text: str) -> tuple[str, ...]:
    """Read an operator's classes off the register's text; several may hold, none where it says nothing.

    An operator registered as 民办 without 普惠 counts as at market prices.

    >>> operator_classes("民办普惠"), operator_classes("公建民营"), operator_classes("民办")
    (('private', 'inclusive'), ('public_private',), ('private', 'market'))
    """
    words = plain(text).replace("非普惠", "市场化")
    return tuple(
        kind.name
        for kind in operator_kinds().values()
        if any(word in words for word in kind.words) and not any(word in words for word in kind.without)
    )


def plain(word: str) -> str:
    """Write a name so that full and half width, kinds of brackets and spaces make no difference.

    >>> plain("社区养老服务站 （点）") == plain("社区养老服务站(点)")
    True
    """
    return "".join(unicodedata.normalize("NFKC", word).translate(_ALIKE).split())


def _forms(word: str) -> tuple[str, ...]:
    whole = plain(word)
    return tuple(form for form in dict.fromkeys((whole, _BRACKETS.sub("", whole))) if form)


@cache
def _type_names() -> Mapping[str, str]:
    """Every known name, plain, -> canonical type."""
    return MappingProxyType({plain(name): kind.name for kind in catalogue().values() for name in (kind.name, *kind.synonyms)})


@cache
def _function_names() -> Mapping[str, str]:
    return MappingProxyType({plain(name): entry.name for entry in functions().values() for name in (entry.name, *entry.synonyms)})


@cache
def _shipped() -> _Shipped:
    from pydantic import TypeAdapter

    text = resources.files("careshed.policy").joinpath("types.toml").read_text(encoding="utf-8")
    return TypeAdapter(_Shipped).validate_python(tomllib.loads(text))
