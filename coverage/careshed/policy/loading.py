"""Load a plan's profile, shipped or a planner's own, and tell every fault in it at once, with line and cure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from pydantic import BaseModel, ValidationError

from careshed.intake.columns import nearest
from careshed.intake.tables import damaged, decoded, must_exist, stop
from careshed.policy.checks import Finding, duplicates, entry_findings, head_findings, rule_findings
from careshed.policy.lines import Loc, key_lines, line_of
from careshed.policy.model import KINDS, STATUSES, Profile, Rule
from careshed.schema import Fault, InputError, file_label
from careshed.words import Lang, group_name, pick

if TYPE_CHECKING:
    import pandas as pd

_STAND_INS: Final[dict[str, object]] = {
    "id": "x", "title_zh": "x", "title_en": "x", "kind": "procedure", "measure": "none", "status": "hard",
}  # fmt: skip
"""Fill the place of a rule's keys that are missing or of the wrong form, so that its other keys are checked all the same."""


def profiles(lang: Lang = "zh") -> pd.DataFrame:
    """List the plans that careshed ships as profiles.

    Returns
    -------
    pandas.DataFrame
        Index ``id``; columns ``name``, ``doc_no``, ``issued``, ``plan_end``, ``rules`` (number), ``check`` (what the reader
        must check against the published text).
    """
    import pandas as pd

    loaded = [load_profile(name) for name in shipped()]
    rows = [
        (one.name(lang), one.profile.doc_no, one.profile.issued, one.profile.plan_end, len(one.rule), one.check(lang))
        for one in loaded
    ]
    columns = ["name", "doc_no", "issued", "plan_end", "rules", "check"]
    table = pd.DataFrame(rows, columns=columns, index=pd.Index([one.id for one in loaded], name="id"))
    return table.astype({"plan_end": "Int64"})


