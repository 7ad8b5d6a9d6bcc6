"use strict";
// Draws the pages on places and on change: circles by places and load, lines to the people they take, gains and losses.
(() => {
  const {kit, draw, choropleths, layers, finish} = careshed;
  const INK = "#1d2730", RING = "#d0127b";
  let circles = [], taken = [], badges = [], held = null, web = null;

  const asFill = (key, z, opacity) => (d) => {
    choropleths[key] = kit.painted(d, key, z, opacity);
    return L.layerGroup();
  };
  draw.split = asFill("split", 285, 0.85);
  draw.access = asFill("access", 286, 0.9);
  draw.change = asFill("change", 287, 0.9);
  draw.saved = asFill("saved", 288, 0.9);

  function unpackLinks(d) {
    if (!d) return [];
    const at = kit.points(d.cells), cell = kit.ints(d.cell), people = kit.ints(d.people);
    let next = 0;
    return kit.ints(d.n).map((n) => {
      let here = 0;
      return Array.from({length: n}, () => {
        here += cell[next];
        return [at[here], people[next++]];
      });
    });
  }

  draw.places = (d) => {
    const on = kit.svg("places", 610);
    taken = unpackLinks(d.links);
    circles = kit.points(d.points).map((at, i) => {
      const kind = d.classes[i], over = kind === 5;
      const circle = L.circleMarker(at, {
        ...on, radius: d.radii[i], fillColor: d.colours[kind], fillOpacity: kind ? 1 : 0.9,
        color: over ? RING : kind === 0 ? "#6b747c" : kind > 3 ? "#fff" : "#232c63", weight: over ? 3.5 : kind === 0 ? 1.6 : 1.3,
        dashArray: kind === 0 ? "3 3" : null,
      });
      circle.on("mouseover", () => strands(i)).on("mouseout", () => strands(held));
      circle.on("popupopen", () => { held = i; strands(i); }).on("popupclose", () => { held = null; strands(null); });
      return kit.explain(circle, d.tips[i]);
    });
    // From afar circles would cover the town: they shrink together, and the legend with them.
    const [nearBy, least] = circles.length > 150 ? [13.5, 0.25] : [12.25, 0.5];
    const weights = circles.map((circle) => circle.options.weight);
    const fit = () => {
      const factor = Math.min(Math.max(2 ** ((careshed.map.getZoom() - nearBy) / 2), least), 1);
      circles.forEach((circle, i) => circle.setRadius(Math.max(d.radii[i] * factor, 1.5)).setStyle({weight: weights[i] * Math.max(factor, 0.4)}));
      for (const sample of document.querySelectorAll(".sizes circle")) sample.setAttribute("r", sample.dataset.radius * factor);
    };
    careshed.map.on("zoomend", fit);
    finish.push(fit);
    const largestFirst = circles.map((circle, i) => [d.radii[i], circle]).sort((a, b) => b[0] - a[0]);
    return L.layerGroup(largestFirst.map(([, circle]) => circle));
  };

  const WIDTHS = [[0, 0.9], [3, 1.7], [10, 2.8]]; // people on a line, at least, and its width in pixels

  function bundle(links, look, thin) {
    return WIDTHS.map(([from, weight], k) => {
      const upTo = k + 1 < WIDTHS.length ? WIDTHS[k + 1][0] : Infinity;
      const shown = links.filter(([, , people]) => people >= from && people < upTo).map(([a, b]) => [a, b]);
      return L.polyline(shown, {...look, weight: weight * thin, color: INK, lineCap: "round", smoothFactor: 0});
    });
  }

  const linksOf = (i) => taken[i].map(([at, people]) => [circles[i].getLatLng(), at, people]);

  let strandLook;
  function strands(i) {
    web?.remove();
    web = null;
    if (i === null || !taken[i]?.length) return;
    strandLook ??= kit.idleCanvas("strands", 605, 0.9);
    const links = linksOf(i);
    const casing = L.polyline(links.map(([a, b]) => [a, b]), {...strandLook, weight: 4.5, color: "#fff", opacity: 0.75, smoothFactor: 0});
    const ends = links.map(([, at]) => L.circleMarker(at, {...strandLook, radius: 2.6, weight: 1, color: "#fff", fillColor: INK, fillOpacity: 1}));
    web = L.layerGroup([casing, ...bundle(links, strandLook, 1), ...ends]).addTo(careshed.map);
  }

  draw.spider = () => L.layerGroup(bundle(circles.flatMap((_, i) => linksOf(i)), kit.idleCanvas("spider", 603, 0.5), 0.6));

  draw.hierarchy = (d) => {
    const on = kit.svg("hierarchy", 595), look = {...on, color: "#7c1f56"};
    const parts = kit.lines(d.lines).flatMap((line, i) => [
      L.polyline(line, {...on, color: "#fff", weight: 4.5, opacity: 0.9, interactive: false}),
      kit.explain(L.polyline(line, {...look, weight: 2.2}), d.tips[i]),
      L.circleMarker(line[line.length - 1], {...look, radius: 4, weight: 1.5, color: "#fff", fillColor: "#7c1f56", fillOpacity: 1, interactive: false}),
    ]);
    const above = kit.svg("orphans", 612);
    const alone = kit.points(d.orphans).map((at, i) => kit.explain(
      L.circleMarker(at, {...above, color: "#7c1f56", radius: 14, weight: 3, dashArray: "5 4", fill: false}), d.orphan_tips[i]));
    return L.layerGroup([...parts, ...alone]);
  };

  draw.moved = (d) => {
    kit.pane("moved", 640);
    badges = kit.points(d.points).map((at, i) => {
      const face = L.DomUtil.create("i", `sign ${d.kinds[i]}`);
      const icon = L.divIcon({html: face, className: "badge-pin", iconSize: [24, 24], popupAnchor: [0, -10], tooltipAnchor: [12, 0]});
      const marker = L.marker(at, {icon, pane: "moved", riseOnHover: true});
      marker.on("add", () => marker.getElement().setAttribute("aria-label", d.names[i]));
      return kit.explain(marker, d.tips[i], {sticky: false, direction: "right"});
    });
    return L.layerGroup(badges);
  };

  // Streets that open are a solid line, those that close a dashed one, both over all fills and under the facilities.
  const ways = {opened: [], shut: []}, WAYS = {opened: ["#12447f", 5, null], shut: ["#b0420f", 3.5, "5 4"]};
  const drawWays = (kind) => (d) => {
    const on = kit.svg(kind, kind === "opened" ? 598 : 597), all = kit.lines(d.lines), [color, weight, dashArray] = WAYS[kind];
    let at = 0;
    ways[kind] = d.parts.map((n, i) => {
      const line = all.slice(at, at += n);
      const casing = L.polyline(line, {...on, color: "#fff", weight: weight + 4, opacity: 0.95, interactive: false});
      const shape = kit.explain(L.polyline(line, {...on, color, weight, dashArray, lineCap: dashArray ? "butt" : "round"}), d.tips[i]);
      return [casing, shape];
    });
    return L.layerGroup([...ways[kind].map(([casing]) => casing), ...ways[kind].map(([, shape]) => shape)]);
  };
  for (const kind of ["opened", "shut"]) draw[kind] = drawWays(kind);

  finish.push(() => {
    for (const kind of ["opened", "shut"]) {
      kit.connectList(`[data-${kind}]`, kind, (i) => ways[kind][i]?.[1], (line) => line.getBounds().pad(1));
    }
    if (document.querySelector("input[name=choropleth][value=population]")) choropleths.population = layers.population;
    const around = (circle, i) => {
      const box = circle.getLatLng().toBounds(1200);
      taken[i]?.forEach(([at]) => box.extend(at));
      return box;
    };
    kit.connectList("[data-facility]", "facility", (i) => circles[i], (circle) => around(circle, circles.indexOf(circle)));
    kit.connectList("[data-moved]", "moved", (i) => badges[i], (badge) => badge.getLatLng().toBounds(1500));
    for (const tier of [1, 2, 3]) {
      kit.connectList(`[data-tier="${tier}"]`, "unit", (i) => choropleths[tier]?.getLayers()[i], (shape) => shape.getBounds());
    }
    for (const item of document.querySelectorAll("[data-facility]")) {
      item.addEventListener("focus", () => strands(Number(item.dataset.facility)));
      item.addEventListener("mouseenter", () => strands(Number(item.dataset.facility)));
      for (const gone of ["blur", "mouseleave"]) item.addEventListener(gone, () => strands(held));
    }
  });
})();
