// Lays the page out for the paper chosen: sheet one is title, map and legend; lists and notes follow in columns.
(() => {
  const PAPERS = {a4: [210, 297], a4l: [297, 210], a3: [297, 420], a3l: [420, 297]}; // mm
  const MARGIN = 10, LEGEND = 66, FRAME = 3; // mm; the frame keeps rounding from pushing the map to a second sheet
  const root = document.documentElement, sheet = document.head.appendChild(document.createElement("style"));
  let paper = "a4", opened = [], sharp = false;

  const mm = (element) => element.getBoundingClientRect().height * 25.4 / 96;
  const page = () => { sheet.textContent = `@page{size:${PAPERS[paper].map((side) => `${side}mm`).join(" ")};margin:${MARGIN}mm}`; };

  function before() {
    if (root.classList.contains("printing")) return;
    const {map, bounds} = careshed, [width, height] = PAPERS[paper].map((side) => side - 2 * MARGIN), wide = width > height;
    const stage = document.getElementById("stage"), legend = document.querySelector(".legend");
    for (const box of document.querySelectorAll("input[data-layer]")) box.closest(".switch").classList.toggle("off", !box.checked);
    for (const set of document.querySelectorAll("fieldset")) { // a heading over nothing is not printed
      const rows = [...set.querySelectorAll(":scope > .switch")];
      set.classList.toggle("off", rows.length > 0 && rows.every((row) => row.classList.contains("off")));
    }
    opened = [...document.querySelectorAll("details:not([open])")];
    opened.forEach((one) => { one.open = true; });
    sharp = L.Browser.retina;
    L.Browser.retina = true; // twice as many dots as on a plain screen
    if (legend) stage.after(legend);
    root.classList.add("printing");
    root.classList.toggle("wide", wide);
    root.style.setProperty("--sheet-w", `${width}mm`);
    root.style.setProperty("--map-w", `${width - LEGEND}mm`);
    root.style.setProperty("--legend-w", `${LEGEND}mm`);
    const beside = mm(document.getElementById("head")) + (wide || !legend ? 0 : mm(legend)) + FRAME;
    root.style.setProperty("--map-h", `${Math.max(height - beside, 60)}mm`);
    map.invalidateSize({animate: false, pan: false});
    map.fitBounds(bounds, {animate: false, padding: [18, 18]});
    copy();
  }

  // Chromium prints what a canvas was told since its frame began, and clearing it wipes all that lies under it: each canvas
  // gives way to a copy that was never cleared.
  let copies = [];
  function copy() {
    for (const canvas of document.querySelectorAll("#stage .leaflet-pane canvas")) {
      const twin = canvas.cloneNode();
      twin.getContext("2d").drawImage(canvas, 0, 0);
      canvas.after(twin);
      canvas.style.display = "none";
      copies.push([canvas, twin]);
    }
  }

  function after() {
    if (!root.classList.contains("printing")) return;
    root.classList.remove("printing", "wide");
    const legend = document.querySelector(".legend"), panel = document.getElementById("panel"), lead = panel.querySelector(".verdict");
    if (legend) { if (lead) lead.after(legend); else panel.prepend(legend); }
    opened.forEach((one) => { one.open = false; });
    L.Browser.retina = sharp;
    copies.forEach(([canvas, twin]) => { twin.remove(); canvas.style.display = ""; });
    copies = [];
    careshed.map.invalidateSize({animate: false, pan: false});
    careshed.map.fitBounds(careshed.bounds, {animate: false, padding: [12, 12]});
  }

  careshed.finish.push(() => {
    const {words} = careshed, panel = document.getElementById("panel");
    const first = panel.querySelector("[data-layer],[name=choropleth]"), legend = first && first.closest("section");
    if (legend) legend.classList.add("legend");
    const box = document.createElement("div"), label = box.appendChild(document.createElement("label"));
    box.className = "printbox";
    label.textContent = words.paper;
    const choice = label.appendChild(document.createElement("select"));
    choice.id = "paper";
    for (const key of Object.keys(PAPERS)) choice.add(new Option(words[key], key));
    const button = box.appendChild(document.createElement("button"));
    Object.assign(button, {type: "button", textContent: words.print});
    choice.addEventListener("change", () => { paper = choice.value; page(); });
    button.addEventListener("click", () => print());
    panel.insertBefore(box, panel.querySelector("details.notes"));
    page();
    addEventListener("beforeprint", before);
    addEventListener("afterprint", after);
  });
})();