def shipped() -> list[str]:
    """List the ids of the profiles that careshed ships, in alphabetical order."""
    return sorted(entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml"))


def load_profile(profile: str | Path) -> Profile:
    """Load a plan's rules, so that a city's data can be judged by them.

    Parameters
    ----------
    profile
        Id of a shipped profile, such as ``shuozhou-2023``, or the path of a TOML file of your own.

    Raises
    ------
    careshed.schema.InputError
        With every fault of the file: unknown keys and names, impossible operators, targets that do not fit their measure,
        missing sources, ids used twice, each with its line and its cure.
    """
    known = shipped()
    if isinstance(profile, str) and profile in known:
        return _read(_folder().joinpath(f"{profile}.toml"), f"{profile}.toml")
    path = Path(profile)
    if path.suffix != ".toml" and not path.exists():
        near = nearest(str(profile), known)
        hint = (f"是否应为 {near}？", f"Did you mean {near}? ") if near else ("", "")
        listed = ", ".join(known)
        cure = (
            f"{hint[0]}内置：{listed}；自编的请写 .toml 文件路径。",
            f"{hint[1]}Shipped: {listed}; or give the path of a .toml file.",
        )
        raise stop(path, "unknown_profile", (f"没有名为“{profile}”的规划", f"there is no profile {str(profile)!r}"), cure)
    if path.is_dir():
        cure = ("请给出其中 .toml 文件的路径。", "Give the path of the .toml file inside it.")
        raise stop(path, "is_folder", ("是文件夹，不是规划文件", "is a folder, not a profile"), cure)
    must_exist(path)
    return _read(path, file_label(path))


def _folder() -> Traversable:
    return resources.files("careshed.policy").joinpath("profiles")


def _read(source: Traversable | Path, label: str) -> Profile:
    try:
        text = decoded(source.read_bytes())[0]
        raw = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise damaged(Path(label), error) from error
    except tomllib.TOMLDecodeError as error:
        told = (f"不是有效的 TOML（{error}）", f"is not valid TOML ({error})")
        cure = (
            "文字需加引号，同一键不可写两次；多条规则每条写 [[rule]]（双方括号）。",
            "Put text in quotes, and write no key twice; every rule starts with [[rule]], in double brackets.",
        )
        raise stop(Path(label), "bad_toml", told, cure) from error
    lines = key_lines(text)
    faults, profile = _form_faults(raw, label, lines)
    faults += [_placed(("rule", at), finding, label, lines) for at, finding in _meaning(raw)]
    faults += [_placed(at, finding, label, lines) for at, finding in entry_findings(raw)]
    if isinstance(head := raw.get("profile"), dict):
        faults += [_placed(("profile",), finding, label, lines) for finding in head_findings(head)]
    faults += _repeated(raw, label, lines)
    if faults or profile is None:
        raise InputError(sorted(faults, key=lambda fault: int(fault.row or 0)))
    return profile


def _form_faults(raw: Mapping[str, Any], label: str, lines: dict[Loc, int]) -> tuple[list[Fault], Profile | None]:
    try:
        return [], Profile.model_validate(raw)
    except ValidationError as error:
        told: dict[Loc, Fault] = {}
        for case in error.errors():
            loc = _own(tuple(case["loc"]))
            told.setdefault(loc, _form_fault(loc, dict(case), label, lines))
        return list(told.values()), None


def _own(loc: Loc) -> Loc:
    """Cut off what pydantic adds to a place: the branch of a union, the mark of a dictionary's key."""
    return next((loc[:at] for at, part in enumerate(loc) if isinstance(part, str) and _BRANCH.match(part)), loc)


_BRANCH: Final = re.compile(r"^(float|constrained-float|literal\[.*|\[key\])$")


_FORMS: Final[dict[str, tuple[str, str]]] = {
    "string_type": ("应为带引号的文字", "must be text in quotes"),
    "int_type": ("应为整数", "must be a whole number"),
    "float_type": ('应为数字（或 "unset"）', 'must be a number (or "unset")'),
    "tuple_type": ('应为列表，如 ["…"]', 'must be a list, such as ["…"]'),
    "dict_type": ("应为 {年份 = 数值}", "must be {year = number}"),
    "model_type": ("应为一节（表）", "must be a section (table)"),
    "model_attributes_type": ("应为一节（表）", "must be a section (table)"),
    "greater_than": ("应大于 0", "must be greater than 0"),
    "greater_than_equal": ("不应为负数", "must not be negative"),
    "finite_number": ("应为有限的数", "must be a finite number"),
    "too_short": ("至少需要一条规则 [[rule]]", "needs at least one [[rule]]"),
}
"""Kind of pydantic error -> what is wrong, in Chinese and English."""


_SECTIONS: Final = ("rule", "subsidy", "cost", "also")
_SIGNS: Final = {"=>": ">=", "=<": "<=", "≥": ">=", "≤": "<=", "==": "=", "不低于": ">=", "不超过": "<="}
"""Signs that people write for operators -> the operator."""


def _form_fault(loc: Loc, case: Mapping[str, Any], label: str, lines: dict[Loc, int]) -> Fault:
    kind, key = str(case["type"]), str(next((part for part in reversed(loc) if isinstance(part, str)), ""))
    if kind == "extra_forbidden":
        return _fault(loc, "unknown_key", key, ("未知的键", "unknown key"), _choices(key, _known_keys(loc)), label, lines)
    if kind == "missing":
        cure = ("请补充；profile_template 有带说明的样例。", "Add it; the template explains every key.")
        return _fault(loc, "missing_key", key, ("缺少", "is missing"), cure, label, lines)
    found = str(case["input"])[:60]
    if kind == "literal_error":
        known = [str(one) for one in get_args(_annotation(loc)) if isinstance(one, str) and one] or [str(case["ctx"]["expected"])]
        if key == "op" and (sign := _SIGNS.get(found)):
            known = [sign, *(one for one in known if one != sign)]
            cure = (f'请写 op = "{sign}"。可用：{", ".join(known)}。', f'Write op = "{sign}". Known: {", ".join(known)}.')
            return _fault(loc, "unknown_op", key, ("词语不在可用范围内", "is not a known word"), cure, label, lines, found)
        return _fault(
            loc, f"unknown_{key}", key, ("词语不在可用范围内", "is not a known word"), _choices(found, known), label, lines, found
        )
    if kind == "tuple_type" and key in _SECTIONS and isinstance(case["input"], dict):
        name = "rule.also" if key == "also" else key
        told = (f"[{name}] 应写两层方括号", f"[{name}] needs double brackets")
        cure = (f"请写 [[{name}]]，每条一节。", f"Write [[{name}]], one section for each.")
        return _fault(loc, "single_brackets", key, told, cure, label, lines)
    told = _FORMS.get(kind, (str(case["msg"]), str(case["msg"])))
    return _fault(loc, "bad_value", key, told, ("请改正该值。", "Correct the value."), label, lines, found)


def _choices(word: str, known: Iterable[str]) -> tuple[str, str]:
    """Word the cure for a name that does not exist."""
    names = list(known)
    near = nearest(word, names)
    hint = (f"是否应为 {near}？", f"Did you mean {near}? ") if near else ("", "")
    return f"{hint[0]}可用：{', '.join(names)}。", f"{hint[1]}Known: {', '.join(names)}."


def _annotation(loc: Loc) -> object:
    """Find what a place may hold; the innermost closed list of words."""
    model: type[BaseModel] = Profile
    annotation: object = None
    for part in loc:
        if isinstance(part, str) and part in model.model_fields:
            annotation = model.model_fields[part].annotation
            model = _inner(annotation, lambda one: isinstance(one, type) and issubclass(one, BaseModel)) or model
    return _inner(annotation, lambda one: any(isinstance(word, str) for word in get_args(one)))


def _known_keys(loc: Loc) -> list[str]:
    model: type[BaseModel] = Profile
    for part in loc[:-1]:
        if isinstance(part, str) and part in model.model_fields:
            inner = model.model_fields[part].annotation
            model = _inner(inner, lambda one: isinstance(one, type) and issubclass(one, BaseModel)) or model
    return list(model.model_fields)


def _inner(annotation: object, fits: Callable[[object], bool]) -> Any:
    """Find the first part of an annotation that fits, inside tuples, unions and the like too."""
    if fits(annotation):
        return annotation
    return next((found for part in get_args(annotation) if (found := _inner(part, fits)) is not None), None)


def _meaning(raw: Mapping[str, Any]) -> Iterable[tuple[int, Finding]]:
    """Check the meaning of every rule, those of a wrong form as far as they can be read."""
    entries, head = raw.get("rule"), raw.get("profile")
    text = head.get("text") if isinstance(head, dict) else ""
    for at, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, dict):
            rule, bad = _as_read(entry)
            yield from ((at, finding) for finding in rule_findings(rule, bad, text if isinstance(text, str) else ""))


