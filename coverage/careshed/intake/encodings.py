"""Find out in which encoding a text is, and say on what evidence."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from careshed.schema import Fault, file_label

_FEW: Final = 0.02
"""A text of which at most this share of the characters beyond ASCII is broken is UTF-8 with damage, not another encoding."""

_ENOUGH: Final = 12
"""Fewer characters beyond ASCII say nothing about damage."""

_COMMON: Final = 0.9
"""In Chinese text nearly all characters are of GB 2312; in other text read as GB18030 they seldom are."""

_REPLACED: Final = "\ufffd"
_TWICE: Final = ("锟斤拷", "ï»¿", "Ã¥", "Ã¦")
"""What remains of Chinese that was read in the wrong encoding and saved again."""


@dataclass(frozen=True)
class Decoded:
    """A text, how it was encoded and what is doubtful about it."""

    text: str
    encoding: str
    broken: tuple[int, ...] = ()
    """Lines with bytes that are no text, from 1."""
    doubtful: bool = False
    """Whether so many characters are rare that the encoding may be another one."""


def decoded(raw: bytes) -> tuple[str, str]:
    """Decode a text file and say in which encoding it was.

    Raises
    ------
    UnicodeDecodeError
        If it is none of UTF-8, UTF-16 and GB18030.

    >>> decoded("床位数".encode("gbk"))
    ('床位数', 'GB18030')
    """
    found = decode(raw)
    return found.text, found.encoding


def decode(raw: bytes) -> Decoded:
    """Decode a text by its byte order mark, else as UTF-16 where every second byte is zero, UTF-8 or GB18030.

    UTF-8 that is broken in a few places stays UTF-8: its broken lines are told. A text cut in the middle of its last
    character is one.

    Raises
    ------
    UnicodeDecodeError
        If it is none of them.

    >>> decode("名称,床位数".encode("utf-16-le")).encoding
    'UTF-16'
    """
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Decoded(raw.decode("utf-16"), "UTF-16")
    order = _utf16_order(raw)
    if order:
        return Decoded(raw.decode(order), "UTF-16")
    try:
        return Decoded(raw.decode("utf-8-sig"), "UTF-8")
    except UnicodeDecodeError:
        lenient = raw.decode("utf-8-sig", errors="replace")
    beyond = sum(character > "\x7f" for character in lenient)
    if beyond >= _ENOUGH and lenient.count(_REPLACED) <= max(1.0, _FEW * beyond):
        lines = tuple(at for at, line in enumerate(lenient.split("\n"), start=1) if _REPLACED in line)
        return Decoded(lenient, "UTF-8", lines)
    text = raw.decode("gb18030")
    return Decoded(text, "GB18030", doubtful=_rare(text))


def encoding_noted(file: Path, encoding: str) -> tuple[Fault, ...]:
    """Note an encoding that was recognised and not stated."""
    if encoding == "UTF-8":
        return ()
    told = (f"按 {encoding} 编码读取", f"read as {encoding}")
    cure = ("如有乱码，请另存为 UTF-8。", "If names look wrong, save it as UTF-8.")
    return (Fault("encoding", file_label(file), *told, *cure, severity="noted"),)


def text_faults(file: Path, found: Decoded) -> tuple[Fault, ...]:
    """Tell what was found out about a text: its encoding, and where characters are lost."""
    label = file_label(file)
    faults = list(encoding_noted(file, found.encoding))
    cure = ("请从原始来源重新导出为 UTF-8。", "Export it again from its source as UTF-8.")
    if found.doubtful:
        told = (
            "按 GB18030 读取后生僻字过多，编码可能不对",
            "read as GB18030 it has so many rare characters that the encoding may be another",
        )
        faults.append(Fault("encoding_doubtful", label, *told, *cure, severity="noted"))
    told = ("有字符已损坏，以 � 代替", "characters are broken and stand as �")
    faults += [Fault("broken_characters", label, *told, *cure, row=str(line), severity="repaired") for line in found.broken]
    garbled = [line for line, text in enumerate(found.text.split("\n"), start=1) if any(mark in text for mark in _TWICE)]
    if garbled:
        told = ("文字是乱码（曾以错误编码另存）", "the text is garbled (it was saved once in a wrong encoding)")
        faults.append(Fault("garbled", label, *told, *cure, row=str(garbled[0]), severity="noted"))
    return tuple(faults)


def _utf16_order(raw: bytes) -> str:
    """Name the byte order of UTF-16 without a mark: commas and line ends leave a zero byte on one side only."""
    if len(raw) < 2 or len(raw) % 2 or b"\x00" not in raw:
        return ""
    little = sum(raw.count(mark) for mark in (b",\x00", b"\n\x00", b"\t\x00"))
    big = sum(raw.count(mark) for mark in (b"\x00,", b"\x00\n", b"\x00\t"))
    order = "utf-16-le" if little > big else "utf-16-be"
    try:
        raw.decode(order)
    except UnicodeDecodeError:
        return ""
    return order


def _rare(text: str) -> bool:
    """Tell whether many Chinese characters of a text are outside GB 2312, the 6,763 in common use."""
    chinese = [character for character in text if "\u4e00" <= character <= "\u9fff"]
    beyond = [character for character in text if character > "\x7f"]
    common = sum(_in_gb2312(character) for character in beyond)
    return bool(beyond) and (common < _COMMON * len(beyond) or not chinese)


def _in_gb2312(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
