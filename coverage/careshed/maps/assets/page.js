"use strict";
// Decodes the page's packed layers, draws them with Leaflet and connects the panel. Text from data enters as textContent only.
const careshed = (() => {
  const STEP = 1e-5; // degrees; encode.STEP_DEG
  const GAP_FILL = 0.5;
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const layers = {}, choropleths = {}, data = {}, pins = [], gapShapes = [];
  const finish = []; // what further scripts do once all layers are there
  let map, settings;

  function ints(text) {
    const bytes = atob(text), out = [];
    for (let at = 0; at < bytes.length;) {
      let value = 0, scale = 1, byte;
      do { byte = bytes.charCodeAt(at++); value += (byte & 127) * scale; scale *= 128; } while (byte & 128);
      out.push(value % 2 ? -(value + 1) / 2 : value / 2);
    }
    return out;
  }

  function lines(block) {
    const steps = ints(block.d);
    let x = 0, y = 0, at = 0;
    return ints(block.n).map((n) => Array.from({length: n}, () => {
      x += steps[at++]; y += steps[at++];
      return [y * STEP, x * STEP];
    }));
  }

  function areas(block) {
    const rings = lines(block);
    let at = 0;
    return ints(block.r).map((n) => rings.slice(at, at += n));
  }

  const points = (block) => lines(block).map((line) => line[0]);

  function tip(texts) {
    const node = L.DomUtil.create("div", "tip");
    texts.forEach((text, place) => { L.DomUtil.create(place ? "span" : "b", "", node).textContent = text; });
    return node;
  }

  function explain(shape, texts, options) {
    if (!texts) return shape;
    shape.bindTooltip(() => tip(texts), {sticky: true, opacity: 1, ...options});
    shape.bindPopup(() => tip(texts), {maxWidth: 280});
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
    bands(d) {
      const on = idleCanvas("bands", 300, 0.72);
      return L.layerGroup(d.bands.flatMap((band) => areas(band.areas).map((rings) =>
        L.polygon(rings, {...on, stroke: false, fillColor: band.colour, fillOpacity: 1, smoothFactor: 0.7}))));
    },
    streets(d) {
      const on = idleCanvas("streets", 350, 0.9);
      const looks = [["#8d877d", 2.6], ["#a8a299", 1.7], ["#bdb7ae", 1.0], ["#cbc6bd", 0.7]];
      const drawn = d.ranks.map(({rank, lines: block}) => {
        const [color, width] = looks[Math.min(Math.max(rank, 0), 3)];
        return {rank, width, line: L.polyline(lines(block), {...on, color, weight: width, lineCap: "round", smoothFactor: 1.2})};
      });
      const group = L.layerGroup();
      const adjust = () => {
        const zoom = map.getZoom(), grow = Math.min(Math.max(2 ** ((zoom - 13.5) / 1.6), 0.55), 4);
        for (const {rank, width, line} of drawn) {
          const wanted = rank < 2 || zoom >= (rank > 2 ? 14 : 12.25);
          if (wanted) group.addLayer(line.setStyle({weight: width * grow})); else group.removeLayer(line);
        }
      };
      map.on("zoomend", adjust);
      adjust();
      return group;
    },
    units(d) {
      const shapes = areas(d.areas), line = svgOrCanvas();
      const widths = {1: 2.2, 2: 1.5, 3: 0.7};
      const outline = L.layerGroup(shapes.map((rings) =>
        L.polygon(rings, {...line, fill: false, color: d.tier < 3 ? "#4d5761" : "#7d8790", weight: widths[d.tier], opacity: 0.75, dashArray: d.tier < 3 ? "6 4" : "2 3"})));
      const places = points(d.labels);
      const names = L.layerGroup(d.names.map((name, i) => label(places[i], name, d.tier)));
      if (d.classes.length) choropleths[d.tier] = choropleth(d, shapes);
      const shown = {1: [0, 0], 2: [0, d.names.length > 40 ? 13 : 11.5], 3: [13.25, 14.25]}[d.tier];
      const group = L.layerGroup();
      const adjust = () => {
        const zoom = map.getZoom();
        for (const [part, from] of [[outline, shown[0]], [names, d.tier === 1 ? 99 : shown[1]]]) {
          if (zoom >= from) group.addLayer(part); else group.removeLayer(part);
        }
      };
      map.on("zoomend", adjust);
      adjust();
      return group;
    },
    gaps(d) {
      const on = svg("gaps", 420);
      areas(d.areas).forEach((rings, i) => {
        const shape = L.polygon(rings, {...on, color: "#b23f08", weight: 1.1, fillColor: "#e2601f", fillOpacity: GAP_FILL, smoothFactor: 0.5});
        shape.on("mouseover", () => shape.setStyle({weight: 3})).on("mouseout", () => shape.setStyle({weight: 1.1}));
        gapShapes.push(explain(shape, d.tips[i]));
      });
      return L.layerGroup(gapShapes);
    },
    facilities(d) {
      const on = svg("facilities", 610);
      return L.layerGroup(points(d.points).map((at, i) => explain(L.circleMarker(at, {
        ...on, radius: 5, weight: d.hollow[i] ? 2 : 1.8, color: d.hollow[i] ? "#1d2730" : "#fff", fillColor: d.hollow[i] ? "#fff" : "#1d2730", fillOpacity: 1,
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
  const svgOrCanvas = () => (outlines ??= idleCanvas("units", 380));

  function label(at, name, tier) {
    const node = L.DomUtil.create("span");
    node.textContent = name;
    const icon = L.divIcon({html: node, className: tier < 3 ? "label" : "label small", iconSize: [0, 0]});
    if (!map.getPane("labels")) pane("labels", 600, {idle: true});
    return L.marker(at, {icon, pane: "labels", interactive: false, keyboard: false});
  }

  function choropleth(d, shapes) {
    const on = svg(`share${d.tier}`, 280, 0.86);
    return L.layerGroup(shapes.map((rings, i) => {
      const none = d.classes[i] < 0;
      const shape = L.polygon(rings, {...on, color: "#fff", weight: 1.2, fillColor: none ? "#d9d9d6" : d.colours[d.classes[i]], fillOpacity: 1});
      shape.on("mouseover", () => shape.setStyle({color: "#1d2730", weight: 2.5}).bringToFront());
      shape.on("mouseout", () => shape.setStyle({color: "#fff", weight: 1.2}));
      return explain(shape, d.tips[i]);
    }));
  }

  function open(made) {
    map = made;
    settings = read("care_settings");
    map.fitBounds(settings.bounds, {padding: [12, 12], animate: false});
    L.control.zoom({position: "topright", zoomInTitle: settings.words.zoom_in, zoomOutTitle: settings.words.zoom_out}).addTo(map);
    const home = L.control({position: "topright"});
    home.onAdd = () => button("⤢", settings.words.home, whole);
    home.addTo(map);
    L.control.scale({imperial: false, maxWidth: 140}).addTo(map);
    L.control.attribution({prefix: "Leaflet"}).addAttribution(settings.credit).addTo(map);
    const north = L.control({position: "topleft"});
    north.onAdd = compass;
    north.addTo(map);
    return map;
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
    (layers[kind] ??= L.layerGroup()).addLayer(drawn);
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
    finish.forEach((act) => act());
    addEventListener("beforeprint", () => { document.querySelector("details").open = true; map.invalidateSize({animate: false}); map.fitBounds(settings.bounds, {animate: false}); });
    addEventListener("afterprint", () => map.invalidateSize({animate: false}));
    new ResizeObserver(() => map.invalidateSize({animate: false})).observe(map.getContainer());
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
      const light = (on) => shape.getElement?.()?.classList.toggle("lit", on);
      item.addEventListener("mouseenter", () => light(true));
      item.addEventListener("mouseleave", () => light(false));
    }
  }

  const kit = {ints, lines, points, pane, svg, idleCanvas, painted, explain, label, connectList, still};
  return {open, add, ready, draw, finish, kit, layers, choropleths, get map() { return map; }, get words() { return settings.words; }};
})();