def _as_read(entry: Mapping[str, Any]) -> tuple[Rule, frozenset[str]]:
    """Read a rule without the keys that are of the wrong form."""
    try:
        return Rule.model_validate(entry), frozenset()
    except ValidationError as error:
        bad = frozenset(str(case["loc"][0]) for case in error.errors())
    kept = {key: value for key, value in entry.items() if key not in bad}
    return Rule.model_validate({key: value for key, value in _STAND_INS.items() if key in bad} | kept), bad


def _repeated(raw: Mapping[str, Any], label: str, lines: dict[Loc, int]) -> list[Fault]:
    """Refuse two entries of a section with one id."""
    faults = []
    for section in ("rule", "subsidy", "cost"):
        entries = raw.get(section)
        names = (
            [str(one.get("id", at)) for at, one in enumerate(entries) if isinstance(one, dict)]
            if isinstance(entries, list)
            else []
        )
        for at in duplicates(names):
            first = line_of((section, names.index(names[at]), "id"), lines)
            told = (
                f"[[{section}]] 编号“{names[at]}”已在第 {first} 行用过",
                f"[[{section}]] id {names[at]!r} is used already in line {first}",
            )
            cure = ("请为每条使用不同的 id。", "Give each entry an id of its own.")
            faults.append(_fault((section, at, "id"), "duplicate_id", "id", told, cure, label, lines))
    return faults


def _placed(at: Loc, finding: Finding, label: str, lines: dict[Loc, int]) -> Fault:
    code, key, told, cure, found = finding
    parts = [int(part) if part.isdigit() else part for part in key.split(".")]
    shown = ".".join(part for part in parts if isinstance(part, str))
    return _fault((*at, *parts), code, shown, told, cure, label, lines, found)


