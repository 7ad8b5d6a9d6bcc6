// Draws the packed layers with Leaflet and connects the panel. Text from data enters as textContent only.
const careshed = (() => {
  const GAP_FILL = 0.5;
  const MANY = 400; // more shapes than this are drawn on canvas and found under the pointer by careshed's own search
  const {ints, lines, areas, points} = unpack;
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const layers = {}, choropleths = {}, data = {}, pins = [], gapShapes = [];
  const finish = []; // what further scripts do once all layers are there
  const spots = []; // where facilities are drawn
  const probes = []; // what lies under the pointer where no shape of its own answers: (latlng, point) => {texts, at} or null
  let map, settings, credits;

  function tip(texts) {
    const node = L.DomUtil.create("div", "tip");
    texts.forEach((text, place) => { L.DomUtil.create(place ? "span" : "b", "", node).textContent = text; });
    return node;
  }

  function explain(shape, texts, options) {
    if (!texts) return shape;
    const told = () => tip(typeof texts === "function" ? texts() : texts);
    shape.bindTooltip(told, {sticky: true, opacity: 1, ...options});
    shape.bindPopup(told, {maxWidth: 280});
    shape.on("popupopen", () => shape.closeTooltip());
    return shape;
  }

  function pane(name, z, {opacity = 1, idle = false} = {}) {
    const node = map.createPane(name);
    node.style.zIndex = z;
    node.style.opacity = opacity;
    if (idle) { node.classList.add("idle"); node.style.pointerEvents = "none"; }
    return name;
  }

  const idleCanvas = (name, z, opacity) => {
    const at = pane(name, z, {opacity, idle: true});
    return {pane: at, renderer: L.canvas({pane: at, padding: 0.3}), interactive: false};
  };
  const svg = (name, z, opacity) => {
    const at = pane(name, z, {opacity});
    return {pane: at, renderer: L.svg({pane: at, padding: 0.3})};
  };

  function painted(d, name, z, opacity) {
    if (d.png) {
      pane(name, z, {opacity, idle: true});
      return L.imageOverlay(d.png, d.bounds, {pane: name, className: "crisp", alt: ""});
    }
    const on = idleCanvas(name, z, opacity);
    const dots = points(d.points).map((at, i) => L.circle(at, {...on, radius: d.radius_m, stroke: false, fillOpacity: 1, fillColor: d.colours[d.classes[i]]}));
    return L.layerGroup(dots);
  }

  const draw = {
    water(d) {
      const on = idleCanvas("water", 210);
      return L.layerGroup(areas(d.areas).map((rings) => L.polygon(rings, {...on, stroke: false, fillColor: "#d3e3ec", fillOpacity: 1})));
    },
    population: (d) => painted(d, "population", 240, 0.85),
    units(d) {
      const widths = {1: 2.2, 2: 1.5, 3: 0.7}, shown = {1: [0, 0], 2: [0, d.names.length > 40 ? 11.75 : 10], 3: [13.25, 14]}[d.tier];
      let held, outline, names;
      const shapes = () => held || (held = areas(d.areas));
      const outlined = () => outline || (outline = L.layerGroup(shapes().map((rings) =>
        L.polygon(rings, {...svgOrCanvas(), fill: false, color: d.tier < 3 ? "#4d5761" : "#7d8790", weight: widths[d.tier], opacity: 0.75, dashArray: d.tier < 3 ? "6 4" : "2 3"}))));
      const labelled = () => {
        if (names) return names;
        const places = points(d.labels), marks = d.names.map((name, i) => label(places[i], name, d.tier));
        names = L.layerGroup(marks);
        if (d.tier > 1) named.push({tier: d.tier, marks, places, names: d.names, size: d.tier === 2 ? 12.5 : 11.5, held: () => group.hasLayer(names)});
        named.sort((a, b) => a.tier - b.tier);
        return names;
      };
      if (d.classes.length) choropleths[d.tier] = choropleth(d, shapes);
      const group = L.layerGroup();
      const adjust = () => {
        const zoom = map.getZoom();
        for (const [part, made, from] of [[outline, outlined, shown[0]], [names, labelled, d.tier === 1 ? 99 : shown[1]]]) {
          if (zoom >= from) group.addLayer(made()); else if (part) group.removeLayer(part);
        }
      };
      map.on("zoomend", adjust);
      adjust();
      return group;
    },
    gaps(d) {
      const all = areas(d.areas), many = all.length > MANY, on = many ? idleCanvas("gaps", 420) : svg("gaps", 420);
      all.forEach((rings, i) => {
        const shape = L.polygon(rings, {...on, color: "#b23f08", weight: 1.1, fillColor: "#e2601f", fillOpacity: GAP_FILL, smoothFactor: 0.5});
        if (!many) shape.on("mouseover", () => shape.setStyle({weight: 3})).on("mouseout", () => shape.setStyle({weight: 1.1}));
        gapShapes.push(explain(shape, d.tips[i]));
      });
      if (many) probes.push(["gaps", (at) => {
        const i = gapShapes.findIndex((shape, k) => shape.getBounds().contains(at) && within(at, all[k]));
        return i < 0 ? null : {texts: d.tips[i], at};
      }]);
      return L.layerGroup(gapShapes);
    },
    facilities(d) {
      const places = points(d.points), many = places.length > MANY;
      spots.push(...places);
      const on = many ? idleCanvas("facilities", 610) : svg("facilities", 610);
      if (many) probes.unshift(["facilities", (_, point) => {
        let best = -1, least = 81; // within 9 pixels
        places.forEach((place, i) => {
          const far = map.latLngToContainerPoint(place).distanceTo(point) ** 2;
          if (far < least) [best, least] = [i, far];
        });
        return best < 0 ? null : {texts: d.tips[best], at: L.latLng(places[best])};
      }]);
      return L.layerGroup(places.map((at, i) => explain(L.circleMarker(at, {
        ...on, radius: many ? 3.5 : 5, weight: d.hollow[i] ? 2 : many ? 1 : 1.8, color: d.hollow[i] ? "#1d2730" : "#fff", fillColor: d.hollow[i] ? "#fff" : "#1d2730", fillOpacity: 1,
      }), d.tips[i])));
    },
    sites(d) {
      pane("sites", 640);
      const places = points(d.points);
      d.ranks.forEach((rank, i) => {
        const face = L.DomUtil.create("span");
        L.DomUtil.create("i", "", face);
        L.DomUtil.create("b", "", face).textContent = rank;
        const icon = L.divIcon({html: face, className: "pin", iconSize: [30, 30], iconAnchor: [15, 36], popupAnchor: [0, -34], tooltipAnchor: [14, -20]});
        const marker = L.marker(places[i], {icon, pane: "sites", zIndexOffset: 1000 - 10 * rank, riseOnHover: true});
        marker.on("add", () => marker.getElement().setAttribute("aria-label", d.names[i]));
        pins.push(explain(marker, d.tips[i], {sticky: false, direction: "right"}));
      });
      return L.layerGroup(pins);
    },
  };

  let outlines;
  const svgOrCanvas = () => outlines || (outlines = idleCanvas("units", 380));

  function within(at, rings) { // even-odd rule
    let inside = false;
    for (const ring of rings) {
      for (let k = 0, before = ring.length - 1; k < ring.length; before = k++) {
        const [y, x] = ring[k], [v, u] = ring[before];
        if (y > at.lat !== v > at.lat && at.lng < (u - x) * (at.lat - y) / (v - y) + x) inside = !inside;
      }
    }
    return inside;
  }

  // Names step aside for pins and for each other, the larger units' first; what finds no room waits for a closer view.
  const named = [], NUDGES = [[0, 0], [0, -15], [0, 15], [34, 0], [-34, 0], [0, -28], [0, 28]];
  function tidyNames() {
    const pinsAt = map.hasLayer(layers.sites || L.layerGroup()) ? pins.map((pin) => map.latLngToContainerPoint(pin.getLatLng())) : [];
    const dots = spots.length <= MANY && map.hasLayer(layers.facilities || L.layerGroup()) ? spots.map((at) => map.latLngToContainerPoint(at)) : [];
    const taken = [...pinsAt.map(({x, y}) => [x - 17, y - 38, x + 17, y]), ...dots.map(({x, y}) => [x - 6, y - 6, x + 6, y + 6])], view = map.getSize();
    const clash = (one) => taken.some((two) => one[0] < two[2] && two[0] < one[2] && one[1] < two[3] && two[1] < one[3]);
    for (const {marks, places, names, size, held} of named) {
      if (!held()) continue;
      marks.forEach((mark, i) => {
        const node = mark.getElement(), {x, y} = map.latLngToContainerPoint(places[i]);
        if (!node || x < -99 || y < -99 || x > view.x + 99 || y > view.y + 99) return;
        const half = [...names[i]].reduce((sum, letter) => sum + (letter > "\u2e7f" ? size : size * 0.56), 6) / 2;
        const box = ([dx, dy]) => [x + dx - half, y + dy - 9, x + dx + half, y + dy + 9];
        const free = NUDGES.find((nudge) => !clash(box(nudge)));
        node.firstChild.hidden = !free;
        if (!free) return;
        node.firstChild.style.margin = `${free[1]}px 0 0 ${free[0]}px`;
        taken.push(box(free));
      });
    }
  }

  function label(at, name, tier) {
    const node = L.DomUtil.create("span");
    node.textContent = name;
    const icon = L.divIcon({html: node, className: tier < 3 ? "label" : "label small", iconSize: [0, 0]});
    if (!map.getPane("labels")) pane("labels", 600, {idle: true});
    return L.marker(at, {icon, pane: "labels", interactive: false, keyboard: false});
  }

  // Shares by unit: the shapes come into being when first shown.
  function choropleth(d, shapesOf) {
    const group = L.layerGroup(), fill = (i) => d.classes[i] < 0 ? "#d9d9d6" : d.colours[d.classes[i]];
    let shapes;
    const build = () => {
      if (shapes) return;
      const on = svg(`share${d.tier}`, 280, 0.86);
      shapes = shapesOf().map((rings, i) => {
        const shape = L.polygon(rings, {...on, color: "#fff", weight: 1.2, fillColor: fill(i), fillOpacity: 1});
        shape.on("mouseover", () => shape.setStyle({color: "#1d2730", weight: 2.5}).bringToFront());
        shape.on("mouseout", () => shape.setStyle({color: "#fff", weight: 1.2}));
        group.addLayer(shape);
        return explain(shape, () => d.tips[i]);
      });
    };
    group.once("add", build);
    group.getLayers = () => { build(); return shapes.slice(); };
    group.recolour = () => { if (shapes) shapes.forEach((shape, i) => shape.setStyle({fillColor: fill(i)})); };
    return group;
  }

  function open(made) {
    performance.mark("careshed:start");
    map = made;
    settings = read("care_settings");
    map.fitBounds(settings.bounds, {padding: [12, 12], animate: false});
    L.control.zoom({position: "topright", zoomInTitle: settings.words.zoom_in, zoomOutTitle: settings.words.zoom_out}).addTo(map);
    const home = L.control({position: "topright"});
    home.onAdd = () => button("⤢", settings.words.home, whole);
    home.addTo(map);
    L.control.scale({imperial: false, maxWidth: 140}).addTo(map);
    credits = L.control.attribution({prefix: "Leaflet"}).addAttribution(settings.credit).addTo(map);
    if (settings.approval) credits.addAttribution(settings.approval);
    if (settings.tiles) offerTiles(settings.tiles);
    const north = L.control({position: "topleft"});
    north.onAdd = compass;
    north.addTo(map);
    return map;
  }

  // The page asks another machine for something only here, and only once the reader ticks the box.
  function offerTiles(told) {
    const {words} = settings, box = L.control({position: "topright"});
    pane("tiles", 150, {idle: true});
    layers.tiles = L.layerGroup(told.urls.map((url) => L.tileLayer(url, {
      pane: "tiles", subdomains: told.subdomains, maxZoom: 19, attribution: told.credit, crossOrigin: false, referrerPolicy: "no-referrer",
    }).on("tileerror", () => { note.textContent = words.tiles_failed; })));
    const node = L.DomUtil.create("div", "tilebox"), row = L.DomUtil.create("label", "", node), tick = L.DomUtil.create("input", "", row);
    const note = L.DomUtil.create("p", "", node);
    Object.assign(tick, {type: "checkbox", id: "tiles"});
    row.appendChild(document.createTextNode(words.tiles));
    note.setAttribute("role", "status");
    tick.addEventListener("change", () => {
      note.textContent = tick.checked && told.shifted ? words.tiles_shifted : "";
      show(layers.tiles, tick.checked);
      map.getContainer().classList.toggle("tiled", tick.checked);
    });
    L.DomEvent.disableClickPropagation(node);
    box.onAdd = () => node;
    box.addTo(map);
  }

  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
  const whole = () => map.closePopup().flyToBounds(settings.bounds, {padding: [12, 12], animate: !still(), duration: 0.8});

  function button(text, title, act) {
    const bar = L.DomUtil.create("div", "leaflet-bar home"), link = L.DomUtil.create("a", "", bar);
    Object.assign(link, {href: "#", title, textContent: text});
    link.setAttribute("role", "button");
    link.setAttribute("aria-label", title);
    L.DomEvent.disableClickPropagation(bar);
    L.DomEvent.on(link, "click", (event) => { L.DomEvent.preventDefault(event); act(); });
    return bar;
  }

  function compass() {
    const node = L.DomUtil.create("div", "north");
    const made = (name, marks, parent) => {
      const part = parent.appendChild(document.createElementNS("http://www.w3.org/2000/svg", name));
      for (const [key, value] of Object.entries(marks)) part.setAttribute(key, value);
      return part;
    };
    const arrow = made("svg", {width: 14, height: 20, viewBox: "0 0 14 20", "aria-hidden": "true"}, node);
    made("path", {d: "M7 0L13 19L7 15Z", fill: "#1d2730"}, arrow);
    made("path", {d: "M7 0L1 19L7 15Z", fill: "#9aa3ab"}, arrow);
    node.appendChild(document.createTextNode(settings.words.north));
    return node;
  }

  function add(key, id) {
    data[key] = read(id);
    const kind = key.replace(/\d+$/, ""), drawn = draw[kind](data[key]);
    layers[kind] = layers[kind] || L.layerGroup();
    if (drawn) layers[kind].addLayer(drawn);
  }

  const show = (layer, on) => { if (on) map.addLayer(layer); else map.removeLayer(layer); };

  function ready() {
    const boxes = [...document.querySelectorAll("input[data-layer]")];
    for (const box of boxes) {
      const turn = () => show(layers[box.dataset.layer], box.checked);
      box.addEventListener("change", turn);
      turn();
    }
    connectChoropleth(boxes.filter((box) => ["bands", "population"].includes(box.dataset.layer)));
    connectList("[data-site]", "site", (i) => pins[i], (pin) => pin.getLatLng().toBounds(900));
    connectList("[data-gap]", "gap", (i) => gapShapes[i], (shape) => shape.getBounds().pad(0.3));
    map.on("zoomend moveend resize layeradd layerremove", tidySoon);
    tidyNames();
    finish.forEach((act) => act());
    performance.mark("careshed:drawn");
    requestAnimationFrame(() => setTimeout(() => performance.mark("careshed:painted")));
    new ResizeObserver(() => map.invalidateSize({animate: false})).observe(map.getContainer());
  }

  let tidying = 0;
  function tidySoon() {
    if (tidying) return;
    tidying = requestAnimationFrame(() => { tidying = 0; tidyNames(); });
  }

  // Two fills on top of each other mislead: while shares by unit are shown, bands and population step back.
  function connectChoropleth(fills) {
    let before = null;
    for (const radio of document.querySelectorAll("input[name=choropleth]")) {
      radio.addEventListener("change", () => {
        for (const [tier, layer] of Object.entries(choropleths)) show(layer, tier === radio.value);
        for (const legend of document.querySelectorAll("[data-for]")) legend.hidden = !legend.dataset.for.split(" ").includes(radio.value);
        gapShapes.forEach((shape) => shape.setStyle({fillOpacity: radio.value ? 0.1 : GAP_FILL}));
        if (radio.value && !before) {
          before = fills.filter((box) => box.checked);
          before.forEach((box) => turn(box, false));
        } else if (!radio.value && before) {
          before.forEach((box) => turn(box, true));
          before = null;
        }
      });
      if (radio.checked && radio.value) radio.dispatchEvent(new Event("change"));
    }
  }

  function turn(box, on) {
    box.checked = on;
    box.dispatchEvent(new Event("change"));
  }

  function connectList(selector, key, found, target) {
    const items = [...document.querySelectorAll(selector)];
    for (const item of items) {
      const shape = found(Number(item.dataset[key]));
      if (!shape) continue;
      item.addEventListener("click", () => {
        document.querySelectorAll("[aria-current]").forEach((other) => other.removeAttribute("aria-current"));
        item.setAttribute("aria-current", "true");
        map.closePopup().once("moveend", () => { if (map.hasLayer(shape)) shape.openPopup(); });
        if (still()) map.fitBounds(target(shape), {maxZoom: 15.5, animate: false});
        else map.flyToBounds(target(shape), {maxZoom: 15.5, duration: 1});
        if (innerWidth <= 820) document.getElementById("stage").scrollIntoView({behavior: still() ? "auto" : "smooth"});
      });
      const light = (on) => {
        const node = shape.getElement && shape.getElement();
        if (node) node.classList.toggle("lit", on);
      };
      item.addEventListener("mouseenter", () => light(true));
      item.addEventListener("mouseleave", () => light(false));
    }
  }

  const kit = {ints, lines, points, pane, svg, idleCanvas, painted, explain, tip, label, connectList, still, show, probes};
  return {
    open, add, ready, draw, finish, kit, layers, choropleths, data,
    get map() { return map; }, get words() { return settings.words; }, get bounds() { return settings.bounds; },
  };
})();
