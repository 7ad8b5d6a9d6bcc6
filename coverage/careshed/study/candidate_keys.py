"""Check the keys of [[candidates]]: what each origin needs, what means nothing there, and the services it names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from careshed.intake.columns import nearest
from careshed.intake.facilities import STATUS_WORDS, status_keys
from careshed.schema import STATUSES, Fault
from careshed.settings.candidates import KEYS, CandidateSection, SizeSection
from careshed.settings.config import Config, study_fault

Words = tuple[str, str]


def candidate_faults(path: Path, config: Config) -> list[Fault]:
    """Check everything in [[candidates]] that needs no other file."""
    services = [service.id for service in config.service]
    plan = config.policy.profile if config.policy is not None else None
    faults: list[Fault] = []
    for number, section in enumerate(config.candidates, start=1):
        key = f"[[candidates]] {number}"
        faults += _misplaced(path, key, section)
        faults += _needed(path, key, section)
        wanted = [*((name, "services") for name in section.services), *((section.lacking, "lacking"),) * bool(section.lacking)]
        told = ("研究文件中没有该服务", "the study has no such service")
        faults += [_unknown(path, f"{key}: {own}", str(name), told, services) for name, own in wanted if name not in services]
        faults += _statuses(path, key, section)
        faults += _filters(path, key, section)
        faults += _sizes(path, key, section.size, plan) if section.size is not None else []
    return faults


def _misplaced(path: Path, key: str, section: CandidateSection) -> list[Fault]:
    """Refuse keys that mean nothing for the origin, so that none is passed over in silence."""
    alias = {name: field.alias or name for name, field in CandidateSection.model_fields.items()}
    known = [alias[name] for name in KEYS[section.origin]]
    told = (f"对 from = “{section.origin}” 没有意义", f"means nothing with from = {section.origin!r}")
    cure = (
        f"请删去，或更改 from。此处可用：{', '.join(known)}。",
        f"Take it out, or change from. Known here: {', '.join(known)}.",
    )
    return [
        study_fault(path, "key_not_here", f"{key}: {alias[name]}", told, cure)
        for name in CandidateSection.model_fields
        if name in section.model_fields_set and name not in KEYS[section.origin]
    ]


def _needed(path: Path, key: str, section: CandidateSection) -> list[Fault]:
    if section.origin == "file" and not section.file:
        cure = ('请写 file，或写 from = "facilities"、"osm"、"streets" 或 "lattice"。',
                'State file, or from = "facilities", "osm", "streets" or "lattice".')  # fmt: skip
        return [study_fault(path, "missing_key", f"{key}: file", ("缺少", "is missing"), cure)]
    if section.origin == "facilities" and not section.types:
        cure = (
            '请写可升级的设施类型，如 types = ["敬老院"]。',
            'State the types that may be upgraded, such as types = ["敬老院"].',
        )
        return [study_fault(path, "missing_key", f"{key}: types", ("缺少", "is missing"), cure)]
    return []


def _statuses(path: Path, key: str, section: CandidateSection) -> list[Fault]:
    listed = [*STATUSES, *(known[0] for known in STATUS_WORDS.values())]
    odd = [word for word in section.statuses if status_keys((word,)) is None]
    return [_unknown(path, f"{key}: statuses", word, ("未知的状态", "unknown status"), listed) for word in odd]


def _filters(path: Path, key: str, section: CandidateSection) -> list[Fault]:
    """Refuse one reason for two layers: the reason is what tells them apart."""
    reasons = Counter(one.reason for one in section.filter.exclude) if section.filter is not None else Counter()
    cure = ("请为每个图层写各自的理由。", "Give each layer a reason of its own.")
    return [
        study_fault(
            path, "reason_twice", f"{key}: filter.exclude.reason", ("出现了不止一次", "stands more than once"), cure, reason
        )
        for reason, times in reasons.items()
        if times > 1
    ]


def _sizes(path: Path, key: str, section: SizeSection, plan: str | None) -> list[Fault]:
    """A cost needs a type and a plan that has costs."""
    if section.type is None and (section.operator or section.profile):
        cure = ('请写要设置的设施类型，如 type = "敬老院"。', 'State the facility type to be set up, such as type = "敬老院".')
        return [study_fault(path, "missing_key", f"{key}: size.type", ("缺少", "is missing"), cure)]
    if section.type is not None and section.profile is None and plan is None:
        cure = ("请写 profile，或在 [policy] 中写明规划。", "State profile here, or the plan in [policy].")
        return [study_fault(path, "missing_key", f"{key}: size.profile", ("缺少", "is missing"), cure)]
    return []


def _unknown(path: Path, key: str, word: str, told: Words, known: Sequence[str]) -> Fault:
    near = nearest(word, known)
    hint = (f"是否应为 {near}？", f"Did you mean {near}? ") if near else ("", "")
    cure = (f"{hint[0]}可用：{', '.join(known)}。", f"{hint[1]}Known: {', '.join(known)}.")
    return study_fault(path, "unknown_name", key, told, cure, word)