def _fault(
    loc: Loc,
    code: str,
    key: str,
    told: tuple[str, str],
    cure: tuple[str, str],
    label: str,
    lines: dict[Loc, int],
    found: str = "",
) -> Fault:
    where = (
        f"[[{loc[0]}]] {int(loc[1]) + 1}: "
        if len(loc) > 1 and isinstance(loc[1], int)
        else f"[{loc[0]}] "
        if len(loc) > 1
        else ""
    )
    row = line_of(loc, lines)
    zh, en = f"{where.replace(': ', '：')}{key}：{told[0]}", f"{where}{key}: {told[1]}"
    return Fault(code, label, zh, en, *cure, row="" if row is None else str(row), found=found)


EXPLAINED: Final[dict[str, tuple[str, str]]] = {
    "id": ("编号", "id"),
    "title": ("目标", "target"),
    "kind": ("类别", "kind"),
    "types": ("设施", "facilities"),
    "levels": ("判断单元", "judged per"),
    "group": ("人群", "group"),
    "target": ("目标值", "value"),
    "year": ("年份", "year"),
    "status": ("约束", "status"),
    "clause": ("条款", "clause"),
    "quote": ("原文", "quote"),
    "note": ("说明", "note"),
}
"""Columns of `explain` -> header in Chinese and English."""


def explain(profile: Profile, lang: Lang = "zh") -> pd.DataFrame:
    """Lay out a plan's rules for reading: what is promised, for whom, by when, and in which words.

    Returns
    -------
    pandas.DataFrame
        One row a rule, columns `EXPLAINED`.
    """
    import pandas as pd

    return pd.DataFrame([_explained(rule, lang) for rule in profile.rule], columns=list(EXPLAINED))


def _explained(rule: Rule, lang: Lang) -> dict[str, object]:
    return {
        "id": rule.id,
        "title": rule.title(lang),
        "kind": pick(lang, *KINDS[rule.kind]),
        "types": pick(lang, "、", ", ").join(rule.types),
        "levels": ", ".join(rule.levels),
        "group": group_name(rule.group, lang),
        "target": target_text(rule, lang),
        "year": rule.year,
        "status": pick(lang, *STATUSES[rule.status]),
        "clause": rule.clause,
        "quote": rule.quote,
        "note": rule.note(lang) or rule.asks(lang),
    }


def target_text(rule: Rule, lang: Lang) -> str:
    """Write a rule's target with its unit, year by year where it has years.

    >>> rule = Rule(id="a", title_zh="", title_en="", kind="count", measure="facilities", status="hard", value=3.0)
    >>> target_text(rule, "en")
    '≥ 3 facilities'
    """
    sign = {">=": "≥", "<=": "≤", "=": "=", ">": ">", "<": "<"}[rule.op]
    unit = rule.unit(lang)
    if rule.measure == "none":
        return ""
    if rule.by_year:
        return pick(lang, "；", "; ").join(f"{year}: {sign} {value:,g} {unit}".rstrip() for year, value in rule.by_year.items())
    stated = pick(lang, "需用户设定", "to be set by the user") if rule.value == "unset" else f"{rule.value:,g}"
    also = "".join(pick(lang, f"（另作 {other.value:,g}）", f" (elsewhere {other.value:,g})") for other in rule.also)
    limit = f"{rule.minutes:g} min" if rule.minutes is not None else f"{rule.metres:g} m" if rule.metres is not None else ""
    within = pick(lang, f"（{limit} 内）", f" (within {limit})") if limit else ""
    return f"{sign} {stated} {unit}".rstrip() + also + within


def profile_template() -> str:
    """Give the commented file that a planner's own profile starts from, in both languages."""
    return resources.files("careshed.policy").joinpath("template.toml").read_text(encoding="utf-8")


def init_profile(path: str | Path) -> Path:
    """Write the commented profile that a planner fills in; an existing file is never overwritten.

    Raises
    ------
    careshed.schema.InputError
        If the file is there already.
    """
    target = Path(path)
    if target.exists():
        told = ("文件已存在，不覆盖", "the file exists already and is not overwritten")
        raise stop(target, "profile_exists", told, ("请换一个文件名。", "Choose another name."))
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("x", encoding="utf-8", newline="\n") as file:
        file.write(profile_template())
    return target
