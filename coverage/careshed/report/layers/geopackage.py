"""Write layers, their styles, their dictionary and their metadata into one GeoPackage, the same bytes for the same run."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from careshed.report.layers.model import Layer
from careshed.report.layers.placing import placed_table, plain_table
from careshed.report.layers.qml import qml
from careshed.report.layers.sld import sld
from careshed.report.stable import FIXED_DATE, stabilise_gpkg
from careshed.words import Lang, pick

if TYPE_CHECKING:
    import pyproj

_SYNC: Final = "OGR_SQLITE_SYNCHRONOUS"

_STAMP: Final = FIXED_DATE.replace("Z", ".000Z")

_TABLES: Final = """
CREATE TABLE layer_styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256),
  f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT,
  owner TEXT(30), ui TEXT(30), update_time DATETIME);
CREATE TABLE gpkg_data_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT, mime_type TEXT,
  constraint_name TEXT, CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name),
  CONSTRAINT gdc_tn UNIQUE (table_name, name));
CREATE TABLE gpkg_data_column_constraints (
  constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT, min NUMERIC, min_is_inclusive BOOLEAN, max NUMERIC,
  max_is_inclusive BOOLEAN, description TEXT, CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value));
CREATE TABLE gpkg_metadata (
  id INTEGER CONSTRAINT m_pk PRIMARY KEY ASC NOT NULL, md_scope TEXT NOT NULL DEFAULT 'dataset', md_standard_uri TEXT NOT NULL,
  mime_type TEXT NOT NULL DEFAULT 'text/xml', metadata TEXT NOT NULL DEFAULT '');
CREATE TABLE gpkg_metadata_reference (
  reference_scope TEXT NOT NULL, table_name TEXT, column_name TEXT, row_id_value INTEGER,
  timestamp DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), md_file_id INTEGER NOT NULL, md_parent_id INTEGER,
  CONSTRAINT crmr_mfi_fk FOREIGN KEY (md_file_id) REFERENCES gpkg_metadata(id),
  CONSTRAINT crmr_mpi_fk FOREIGN KEY (md_parent_id) REFERENCES gpkg_metadata(id));
CREATE TABLE IF NOT EXISTS gpkg_extensions (
  table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
"""

_EXTENSIONS: Final = (
    ("gpkg_metadata", "gpkg_metadata", "http://www.geopackage.org/spec131/#extension_metadata"),
    ("gpkg_metadata_reference", "gpkg_metadata", "http://www.geopackage.org/spec131/#extension_metadata"),
    ("gpkg_data_columns", "gpkg_schema", "http://www.geopackage.org/spec131/#extension_schema"),
    ("gpkg_data_column_constraints", "gpkg_schema", "http://www.geopackage.org/spec131/#extension_schema"),
)
"""Table -> extension of the standard that it belongs to, and where that is defined."""


def write_geopackage(path: Path, layers: Sequence[Layer], crs: pyproj.CRS, metadata: str, lang: Lang) -> Path:
    """Write a GeoPackage whole or not at all.

    Raises
    ------
    PermissionError
        Where another program holds the file open.
    """
    aside = path.with_name(f".{path.stem}.part.gpkg")
    aside.unlink(missing_ok=True)
    try:
        with _unhurried():
            _write_tables(aside, layers, crs, lang)
        with closing(sqlite3.connect(aside)) as base:
            base.executescript(_TABLES)
            _describe(base, layers, lang)
            _style(base, layers, lang)
            _tell(base, metadata)
            base.commit()
        stabilise_gpkg(aside)
        os.replace(aside, path)
    except PermissionError as error:
        zh = f"无法写入 {path.name}：请先在 QGIS、ArcGIS 等程序中关闭它"
        raise PermissionError(f"{path.name} is open in another program: close it, then run again  {zh}") from error
    finally:
        aside.unlink(missing_ok=True)
    return path


@contextmanager
def _unhurried() -> Iterator[None]:
    """Let SQLite not wait for the disk after each layer: a file that a power cut spoils here was not yet in place."""
    import pyogrio

    before = pyogrio.get_gdal_config_option(_SYNC)
    pyogrio.set_gdal_config_options({_SYNC: "OFF"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({_SYNC: before})


def _write_tables(path: Path, layers: Sequence[Layer], crs: pyproj.CRS, lang: Lang) -> None:
    import pyogrio

    for layer in layers:
        # version 1.2 is what programs of 2018 and after read without a word
        new = {} if path.exists() else {"VERSION": "1.2"}
        options = {"layer": layer.name, "driver": "GPKG", "append": not new, "IDENTIFIER": layer.title, **new}
        if layer.geometry is None:
            pyogrio.write_dataframe(plain_table(layer, lang), path, **options)
        else:
            table = placed_table(layer, crs, lang)
            pyogrio.write_dataframe(table, path, geometry_type=layer.geometry, GEOMETRY_NAME="geom", **options)


def _describe(base: sqlite3.Connection, layers: Sequence[Layer], lang: Lang) -> None:
    """Name what each column means, where other programs look for it."""
    rows = []
    for layer in layers:
        for field in layer.fields:
            unit = pick(lang, *field.unit)
            meaning = pick(lang, *field.meaning) + (f" ({unit})" if unit else "")
            rows.append((layer.name, field.name(lang), field.name(lang), meaning))
    base.executemany("INSERT INTO gpkg_data_columns (table_name, column_name, name, description) VALUES (?, ?, ?, ?)", rows)


def _style(base: sqlite3.Connection, layers: Sequence[Layer], lang: Lang) -> None:
    """Put the default style of each layer where QGIS looks for it."""
    rows = [
        (layer.name, "geom", layer.name[:30], qml(layer, lang), sld(layer, lang), layer.title, _STAMP)
        for layer in layers
        if layer.style is not None
    ]
    base.executemany(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, styleQML, "
        "styleSLD, useAsDefault, description, owner, ui, update_time) VALUES ('', '', ?, ?, ?, ?, ?, 1, ?, 'careshed', NULL, ?)",
        rows,
    )
    base.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id) "
        "VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?, 0)",
        (_STAMP,),
    )


def _tell(base: sqlite3.Connection, metadata: str) -> None:
    base.execute(
        "INSERT INTO gpkg_metadata VALUES (1, 'dataset', 'http://www.isotc211.org/2005/gmd', 'text/xml', ?)", (metadata,)
    )
    base.execute("INSERT INTO gpkg_metadata_reference VALUES ('geopackage', NULL, NULL, NULL, ?, 1, NULL)", (_STAMP,))
    base.executemany(
        "INSERT INTO gpkg_extensions (table_name, column_name, extension_name, definition, scope) "
        "VALUES (?, NULL, ?, ?, 'read-write')",
        _EXTENSIONS,
    )
