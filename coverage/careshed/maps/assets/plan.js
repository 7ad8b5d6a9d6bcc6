"use strict";
// Draws a plan of sites: pins by year for what is built, squares for what is extended, crosses for what closes; who gains.
(() => {
  const {kit, draw, choropleths, finish} = careshed;
  const marks = [];

  const asFill = (key, z) => (d) => {
    choropleths[key] = kit.painted(d, key, z, 0.85);
    return L.layerGroup();
  };
  draw.effect = asFill("effect", 285);
  draw.before = asFill("before", 286);
  draw.after = asFill("after", 287);

  function face(d, i) {
    const node = L.DomUtil.create("span"), back = L.DomUtil.create("i", "", node);
    back.style.background = d.colours[i];
    L.DomUtil.create("b", "", node).textContent = d.signs[i];
    return node;
  }

  draw.built = (d) => {
    kit.pane("built", 640);
    kit.points(d.points).forEach((at, i) => {
      const pin = d.fates[i] === "new";
      const icon = L.divIcon({
        html: face(d, i), className: pin ? "pin" : `pin ${d.fates[i]}`, iconSize: [30, 30],
        iconAnchor: pin ? [15, 36] : [15, 15], popupAnchor: [0, pin ? -34 : -14], tooltipAnchor: [14, pin ? -20 : 0],
      });
      const marker = L.marker(at, {icon, pane: "built", zIndexOffset: 1000 - 10 * i, riseOnHover: true});
      marker.on("add", () => marker.getElement().setAttribute("aria-label", d.names[i]));
      marks.push(kit.explain(marker, d.tips[i], {sticky: false, direction: "right"}));
    });
    return L.layerGroup(marks);
  };

  finish.push(() => kit.connectList("[data-built]", "built", (i) => marks[i], (mark) => mark.getLatLng().toBounds(900)));
})();
