"use strict";
// Draws facilities, proposed sites and gaps of the study's other services, each service in its own hue, until asked for not at all.
(() => {
  const {kit, draw, layers} = careshed, {areas} = unpack;
  const MANY = 400; // more shapes than this are drawn on canvas

  const facilities = (d, hue, key) => {
    const places = kit.points(d.points), many = places.length > MANY, on = many ? kit.idleCanvas(key, 606) : kit.svg(key, 606);
    if (many) kit.probes.push([key, (_, point) => {
      let best = -1, least = 81; // within 9 pixels
      places.forEach((place, i) => {
        const far = careshed.map.latLngToContainerPoint(place).distanceTo(point) ** 2;
        if (far < least) [best, least] = [i, far];
      });
      return best < 0 ? null : {texts: d.tips[best], at: L.latLng(places[best])};
    }]);
    return places.map((at, i) => {
      const hollow = d.hollow[i];
      const look = {radius: many ? 3.2 : 4.5, weight: hollow ? 2 : 1.4, color: hollow ? hue : "#fff", fillColor: hollow ? "#fff" : hue, fillOpacity: 1};
      return kit.explain(L.circleMarker(at, {...on, ...look}), d.tips[i]);
    });
  };

  const sites = (d, hue, key, n) => {
    kit.pane(key, 632);
    return kit.points(d.points).map((at, i) => {
      const face = L.DomUtil.create("span");
      face.textContent = d.ranks[i];
      const icon = L.divIcon({html: face, className: `osite hue${n % 4}`, iconSize: [24, 24], tooltipAnchor: [12, 0]});
      const marker = L.marker(at, {icon, pane: key, riseOnHover: true});
      marker.on("add", () => marker.getElement().setAttribute("aria-label", d.names[i]));
      return kit.explain(marker, d.tips[i], {sticky: false, direction: "right"});
    });
  };

  const gaps = (d, hue, key) => {
    const all = areas(d.areas), on = all.length > MANY ? kit.idleCanvas(key, 425) : kit.svg(key, 425);
    const look = {color: hue, weight: 2, dashArray: "5 4", fillColor: hue, fillOpacity: 0.12, smoothFactor: 0.5};
    return all.map((rings, i) => kit.explain(L.polygon(rings, {...on, ...look}), d.tips[i]));
  };

  // Nothing is drawn before its switch is first turned.
  draw.others = (d) => {
    d.services.forEach((one, n) => {
      for (const [kind, made] of Object.entries({facilities, sites, gaps})) {
        if (!one[kind]) continue;
        const key = `other${n}_${kind}`, group = layers[key] = L.layerGroup();
        group.once("add", () => made(one[kind], one.hue, key, n).forEach((shape) => group.addLayer(shape)));
      }
    });
    return null;
  };
})();
