// Paints many lines, areas or cells on one canvas straight from typed arrays: no object a point, nothing outside the view.
(() => {
  const {kit} = careshed;
  const FINE = 0.7; // pixels; steps shorter than this are not drawn

  // A canvas that follows the map; `paint(pen, frame)` draws, frame: {origin, scale, size, zoom}, world pixel = place * scale.
  kit.Paint = L.Renderer.extend({
    initialize(paint, options) {
      this.paint = paint;
      L.Renderer.prototype.initialize.call(this, options);
    },
    _initContainer() { this._container = document.createElement("canvas"); },
    _destroyContainer() { this._container.remove(); delete this._container; },
    _updatePaths() {},
    _update() {
      if (this._map._animatingZoom && this._bounds) return;
      L.Renderer.prototype._update.call(this);
      const {min} = this._bounds, size = this._bounds.getSize(), canvas = this._container, dots = this.options.plain || !L.Browser.retina ? 1 : 2;
      L.DomUtil.setPosition(canvas, min);
      Object.assign(canvas, {width: size.x * dots, height: size.y * dots});
      Object.assign(canvas.style, {width: `${size.x}px`, height: `${size.y}px`});
      const pen = canvas.getContext("2d"), zoom = this._map.getZoom();
      pen.scale(dots, dots);
      this.paint(pen, {origin: min.add(this._map.getPixelOrigin()), scale: 256 * 2 ** zoom, size, zoom});
    },
  });

  // Places on the Web-Mercator square, 0 to 1; `from` where each line starts, `box` the corners of each line.
  kit.onWorld = (block) => {
    const steps = unpack.numbers(block.d), counts = unpack.numbers(block.n), from = new Int32Array(counts.length + 1);
    const places = new Float64Array(steps.length), box = new Float64Array(4 * counts.length);
    let lng = 0, lat = 0, k = 0;
    counts.forEach((many, line) => {
      let west = 1, south = 0, east = 0, north = 1;
      for (const end = k + 2 * many; k < end; k += 2) {
        lng += steps[k]; lat += steps[k + 1];
        const sine = Math.sin(lat * unpack.STEP * Math.PI / 180);
        const x = lng * unpack.STEP / 360 + 0.5, y = 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
        places[k] = x; places[k + 1] = y;
        if (x < west) west = x;
        if (x > east) east = x;
        if (y < north) north = y;
        if (y > south) south = y;
      }
      from[line + 1] = k;
      box.set([west, north, east, south], 4 * line);
    });
    return {places, from, box, rings: block.r ? unpack.numbers(block.r) : null};
  };

  const seen = (box, line, {origin, scale, size}, margin) =>
    box[4 * line] * scale - origin.x < size.x + margin && box[4 * line + 2] * scale - origin.x > -margin &&
    box[4 * line + 1] * scale - origin.y < size.y + margin && box[4 * line + 3] * scale - origin.y > -margin;

  function trace(pen, {places, from}, line, {origin, scale}) {
    let x = Infinity, y = 0;
    for (let k = from[line], last = from[line + 1] - 2; k <= last; k += 2) {
      const nextX = places[k] * scale - origin.x, nextY = places[k + 1] * scale - origin.y;
      if (x === Infinity) pen.moveTo(nextX, nextY);
      else if (k === last || Math.abs(nextX - x) + Math.abs(nextY - y) > FINE) pen.lineTo(nextX, nextY);
      else continue;
      x = nextX; y = nextY;
    }
  }

  kit.strokeLines = (pen, world, frame, {color, width}) => {
    Object.assign(pen, {strokeStyle: color, lineWidth: width, lineCap: "round", lineJoin: "round"});
    let held = 0;
    pen.beginPath();
    for (let line = 0; line + 1 < world.from.length; line++) {
      if (!seen(world.box, line, frame, width)) continue;
      trace(pen, world, line, frame);
      if (++held % 400 === 0) { pen.stroke(); pen.beginPath(); }
    }
    pen.stroke();
  };

  kit.fillAreas = (pen, world, frame, color) => {
    pen.fillStyle = color;
    let ring = 0;
    for (const many of world.rings) {
      const end = ring + many;
      pen.beginPath();
      for (; ring < end; ring++) if (seen(world.box, ring, frame, 0)) trace(pen, world, ring, frame);
      pen.fill("evenodd");
    }
  };

  const LOOKS = [["#8d877d", 2.6], ["#a8a299", 1.7], ["#bdb7ae", 1.0], ["#cbc6bd", 0.7]];
  careshed.draw.streets = (d) => {
    const worlds = new Map(), of = (part) => worlds.get(part) || worlds.set(part, kit.onWorld(part.lines)).get(part);
    return new kit.Paint((pen, frame) => {
      const grow = Math.min(Math.max(2 ** ((frame.zoom - 13.5) / 1.6), 0.55), 4);
      for (const part of d.ranks) {
        if (part.rank > 1 && frame.zoom < (part.rank > 2 ? 14 : 12.25)) continue;
        const [color, width] = LOOKS[Math.min(Math.max(part.rank, 0), 3)];
        kit.strokeLines(pen, of(part), frame, {color, width: width * grow});
      }
    }, {pane: kit.pane("streets", 350, {opacity: 0.9, idle: true}), padding: 0.3});
  };

  careshed.draw.bands = (d) => {
    if (d.by_cell) return null; // painted from the cells, see cells.js
    const worlds = new Map(), of = (band) => worlds.get(band) || worlds.set(band, kit.onWorld(band.areas)).get(band);
    return new kit.Paint((pen, frame) => { for (const band of d.bands) kit.fillAreas(pen, of(band), frame, band.colour); },
      {pane: kit.pane("bands", 300, {opacity: 0.72, idle: true}), padding: 0.3});
  };
})();
