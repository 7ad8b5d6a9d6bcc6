// Counts what the reader's sites bring, in the order in which Python counts so that sums agree, and paints cells, units and sites.
(() => {
  const {kit, draw, data, choropleths, finish} = careshed;
  const COLOURS = ["", "#a9d3cf", "#0a6168", "#e8925e", "#9aa1a8", "#8f1c13"]; // had, gained, left, unjudged, lost: plan_layers.py
  const AROUND = 40075016.685578488; // metres around the web map
  const heard = [];
  let deck, m, painter, state, shown = {};

  function raw(text) { // bytes in base64
    const found = atob(text), out = new Uint8Array(found.length);
    for (let i = 0; i < found.length; i++) out[i] = found.charCodeAt(i);
    return out;
  }

  const whole = (text) => Int32Array.from(unpack.numbers(text));

  function people(packed) { // packing.packed_people
    if (packed.kind === "parts") return Float64Array.from(whole(packed.d), (parts) => parts / packed.scale);
    const buffer = raw(packed.d).buffer;
    return packed.kind === "f4" ? Float64Array.from(new Float32Array(buffer)) : new Float64Array(buffer);
  }

  const starts = (counts) => {
    const out = new Int32Array(counts.length + 1);
    for (let i = 0; i < counts.length; i++) out[i + 1] = out[i] + counts[i];
    return out;
  };

  function read(d) {
    const start = starts(whole(d.pairs.n)), steps = whole(d.pairs.d), cell = new Int32Array(steps.length);
    for (let site = 0; site + 1 < start.length; site++) {
      for (let at = start[site], here = 0; at < start[site + 1]; at++) cell[at] = here += steps[at];
    }
    const nearStart = starts(whole(d.near.n)), near = whole(d.near.d);
    for (let i = 0; i + 1 < nearStart.length; i++) for (let at = nearStart[i]; at < nearStart[i + 1]; at++) near[at] += i;
    const unit = whole(d.unit), sites = d.sites.ids.length;
    return {
      start, cell, kind: Uint8Array.from(unpack.numbers(d.pairs.c)), near, nearStart, unit, cells: unit.length, sites, fault: whole(d.fault),
      people: d.groups.map(people), islets: d.islets, standing: d.standing,
    };
  }

  // ---- counting

  const flags = (sites) => { const on = new Uint8Array(m.sites); sites.forEach((i) => { on[i] = 1; }); return on; };
  const range = (from, to) => Array.from({length: to - from}, (_, i) => from + i);

  function add(count, site, limit, by) {
    for (let at = m.start[site]; at < m.start[site + 1]; at++) if (m.kind[at] <= limit) count[m.cell[at]] += by;
  }

  function reach(on, limit) {
    const count = new Uint16Array(m.cells);
    for (let site = 0; site < m.sites; site++) if (on[site]) add(count, site, limit, 1);
    return count;
  }

  const cut = (i, joined) => (m.fault[i] === 1 || (m.fault[i] > 1 && !joined[m.fault[i] - 2]));

  function tally(count, on, group) {
    const who = m.people[group], finest = deck.above.length, joined = m.islets.map((sites) => sites.some((i) => on[i]));
    const parts = [0, 1, 2].map(() => new Float64Array(finest)), all = [0, 0, 0];
    for (let i = 0; i < m.cells; i++) {
      const n = who[i], u = m.unit[i];
      all[0] += n; parts[0][u] += n;
      if (count[i]) { all[1] += n; parts[1][u] += n; } else if (cut(i, joined)) { all[2] += n; parts[2][u] += n; }
    }
    const sums = [0, 1, 2].map(() => new Float64Array(deck.units.names.length)), outside = [0, 0, 0];
    deck.above.forEach((units, u) => {
      for (let k = 0; k < 3; k++) {
        if (!units.length) outside[k] += parts[k][u];
        for (const unit of units) sums[k][unit] += parts[k][u];
      }
    });
    const named = (values) => ({people: values[0], covered: values[1], unjudged: values[2]});
    return {...named(all), units: named(sums), outside: named(outside), joined};
  }

  function owned(on) {
    const held = new Int32Array(deck.units.names.length);
    for (let site = 0; site < m.sites; site++) if (on[site]) for (const unit of deck.sites.units[site]) held[unit]++;
    return held;
  }

  function gapsOf(count, group) {
    const who = m.people[group], root = new Int32Array(m.cells).fill(-1), found = new Map();
    const top = (i) => { while (root[i] !== i) i = root[i] = root[root[i]]; return i; };
    for (let i = 0; i < m.cells; i++) if (!count[i] && who[i] > 0) root[i] = i;
    for (let i = 0; i < m.cells; i++) {
      if (root[i] < 0) continue;
      for (let at = m.nearStart[i]; at < m.nearStart[i + 1]; at++) {
        if (root[m.near[at]] < 0) continue;
        const a = top(i), b = top(m.near[at]);
        if (a < b) root[b] = a; else root[a] = b;
      }
    }
    for (let i = 0; i < m.cells; i++) {
      if (root[i] < 0) continue;
      const key = top(i), gap = found.get(key);
      if (gap) { gap.people += who[i]; gap.cells.push(i); } else found.set(key, {people: who[i], cells: [i]});
    }
    return [...found.values()].sort((a, b) => b.people - a.people || a.cells[0] - b.cells[0]);
  }

  function gains() {
    const who = m.people[state.group], out = new Float64Array(m.sites);
    for (let site = 0; site < m.sites; site++) {
      const alone = state.on[site] ? 1 : 0;
      let sum = 0;
      for (let at = m.start[site]; at < m.start[site + 1]; at++) {
        if (m.kind[at] <= state.limit && state.count[m.cell[at]] === alone) sum += who[m.cell[at]];
      }
      out[site] = sum;
    }
    return out;
  }

  function money(sites) {
    const told = {cost: 0, net: 0, unknown: 0};
    for (const i of sites) {
      if (deck.sites.cost[i] === null) told.unknown++;
      else { told.cost += deck.sites.cost[i]; told.net += deck.sites.net[i]; }
    }
    return told;
  }

  const chosen = () => range(m.standing, m.sites).filter((i) => state.on[i]);
  const closed = () => range(0, m.standing).filter((i) => !state.on[i]);

  // What does not hang on the reader's ticks: counted again when limit or group change.
  function ground() {
    const stand = flags(range(0, m.standing)), all = new Uint8Array(m.sites).fill(1);
    const planned = deck.plan ? flags([...range(0, m.standing), ...deck.plan.sites]) : null;
    const counted = (on) => { const count = reach(on, state.limit); return {count, on, ...tally(count, on, state.group)}; };
    shown.today = counted(stand);
    shown.plan = planned && {...counted(planned), owned: owned(planned)};
    shown.all = counted(all);
    state.count = reach(state.on, state.limit);
  }

  function classes() {
    const who = m.people[state.group], out = new Uint8Array(m.cells), {joined} = shown.yours, before = shown.today.count;
    for (let i = 0; i < m.cells; i++) {
      if (!(who[i] > 0)) continue;
      const now = state.count[i] > 0, was = before[i] > 0;
      out[i] = now ? (was ? 1 : 2) : was ? 5 : cut(i, joined) ? 4 : 3;
    }
    return out;
  }

  function recount() {
    const began = performance.now();
    shown.yours = {...tally(state.count, state.on, state.group), owned: owned(state.on)};
    shown.classes = classes();
    shown.gaps = gapsOf(state.count, state.group);
    shown.gains = gains();
    shown.sites = chosen();
    shown.closed = closed();
    shown.money = money(shown.sites);
    shown.planMoney = deck.plan && money(deck.plan.sites);
    shown.counting = performance.now() - began;
    if (painter && painter._map) painter.paint();
    shadeUnits();
    restyle();
    heard.forEach((act) => act(shown));
    shown.took = performance.now() - began;
  }

  function toggle(site, on = !state.on[site]) {
    if (site < m.standing && !deck.switchable) return;
    if (Boolean(state.on[site]) === on) return;
    state.on[site] = on ? 1 : 0;
    add(state.count, site, state.limit, on ? 1 : -1);
    recount();
  }

  function set({sites, off, limit, group}) {
    if (limit !== undefined) state.limit = limit;
    if (group !== undefined) state.group = group;
    if (sites || off) {
      const shut = off || closed();
      state.on = flags([...range(0, m.standing), ...(sites || chosen())]);
      if (deck.switchable) shut.forEach((i) => { state.on[i] = 0; });
    }
    ground();
    recount();
  }

  const planned = () => (deck.plan ? deck.plan.sites : []);
  const reset = () => set({sites: planned(), off: [], limit: deck.start, group: 0});

  // ---- painting

  const Painter = L.Renderer.extend({
    _initContainer() { this._container = document.createElement("canvas"); this._ctx = this._container.getContext("2d"); },
    _destroyContainer() { L.DomUtil.remove(this._container); delete this._container; delete this._ctx; },
    _updatePaths() {},
    _update() {
      if (this._map._animatingZoom && this._bounds) return;
      L.Renderer.prototype._update.call(this);
      const size = this._bounds.getSize(), ratio = Math.min(window.devicePixelRatio || 1, 2), canvas = this._container;
      L.DomUtil.setPosition(canvas, this._bounds.min);
      canvas.width = size.x * ratio;
      canvas.height = size.y * ratio;
      canvas.style.width = `${size.x}px`;
      canvas.style.height = `${size.y}px`;
      this._ratio = ratio;
      this.paint();
      this.fire("update");
    },
    paint() {
      const ctx = this._ctx, canvas = this._container;
      if (!shown.classes) return;
      ctx.setTransform(1, 0, 0, 1, 0, 0);
      ctx.clearRect(0, 0, canvas.width, canvas.height);
      const size = map().options.crs.scale(map().getZoom()), away = map().getPixelOrigin().add(this._bounds.min), r = this._ratio;
      const {cos, sin} = m.turn, w = deck.shape.width / AROUND * size, h = deck.shape.height / AROUND * size;
      const u0 = away.x * cos + away.y * sin, v0 = away.y * cos - away.x * sin, far = Math.hypot(canvas.width, canvas.height) / r + w;
      const even = Math.abs(deck.shape.turn) < 0.002, grow = even ? 0 : 0.35;
      ctx.setTransform(r * cos, r * sin, -r * sin, r * cos, 0, 0);
      for (let kind = 1; kind < COLOURS.length; kind++) {
        ctx.fillStyle = COLOURS[kind];
        for (let i = 0; i < m.cells; i++) {
          if (shown.classes[i] !== kind) continue;
          const u = m.u[i] * size - u0, v = m.v[i] * size - v0;
          if (u < -far || v < -far || u > far || v > far) continue;
          if (!deck.shape.square) {
            ctx.beginPath();
            ctx.arc(u, v, Math.max(w * 0.46, 2.5), 0, 7);
            ctx.fill();
          } else if (even) {
            const x = Math.round((u - w / 2) * r) / r, y = Math.round((v - h / 2) * r) / r;
            ctx.fillRect(x, y, Math.round((u + w / 2) * r) / r - x, Math.round((v + h / 2) * r) / r - y);
          } else ctx.fillRect(u - w / 2 - grow, v - h / 2 - grow, w + 2 * grow, h + 2 * grow);
        }
      }
    },
  });

  const map = () => careshed.map;

  function place() { // where cells lie on the web map, turned so that a grid's rows are level
    const at = kit.points(deck.points), cos = Math.cos(-deck.shape.turn), sin = Math.sin(-deck.shape.turn);
    m.turn = {cos, sin};
    m.at = at;
    m.u = new Float64Array(m.cells);
    m.v = new Float64Array(m.cells);
    m.found = new Map();
    m.step = Math.max(deck.shape.width, deck.shape.height) / AROUND;
    at.forEach(([lat, lng], i) => {
      const s = Math.sin(lat * Math.PI / 180), x = lng / 360 + 0.5, y = 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI);
      m.u[i] = x * cos + y * sin;
      m.v[i] = y * cos - x * sin;
      const key = `${Math.floor(m.u[i] / m.step)},${Math.floor(m.v[i] / m.step)}`;
      if (m.found.has(key)) m.found.get(key).push(i); else m.found.set(key, [i]);
    });
  }

  function cellAt({lat, lng}) {
    const s = Math.sin(lat * Math.PI / 180), x = lng / 360 + 0.5, y = 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI);
    const u = x * m.turn.cos + y * m.turn.sin, v = y * m.turn.cos - x * m.turn.sin;
    const w = deck.shape.width / AROUND / 2, h = deck.shape.height / AROUND / 2;
    for (let du = -1; du < 2; du++) {
      for (let dv = -1; dv < 2; dv++) {
        for (const i of m.found.get(`${Math.floor(u / m.step) + du},${Math.floor(v / m.step) + dv}`) || []) {
          if (Math.abs(m.u[i] - u) <= w && Math.abs(m.v[i] - v) <= h) return i;
        }
      }
    }
    return -1;
  }

  function nearest(cell) {
    if (!m.bySite) { // cells -> their pairs, made when first asked for
      const counts = new Int32Array(m.cells);
      m.cell.forEach((i) => { counts[i]++; });
      const start = starts(counts), next = start.slice(), pair = new Int32Array(m.cell.length);
      for (let at = 0; at < m.cell.length; at++) pair[next[m.cell[at]]++] = at;
      const site = new Int32Array(m.cell.length);
      for (let i = 0; i < m.sites; i++) site.fill(i, m.start[i], m.start[i + 1]);
      m.bySite = {start, pair, site};
    }
    const {start, pair, site} = m.bySite;
    let best = -1;
    for (let at = start[cell]; at < start[cell + 1]; at++) {
      const p = pair[at];
      if (state.on[site[p]] && (best < 0 || m.kind[p] < m.kind[best])) best = p;
    }
    return best < 0 ? null : {site: site[best], limit: m.kind[best]};
  }

  function cellTip(i) {
    const t = careshed.words, kind = shown.classes[i], near = nearest(i), units = deck.above[m.unit[i]];
    const named = ["", t.w_had, t.w_gained, t.w_left, t.unjudged, t.w_lost][kind];
    const far = near
      ? fill(t.w_near, deck.sites.names[near.site], deck.limits[near.limit])
      : fill(t.w_far, deck.limits[deck.limits.length - 1]);
    const texts = [named, fill(t.w_people, round(m.people[state.group][i]), deck.groups[state.group].name)];
    return [...texts, ...(kind === 4 ? [] : [far]), ...(units.length ? [deck.units.names[units[0]]] : [])];
  }

  function node(texts) {
    const made = L.DomUtil.create("div", "tip");
    texts.forEach((text, at) => { L.DomUtil.create(at ? "span" : "b", "", made).textContent = text; });
    return made;
  }

  function hover() {
    const tip = L.tooltip({opacity: 1, direction: "right", offset: [10, 0]});
    let last = -1;
    const leave = () => { if (last >= 0) map().closeTooltip(tip); last = -1; };
    const onCells = (event) => {
      const target = event.originalEvent.target;
      return map().hasLayer(painter) && target instanceof Element && !target.closest("path,.leaflet-interactive,.leaflet-control");
    };
    map().on("mousemove", (event) => {
      const i = onCells(event) ? cellAt(event.latlng) : -1;
      if (i < 0 || !shown.classes[i]) { leave(); return; }
      tip.setLatLng(event.latlng);
      if (i === last) return;
      last = i;
      tip.setContent(node(cellTip(i)));
      map().openTooltip(tip);
    });
    map().on("mouseout", leave);
    map().on("click", (event) => {
      const i = onCells(event) ? cellAt(event.latlng) : -1;
      if (i >= 0 && shown.classes[i]) { leave(); map().openPopup(node(cellTip(i)), event.latlng, {maxWidth: 280}); }
    });
  }

  // ---- units and sites

  function unitTip(unit) {
    const t = careshed.words, {names, levels} = deck.units, all = shown.yours.units, before = shown.today.units;
    const head = `${names[unit]} · ${levels[unit]}`;
    if (!(all.people[unit] > 0)) return [head, t.no_people];
    const texts = [head, fill(t.w_people, round(all.people[unit]), deck.groups[state.group].name)];
    texts.push(`${t.w_today} ${part(before.covered[unit], all.people[unit])} → ${t.w_yours} ${part(all.covered[unit], all.people[unit])}`);
    if (all.unjudged[unit] >= 0.5) texts.push(`${t.unjudged} ${round(all.unjudged[unit])}`);
    return texts;
  }

  const drawn = (act) => deck.units.places.forEach((at, unit) => {
    const layer = at < 0 ? null : data[`units${deck.units.tiers[unit]}`];
    if (layer && layer.classes.length) act(layer, at, unit);
  });

  const bindUnits = () => drawn((layer, at, unit) => Object.defineProperty(layer.tips, at, {get: () => unitTip(unit)}));

  function shadeUnits() {
    const {people: all, covered} = shown.yours.units;
    drawn((layer, at, unit) => { layer.classes[at] = all[unit] > 0 ? Math.min(Math.floor(covered[unit] / all[unit] * 5), 4) : -1; });
    for (const layer of Object.values(choropleths)) if (layer.recolour) layer.recolour();
  }

  function unitBounds(unit) {
    const inside = deck.above.map((units) => units.includes(unit));
    return L.latLngBounds(m.at.filter((_, i) => inside[m.unit[i]]));
  }

  const dots = [];
  function look(i) {
    const on = state.on[i];
    if (i < m.standing) return {radius: 5, weight: on ? 1.8 : 2.4, color: on ? "#fff" : "#1d2730", fillColor: on ? "#1d2730" : "#fff"};
    return {radius: on ? 8 : 5, weight: on ? 2 : 1.8, color: on ? "#fff" : "#7c1f56", fillColor: on ? "#7c1f56" : "#fff"};
  }

  function siteTip(i) {
    const t = careshed.words, s = deck.sites, candidate = i >= m.standing;
    const texts = [s.names[i], [s.where[i], s.kinds[i]].filter(Boolean).join(" · ")];
    if (candidate) texts.push(`${adds(i)}${t.w_comma}${cost(i)}`);
    if (s.apart[i]) texts.push(t.w_unattached);
    if (candidate || deck.switchable) texts.push(candidate ? t.w_tick : t.w_switch);
    return texts.filter(Boolean);
  }

  const adds = (i) => (state.on[i] ? fill(careshed.words.w_loses, `−${round(shown.gains[i])}`) : fill(careshed.words.w_adds, round(shown.gains[i])));
  const cost = (i) => (deck.sites.cost[i] === null ? careshed.words.w_cost_unknown : yuan(deck.sites.cost[i]));

  function sitesLayer(from, to, name, z) {
    const on = kit.svg(name, z), at = kit.points(deck.sites.points.at), group = L.layerGroup();
    let next = 0;
    deck.sites.points.drawn.forEach((here, i) => {
      if (!here) return;
      const spot = at[next++];
      if (i < from || i >= to) return;
      const dot = L.circleMarker(spot, {...on, fillOpacity: 1, ...look(i)});
      dot.bindTooltip(() => node(siteTip(i)), {sticky: true, opacity: 1});
      dot.on("click", (event) => { L.DomEvent.stop(event); toggle(i); });
      dots[i] = dot;
      group.addLayer(dot);
    });
    return group;
  }

  function restyle() {
    dots.forEach((dot, i) => {
      if (dot.was === state.on[i]) return;
      dot.was = state.on[i];
      const {radius, ...style} = look(i);
      dot.setStyle(style).setRadius(radius);
    });
  }

  draw.whatif = (d) => {
    deck = d;
    m = read(d);
    state = {on: flags([...range(0, m.standing), ...planned()]), limit: d.start, group: 0, count: null};
    place();
    kit.pane("state", 285, {opacity: 0.86, idle: true});
    choropleths.state = painter = new Painter({pane: "state", padding: 0.2});
    return L.layerGroup();
  };
  draw.choice = () => sitesLayer(m.standing, m.sites, "choice", 640);
  draw.stand = () => sitesLayer(0, m.standing, "stand", 610);

  finish.push(() => {
    bindUnits();
    hover();
    ground();
    recount();
  });

  // ---- words and numbers, as Python writes them

  const fill = (text, ...values) => {
    let next = 0;
    return text.replace(/\{(\w*)\}/g, (_, name) => (name ? values[0][name] : values[next++]));
  };

  const even = (value) => { // round half to even
    const low = Math.floor(value), over = value - low;
    return over > 0.5 || (over === 0.5 && low % 2) ? low + 1 : low;
  };
  const parts = (whole, values) => { // careshed.words.whole_parts
    const floors = values.map((value) => Math.floor(Math.max(value, 0)));
    const rest = values.map((value, i) => Math.round((value - floors[i]) * 1000));
    const up = rest.map((_, i) => i).sort((a, b) => rest[b] - rest[a] || a - b);
    return floors.map((value, i) => value + (up.indexOf(i) < even(whole) - floors.reduce((a, b) => a + b, 0)));
  };
  const ledParts = (whole, values) => { // careshed.words.led_parts
    const left = values.slice(1).reduce((sum, value) => sum + Math.floor(Math.max(value, 0)), 0);
    const lead = Math.min(even(Math.max(values[0], 0)), even(whole) - left);
    return [lead, ...parts(even(whole) - lead, values.slice(1))];
  };
  const commas = (digits) => digits.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  const round = (value) => commas(String(even(value)));

  function part(some, all) { // "{:.1%}"
    if (!(all > 0)) return "–";
    const percent = some / all * 100, quarter = percent * 4;
    const tie = quarter === Math.floor(quarter) && quarter % 2 !== 0;
    return `${(tie ? even(percent * 10) / 10 : percent).toFixed(1)}%`;
  }

  function yuan(value) { // careshed.siting.planning.wording.yuan_text
    const zh = document.documentElement.lang.startsWith("zh"), per = zh ? 1e4 : 1e6;
    return Math.abs(value) < per ? `${round(value)} ${careshed.words.w_yuan}` : `${amount(value)} ${careshed.words.w_million}`;
  }

  function amount(value) { // in 10,000 or million yuan, to the yuan
    const zh = document.documentElement.lang.startsWith("zh");
    const [high, low] = (value / (zh ? 1e4 : 1e6)).toFixed(zh ? 4 : 6).replace(/\.?0+$/, "").split(".");
    return `${commas(high)}${low ? `.${low}` : ""}`;
  }

  careshed.whatif = {
    toggle, set, reset, planned, recount, shown, gapsOf, parts, ledParts, even, round, part, yuan, amount, fill, adds, cost, cellAt, cellTip,
    onRecount: (act) => heard.push(act),
    get deck() { return deck; }, get state() { return state; }, get model() { return m; }, get painter() { return painter; },
    dots, unitBounds,
  };
})();
