"""Read Shapefiles: are all parts there and of one length, and in which encoding are their texts."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import geopandas as gpd
import pandas as pd

from careshed.intake.encodings import Decoded, decode, text_faults
from careshed.intake.sources import damaged, stop
from careshed.schema import Fault, file_label

_PARTS: Final = (".shx", ".dbf")
_RAW: Final = "ISO-8859-1"
"""Reads every byte as one character, so that the bytes can be looked at."""

_PAGES: Final = {"936": "gb18030", "65001": "utf-8", "54936": "gb18030", "950": "big5", "1252": "cp1252", "88591": "latin-1"}
"""Code page as .cpg files write it -> codec."""

_HEAD: Final = 100
_ENTRY: Final = 8
"""Bytes of the head of .shx and of one entry in it."""


def read_shapefile(file: Path) -> tuple[pd.DataFrame, tuple[Fault, ...]]:
    """Read a Shapefile; its texts by its .cpg where that fits, else as UTF-8 if they decode so, else as GB18030, and say so.

    `parts_fit` has looked at its parts before.
    """
    frame = gpd.read_file(file, encoding=_RAW)
    texts = [name for name in frame.columns if name != "geometry" and not pd.api.types.is_numeric_dtype(frame[name])]
    raw = [_bytes(value) for name in texts for value in frame[name] if isinstance(value, str)]
    found, codec, faults = _encoding(file, b"\n".join([*map(_bytes, map(str, frame.columns)), *raw]))
    read = _decoder(codec)
    frame = frame.rename(columns={name: read(str(name)) for name in frame.columns if name != "geometry"})
    for name in (read(str(name)) for name in texts):
        frame[name] = pd.Series([read(value) if isinstance(value, str) else value for value in frame[name]], dtype=object)
    if found.broken:
        faults += _broken_rows(file, frame)
    return frame, faults


def parts_fit(file: Path) -> None:
    """Refuse a Shapefile of which a part is missing, cut off or of another length: GDAL would give features without anything."""
    for suffix in _PARTS:
        if not any(file.with_suffix(written).exists() for written in (suffix, suffix.upper())):
            told = (f"缺少同名的 {suffix} 文件", f"its part {file.stem}{suffix} is missing")
            cure = ("请将 .shp、.shx、.dbf、.prj 一并复制。", "Copy .shp, .shx, .dbf and .prj together.")
            raise stop(file, "missing_part", told, cure)
    with file.open("rb") as opened:
        header = opened.read(28)
    stated = int.from_bytes(header[24:28], "big") * 2
    if len(header) < 28 or stated > file.stat().st_size:
        raise damaged(file, EOFError(f"{file.stat().st_size} of {stated} bytes"))
    index = _part(file, ".shx")
    shapes = (index.stat().st_size - _HEAD) // _ENTRY
    with _part(file, ".dbf").open("rb") as opened:
        rows = int.from_bytes(opened.read(8)[4:8], "little")
    if rows != shapes:
        raise damaged(file, EOFError(f"{shapes} shapes, {rows} rows of attributes"))


def _part(file: Path, suffix: str) -> Path:
    lower = file.with_suffix(suffix)
    return lower if lower.exists() else file.with_suffix(suffix.upper())


def _encoding(file: Path, raw: bytes) -> tuple[Decoded, str, tuple[Fault, ...]]:
    """Decide the encoding of the texts: what the .cpg says where it fits, else by what the bytes are."""
    stated = _stated(file)
    if stated:
        try:
            return Decoded(raw.decode(stated), stated), stated, ()
        except UnicodeDecodeError:
            pass
    found = decode(raw)
    codec = {"UTF-8": "utf-8", "UTF-16": "utf-16"}.get(found.encoding, "gb18030")
    clean = Decoded(found.text, found.encoding, doubtful=found.doubtful)
    faults = text_faults(file, clean)
    if stated and codec != stated:
        told = (f".cpg 写的编码 {stated} 不对", f"the .cpg states {stated}, which does not fit")
        faults += (Fault("wrong_cpg", file_label(file), *told, severity="repaired"),)
    return found, codec, faults


def _stated(file: Path) -> str:
    """Give the codec that the .cpg states, "" where there is none or Python does not know it."""
    for suffix in (".cpg", ".CPG"):
        part = file.with_suffix(suffix)
        if part.exists():
            text = part.read_text(encoding="ascii", errors="replace").strip()
            pages = re.findall(r"\d+", text.replace("-", ""))
            name = next((_PAGES[page] for page in pages if page in _PAGES), text)
            try:
                return codecs.lookup(name).name
            except LookupError:
                return ""
    return ""


def _bytes(text: str) -> bytes:
    return text.encode("latin-1", errors="replace")


def _decoder(codec: str) -> Callable[[str], str]:
    """Give a function that turns bytes read as characters into the text they are."""

    def read(text: str) -> str:
        return _bytes(text).decode(codec, errors="replace")

    return read


def _broken_rows(file: Path, frame: pd.DataFrame) -> tuple[Fault, ...]:
    """Tell the features whose texts lost characters, mostly names cut off in the middle of one."""
    told = ("有字符已损坏，以 � 代替", "characters are broken and stand as �")
    cure = ("请从原始来源重新导出。", "Export it again from its source.")
    lost = [
        at
        for at, row in enumerate(frame.drop(columns="geometry", errors="ignore").itertuples(index=False), start=1)
        if any("\ufffd" in value for value in row if isinstance(value, str))
    ]
    return tuple(Fault("broken_characters", file_label(file), *told, *cure, row=str(at), severity="repaired") for at in lost)
