// Paints cells from typed arrays at whatever zoom, and says on hover, on touch or at a key who lives in one and how far care is.
(() => {
  const {kit, draw, layers, finish} = careshed;
  const WORLD = 2 * Math.PI * 6378137; // metres around Web Mercator
  let cells = null, group = 0;

  const rgb = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

  // What the page knows of cells: unpacked once, when first asked for.
  function hold(d) {
    const people = {}, of = (name) => people[name] || (people[name] = unpack.numbers(d.people[name]));
    let minutes, at, points;
    return {
      d,
      people: (i) => of(d.groups[group])[i] / 10,
      told: (i) => d.groups.map((name) => [name, of(name)[i] / 10]),
      code: (i) => (minutes || (minutes = d.minutes ? unpack.numbers(d.minutes) : null)) ? minutes[i] : null,
      get at() {
        if (!at) {
          at = unpack.numbers(d.at);
          for (let k = 1; k < at.length; k++) at[k] += at[k - 1];
        }
        return at;
      },
      get points() { return points || (points = unpack.points(d.points)); },
    };
  }

  const along = (powers, v) => powers.map((terms) => terms.reduceRight((sum, term) => sum * v + term, 0));
  const value = (terms, u) => terms.reduceRight((sum, term) => sum * u + term, 0);

  function find(at, flat) {
    let low = 0, high = at.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at[middle] < flat) low = middle + 1; else high = middle;
    }
    return at[low] === flat ? low : -1;
  }

  // The cell at a row and column of the grid, -1 where nobody lives.
  function cellAt(row, col) {
    const [rows, cols] = cells.d.shape, r = Math.floor(row), c = Math.floor(col);
    return r < 0 || c < 0 || r >= rows || c >= cols ? -1 : find(cells.at, r * cols + c);
  }

  function cellUnder(latlng) {
    const {d} = cells;
    if (!d.at) return nearestPoint(latlng);
    const {x, y} = L.CRS.EPSG3857.project(latlng), [west, south, east, north] = d.box;
    const u = (x - west) / (east - west), v = (north - y) / (north - south);
    return u < 0 || u > 1 || v < 0 || v > 1 ? -1 : cellAt(value(along(d.row, v), u), value(along(d.col, v), u));
  }

  function nearestPoint({lat, lng}) {
    const wide = Math.cos(lat * Math.PI / 180), most = (cells.d.radius_m / 111320) ** 2;
    let best = -1, least = most;
    cells.points.forEach(([y, x], i) => {
      const far = (y - lat) ** 2 + ((x - lng) * wide) ** 2;
      if (far < least) [best, least] = [i, far];
    });
    return best;
  }

  function squares(pen, {size, origin, scale}, colourOf) {
    const {d, at} = cells, [west, south, east, north] = d.box, [rows, cols] = d.shape;
    const picture = pen.createImageData(size.x, size.y), pixels = new Uint32Array(picture.data.buffer);
    const uOf = (x) => ((((origin.x + x) / scale) - 0.5) * WORLD - west) / (east - west);
    const perPixel = (WORLD / scale) / (east - west), u0 = uOf(0.5);
    let flat = -1, ink = 0;
    for (let y = 0; y < size.y; y++) {
      const v = (north - (0.5 - (origin.y + y + 0.5) / scale) * WORLD) / (north - south);
      if (v < 0 || v > 1) continue;
      const row = along(d.row, v), col = along(d.col, v);
      const from = Math.max(0, Math.ceil(-u0 / perPixel)), upTo = Math.min(size.x - 1, Math.floor((1 - u0) / perPixel));
      for (let x = from; x <= upTo; x++) {
        const u = u0 + x * perPixel;
        let r = 0, c = 0;
        for (let k = row.length - 1; k >= 0; k--) { r = r * u + row[k]; c = c * u + col[k]; }
        r = Math.floor(r); c = Math.floor(c);
        if (r < 0 || c < 0 || r >= rows || c >= cols) continue;
        if (r * cols + c !== flat) {
          flat = r * cols + c;
          const i = find(at, flat);
          ink = i < 0 ? 0 : colourOf(i);
        }
        pixels[y * size.x + x] = ink;
      }
    }
    pen.putImageData(picture, 0, 0);
  }

  function dots(pen, {origin, zoom}, colourOf) {
    const {map} = careshed, {lat} = map.getCenter();
    const radius = Math.max(cells.d.radius_m * 256 * 2 ** zoom / (WORLD * Math.cos(lat * Math.PI / 180)), 0.7);
    cells.points.forEach((place, i) => {
      const ink = colourOf(i);
      if (!ink) return;
      const at = map.project(place, zoom).subtract(origin);
      pen.fillStyle = `rgb(${ink & 255},${ink >> 8 & 255},${ink >> 16 & 255})`;
      pen.beginPath();
      pen.arc(at.x, at.y, radius, 0, 7);
      pen.fill();
    });
  }

  const painted = (colours, options) => new kit.Paint(
    (pen, frame) => (cells.d.at ? squares : dots)(pen, frame, colours()), {...options, plain: true, padding: 0.1});

  const inks = (colours) => colours.map((colour) => {
    const [r, g, b] = rgb(colour);
    return (255 << 24 | b << 16 | g << 8 | r) >>> 0;
  });

  function shades() {
    const {breaks} = cells.d, ink = inks(cells.d.colours);
    return (i) => {
      const people = cells.people(i);
      if (!people) return 0;
      let kind = 0;
      for (const from of breaks[cells.d.groups[group]]) if (people >= from) kind++;
      return ink[kind];
    };
  }

  function bandOf(bands) {
    const ink = inks(bands.map((band) => band.colour)), most = bands.map((band) => band.minutes);
    return (i) => {
      const code = cells.code(i);
      if (code === null || code < 1) return 0;
      let kind = -1; // largest limit first: the last that holds is the smallest
      most.forEach((limit, k) => { if ((code - 1) / 2 <= limit) kind = k; });
      return kind < 0 ? 0 : ink[kind];
    };
  }

  const plain = draw.population;
  draw.population = (d) => {
    if (!d.groups) return plain(d);
    cells = hold(d);
    return painted(shades, {pane: kit.pane("population", 240, {opacity: 0.85, idle: true})});
  };
  const outlined = draw.bands;
  draw.bands = (d) => outlined(d) || painted(() => bandOf(d.bands), {pane: kit.pane("bands", 300, {opacity: 0.8, idle: true})});

  const spelled = (number) => (number >= 10 ? Math.round(number) : Math.round(number * 10) / 10).toLocaleString("en-US");
  const filled = (text, ...given) => given.reduce((told, one) => told.replace("{}", () => one), text);

  function words(i) {
    const {words: said} = careshed, code = cells.code(i);
    const head = code === null ? said.cell_title : code < 0 ? said.cell_unjudged : code === 0 ? said.cell_none : filled(said.cell_minutes, (code - 1) / 2);
    return [head, ...cells.told(i).map(([name, people]) => `${cells.d.names[name]}: ${spelled(people)}`)];
  }

  function underPointer(latlng, point) {
    const {map} = careshed;
    for (const [key, ask] of kit.probes) {
      const found = map.hasLayer(layers[key]) && ask(latlng, point);
      if (found) return found;
    }
    const shown = ["bands", "population"].some((key) => layers[key] && map.hasLayer(layers[key]));
    const i = cells && shown ? cellUnder(latlng) : -1;
    return i < 0 ? null : {texts: words(i), at: latlng};
  }

  function watch() {
    const {map} = careshed, box = map.getContainer(), note = L.tooltip({opacity: 1, offset: [10, 0], direction: "right"});
    const own = (event) => event.target.closest && event.target.closest(".leaflet-interactive,.leaflet-control,.leaflet-popup");
    let waiting = 0;
    const ask = (event) => {
      waiting = 0;
      const found = own(event.originalEvent) || map.dragging.moving() ? null : underPointer(event.latlng, event.containerPoint);
      if (found) note.setLatLng(event.latlng).setContent(kit.tip(found.texts)).addTo(map); else note.remove();
    };
    map.on("mousemove", (event) => { if (!waiting) waiting = requestAnimationFrame(() => ask(event)); });
    map.on("mouseout zoomstart movestart", () => note.remove());
    const tell = (latlng, point) => {
      const found = underPointer(latlng, point);
      note.remove();
      if (found) L.popup({maxWidth: 280}).setLatLng(found.at).setContent(kit.tip(found.texts)).openOn(map);
    };
    map.on("click", (event) => { if (!own(event.originalEvent)) tell(event.latlng, event.containerPoint); });
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target === box) tell(map.getCenter(), map.getSize().divideBy(2));
    });
  }

  careshed.cells = {
    choose(name) { // colours of the population change group, without unpacking anything twice
      if (!cells) return;
      group = Math.max(cells.d.groups.indexOf(name), 0);
      layers.population.eachLayer((layer) => { if (layer._map) layer._update(); });
      const numbers = cells.d.breaks[cells.d.groups[group]].map((from) => from.toLocaleString("en-US"));
      const box = document.querySelector("input[data-layer=population]"), steps = box && box.closest(".switch").querySelector(".steps");
      if (!steps) return;
      [...steps.querySelectorAll("li:not(.unit)")].forEach((step, k) => {
        step.hidden = k > numbers.length;
        step.lastChild.textContent = k ? `≥${numbers[k - 1]}` : `<${numbers[0]}`;
      });
    },
    under: (latlng) => { const i = cellUnder(L.latLng(latlng)); return i < 0 ? null : {code: cells.code(i), people: cells.told(i)}; },
  };
  finish.push(watch);
})();
