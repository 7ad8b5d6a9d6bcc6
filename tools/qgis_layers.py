"""Open a GeoPackage of layers in QGIS as a planner would: is every layer valid, does its style load, what does it look like?

    apt-get install python3-qgis
    QT_QPA_PLATFORM=offscreen /usr/bin/python3 tools/qgis_layers.py layers.gpkg map.png 选址_托育服务 设施 覆盖_托育服务

Prints a line a layer, PASS or FAIL; draws the layers named, the first on top. Runs on QGIS's own Python, not on the project's.
"""

import os
import sys

from osgeo import ogr
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProject,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor


def tables(path: str) -> list[str]:
    """List the layers and tables of a file."""
    file = ogr.Open(path)
    return [file.GetLayer(at).GetName() for at in range(file.GetLayerCount())]


def faults(layer: QgsVectorLayer) -> list[str]:
    """Say what is wrong with a layer."""
    if not layer.isValid():
        return ["not valid"]
    if not layer.isSpatial():
        return []
    found = [] if layer.loadDefaultStyle()[1] else ["no default style"]
    rules = layer.renderer().rootRule().children() if layer.renderer().type() == "RuleRenderer" else []
    found += [] if rules else ["no rules in its style"]
    found += [f"filter of {one.label()}" for one in rules if one.filter() is not None and one.filter().hasParserError()]
    broken = sum(one.hasGeometry() and not one.geometry().isGeosValid() for one in layer.getFeatures())
    return found + ([f"{broken} shapes not valid"] if broken else [])


def draw(layers: list[QgsVectorLayer], out: str) -> None:
    """Draw layers, the first on top, around the last."""
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setOutputSize(QSize(1400, 1000))
    settings.setOutputDpi(96)
    settings.setBackgroundColor(QColor(255, 255, 255))
    settings.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    move = QgsCoordinateTransform(layers[-1].crs(), settings.destinationCrs(), QgsProject.instance())
    ground = move.transformBoundingBox(layers[-1].extent())
    ground.scale(1.05)
    settings.setExtent(ground)
    context = QgsExpressionContext()
    context.appendScope(QgsExpressionContextUtils.globalScope())
    context.appendScope(QgsExpressionContextUtils.mapSettingsScope(settings))
    settings.setExpressionContext(context)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(out)


def main() -> int:
    """Check every layer, then draw those named."""
    path, out, named = sys.argv[1], sys.argv[2], sys.argv[3:]
    started = QgsApplication([], False)
    started.initQgis()
    opened = {name: QgsVectorLayer(f"{path}|layername={name}", name, "ogr") for name in tables(path)}
    failed = 0
    for name, layer in opened.items():
        wrong = faults(layer)
        failed += bool(wrong)
        where = layer.crs().authid() if layer.isSpatial() else "table"
        print("FAIL" if wrong else "PASS", name, where, layer.featureCount(), *wrong)
    if named:
        draw([opened[name] for name in named], out)
    return int(failed > 0)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # QGIS outlives its layers badly: leave without taking it down piece by piece
