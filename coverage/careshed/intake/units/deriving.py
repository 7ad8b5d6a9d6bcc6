"""Derive level, parent and setting of units where a list does not state them, and say so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from careshed.intake.units.codes import RANGES, codes_above, is_above_county, is_code, is_special, level_by_code, significant
from careshed.intake.units.listing import LEVEL_WORDS, Listing
from careshed.schema import TIERS, Fault

PROXY: Final[Mapping[str, str]] = {"street": "urban", "township": "rural"}
"""Level -> setting that stands in where none is stated: 街道 against 乡镇, a proxy."""


def without_larger(units: Listing, faults: list[Fault]) -> Listing:
    """Leave out prefectures and provinces, which lists carry on top; one that holds townships itself stays as a county."""
    holders = {significant(code)[:6] for code in units.code if is_code(code) and len(significant(code)) == 9}
    larger = [
        unit
        for unit, code in enumerate(units.code)
        if not units.level[unit] and is_above_county(code) and significant(code) not in holders
    ]
    told = ("县级以上的单元，不参与计算", "is a unit above the county, which nothing is counted by")
    faults.extend(
        units.fault(unit, "above_county", told, column="id", found=units.name[unit], severity="dropped") for unit in larger
    )
    return units.kept(sorted(set(range(len(units))) - set(larger)))


def levels_of(units: Listing, faults: list[Fault]) -> list[str]:
    """Give each unit its level: as stated, else by its code, which is said; never by the last character of its name."""
    derived = [
        "" if stated else level_by_code(code, name)
        for stated, code, name in zip(units.level, units.code, units.name, strict=True)
    ]
    found = [unit for unit, level in enumerate(derived) if level]
    faults.extend(
        units.note(found, "level_from_code", lambda n: (
            f"{n} 个单元未写级别，由代码的位数和代码段推得（{RANGES[0]}）",
            f"{n} unit(s) have no stated level; it is derived from length and range of the code ({RANGES[1]})",
        ), column="level")
    )  # fmt: skip
    faults.extend(_special(units, derived))
    faults.extend(_unknown(units, derived))
    faults.extend(_not_as_code(units))
    return [stated or own for stated, own in zip(units.level, derived, strict=True)]


def _special(units: Listing, derived: list[str]) -> list[Fault]:
    """Name the special units whose level the code leaves open."""
    told = {
        "township": ("代码为特殊单位（400 以上），按乡镇级计", "has a special code (400 and above); counts as a township"),
        "street": ("代码为特殊单位，名称为街道，按街道计", "has a special code, but the name of a street; counts as one"),
    }  # fmt: skip
    cure = ("如不符，请写“级别”列。", "State the level where this is wrong.")
    return [
        units.fault(unit, "special_unit", told[level], cure, column="id", found=units.name[unit], severity="noted")
        for unit, level in enumerate(derived)
        if level in told and is_special(units.code[unit])
    ]


def _unknown(units: Listing, derived: list[str]) -> list[Fault]:
    """Refuse units whose level is neither stated nor told by the code."""
    lost = [unit for unit in range(len(units)) if not units.level[unit] and not derived[unit]]
    faults: list[Fault] = []
    for table, source in enumerate(units.tables):
        own = [unit for unit in lost if units.at[unit][0] == table and not units.level_refused(unit)]
        if "level" not in source.headers and own and len(own) == sum(place == table for place, _ in units.at):
            faults.append(source.missing_column("level"))
            continue
        listed = ", ".join(word for key, known in LEVEL_WORDS.items() for word in dict.fromkeys([*known[:2], key]))
        told = (
            "级别未写明，代码（应为 6、9 或 12 位数字）也推不出",
            "its level is not stated, nor told by a code of 6, 9 or 12 digits",
        )
        cure = (f"请写级别或改正代码。可用：{listed}。", f"State the level or correct the code. Accepted: {listed}.")
        faults.extend(units.fault(unit, "level_unknown", told, cure, column="level", found=units.code[unit]) for unit in own)
    return faults


def _not_as_code(units: Listing) -> list[Fault]:
    """Note codes whose length is wrong or says another tier than the list; nothing in a table of other codes."""
    stated = [unit for unit in range(len(units)) if units.level[unit] and units.level[unit] != "compound"]
    usual = sum(is_code(units.code[unit]) for unit in stated)
    if 2 * usual <= len(stated):
        return []
    faults = []
    for unit in stated:
        code, level = units.code[unit], units.level[unit]
        own = level_by_code(code)
        if not is_code(code):
            told = ("代码不是 6、9 或 12 位数字", "its code is not of 6, 9 or 12 digits")
        elif own and TIERS[own] != TIERS[level]:
            told = ("代码的位数与所写级别不符，按所写级别计", "the length of its code says another level; the stated one counts")
        else:
            continue
        cure = ("请核对代码与级别。", "Check code and level.")
        faults.append(units.fault(unit, "code_differs", told, cure, column="id", found=code, severity="noted"))
    return faults


def parents_of(units: Listing, level: list[str], faults: list[Fault]) -> list[str]:
    """Give each unit its parent: as stated, else the nearest unit of the list whose code begins its own, which is said."""
    by_code = {significant(code): code for code in reversed(units.code)}
    nearest = [next((by_code[above] for above in codes_above(code) if above in by_code), "") for code in units.code]
    stated = [_as_listed(code, set(units.code), by_code) for code in units.parent]
    found = [unit for unit in range(len(units)) if not stated[unit] and nearest[unit]]
    faults.extend(
        units.note(
            found, "parent_from_code", lambda n: (f"{n} 个单元的上级由代码推得", f"{n} parent(s) are derived from the codes")
        )
    )  # fmt: skip
    for unit, (own, above) in enumerate(zip(stated, nearest, strict=True)):
        if own and above and not significant(above).startswith(significant(own)) and own != above:
            told = ("代码不以上级代码开头，按所写上级计", "its code does not begin with its parent's; the stated parent counts")
            faults.append(units.fault(unit, "code_outside_parent", told, column="parent", found=own, severity="noted"))
    return _checked(units, level, [own or above for own, above in zip(stated, nearest, strict=True)], faults)


def _as_listed(parent: str, listed: set[str], by_code: Mapping[str, str]) -> str:
    """Write a stated parent as the list writes it: 140602 and 140602000000 are the same county."""
    return parent if parent in listed or not is_code(parent) else by_code.get(significant(parent), parent)


def _checked(units: Listing, level: list[str], parent: list[str], faults: list[Fault]) -> list[str]:
    """Check that each parent exists above its unit; blank the parents of the topmost tier that the lists do not hold."""
    tier = {own: TIERS[name] for own, name in zip(units.code, level, strict=True) if name}
    top = min(tier.values(), default=0)
    outside = []
    for unit, (own, above) in enumerate(zip(units.code, parent, strict=True)):
        if above and above not in tier and tier.get(own) == top:
            outside.append(unit)
        elif above and above not in tier:
            cure = ("请补充上级单元，或改正代码。", "Add the parent to the table, or correct the code.")
            told = ("上级单元不在表中", "its parent is not in the table")
            faults.append(units.fault(unit, "parent_missing", told, cure, column="parent", found=above))
        elif above and tier[above] >= tier.get(own, 9):
            told = ("上级单元的级别不高于本单元", "its parent is not of a higher level")
            cure = ("请改正级别或上级代码。", "Correct the level or the parent.")
            faults.append(units.fault(unit, "parent_not_higher", told, cure, column="parent", found=above))
    faults.extend(
        units.note(outside, "parent_outside", lambda n: (
            f"{n} 个最高级单元的上级不在表中，视为无上级",
            f"the parents of {n} topmost unit(s) are not in the table; taken as none",
        ), column="parent")
    )  # fmt: skip
    alone = [at for at, own in enumerate(units.code) if not parent[at] and tier.get(own, top) > top]
    lacking = sorted({above for at in alone for above in codes_above(units.code[at])[:1]})
    if alone:
        listed = "、".join(lacking[:5]) + (" …" if len(lacking) > 5 else "")
        cure = (
            f"请补充上级单元（代码 {listed}），或写“上级代码”列。" if lacking else "请写“上级代码”列。",
            f"Add the units above ({listed}), or state the parents." if lacking else "State the parents.",
        )
        faults.extend(
            units.note(alone, "parent_unlisted", lambda n: (
                f"{n} 个下级单元没有上级（上级代码不在表中），不计入任何上级单元",
                f"{n} unit(s) below the topmost have no parent (its code is not in the table): no larger unit counts them",
            ), cure, column="parent")
        )  # fmt: skip
    left = set(outside)
    return ["" if unit in left else above for unit, above in enumerate(parent)]


def settings_of(units: Listing, level: list[str], parent: list[str], faults: list[Fault]) -> tuple[list[str], list[str]]:
    """Give each unit its setting and where it is from: ``given``, ``above`` (its parents), ``proxy`` (街道 or 乡镇), or "".

    Counties hold both and have none; a special unit (开发区, 农场) that is no street has none either.
    """
    place = {code: unit for unit, code in enumerate(units.code)}
    setting, source = list(units.setting), ["given" if stated else "" for stated in units.setting]
    for unit in sorted(range(len(units)), key=lambda at: TIERS.get(level[at], 9)):
        above = place.get(parent[unit], -1)
        if setting[unit]:
            continue
        if level[unit] == "street" or (level[unit] == "township" and not is_special(units.code[unit])):
            setting[unit], source[unit] = PROXY[level[unit]], "proxy"
        elif above >= 0 and TIERS.get(level[unit], 0) > TIERS["street"]:
            setting[unit], source[unit] = setting[above], "above" if source[above] == "given" else source[above]
    told = [unit for unit, name in enumerate(source) if name == "proxy"]
    faults.extend(
        units.note(told, "setting_by_proxy", lambda n: (
            f"{n} 个单元未写城乡，以所在街道为城镇、乡镇为农村代替（代用指标，非城乡分类）",
            f"{n} unit(s) have no stated setting; streets stand for urban, townships for rural (a proxy)",
        ), column="setting")
    )  # fmt: skip
    return setting, source


def namesakes(units: Listing, level: list[str], parent: list[str]) -> list[Fault]:
    """Note units of one parent and level that share a name under two codes."""
    groups: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    for unit, name in enumerate(units.name):
        if name and name != units.code[unit]:
            groups[(parent[unit], level[unit], name)].append(unit)
    told = ("同一上级下有同名单元", "shares its name with another unit of the same parent")
    cure = ("请核对是否重复。", "Check whether it is listed twice.")
    return [
        units.fault(unit, "same_name", told, cure, column="name", found=f"{name} = {units.code[group[0]]}", severity="noted")
        for (_, _, name), group in groups.items()
        for unit in group[1:]
    ]
