// Connects the panel of the what-if page: controls, lists to tick, tables, what is proven, and saving the choice.
(() => {
  const {finish, kit} = careshed;
  const SHOWN_GAPS = 8, MOST_NAMES = 12;
  const DANGEROUS = /^[=+\-@\t\r]/; // a spreadsheet takes text that begins so for a formula
  const w = careshed.whatif, {shown, round, part, yuan, fill} = w;
  const by = (id) => document.getElementById(id);
  const put = (node, text) => { if (node && node.textContent !== text) node.textContent = text; };
  const made = (name, parent, text, className) => {
    const node = L.DomUtil.create(name, className || "", parent);
    if (text !== undefined) node.textContent = text;
    return node;
  };
  let t, deck;
  const rows = new Map(); // site -> its row in a list

  // ---- lists to tick

  function row(site, list) {
    const item = made("li", list), label = made("label", item), box = made("input", label), what = made("span", label, undefined, "what");
    box.type = "checkbox";
    box.dataset.site = deck.sites.ids[site];
    made("b", what, deck.sites.names[site]);
    made("small", what, [deck.sites.where[site], deck.sites.kinds[site]].filter(Boolean).join(" · "));
    const gain = made("span", label, undefined, "gain"), told = {item, box, number: made("b", gain), cost: made("small", gain)};
    box.addEventListener("change", () => w.toggle(site, box.checked));
    item.addEventListener("mouseenter", () => light(site, true));
    item.addEventListener("mouseleave", () => light(site, false));
    told.text = `${deck.sites.ids[site]} ${deck.sites.names[site]} ${deck.sites.where[site]} ${deck.sites.kinds[site]}`.toLowerCase();
    rows.set(site, told);
    return told;
  }

  function light(site, on) {
    const dot = w.dots[site];
    if (!dot) return;
    if (on) { dot.bringToFront().openTooltip(); } else dot.closeTooltip();
  }

  function lists() {
    const standing = deck.standing, all = deck.sites.ids.length;
    for (let i = standing; i < all; i++) row(i, by("w_options")).cost.textContent = deck.sites.apart[i] ? t.w_unattached : w.cost(i);
    for (let i = 0; i < standing; i++) {
      const made = row(i, by("w_standing"));
      made.box.disabled = !deck.switchable;
      if (deck.sites.apart[i]) made.cost.textContent = t.w_unattached;
    }
    by("w_find").addEventListener("input", filter);
    by("w_only").addEventListener("change", filter);
    by("w_sort").addEventListener("change", sort);
  }

  function filter() {
    const words = by("w_find").value.trim().toLowerCase().split(/\s+/), only = by("w_only").checked;
    for (let i = deck.standing; i < deck.sites.ids.length; i++) {
      const {item, text} = rows.get(i);
      item.hidden = !words.every((word) => text.includes(word)) || (only && !w.state.on[i]);
    }
  }

  // Sorted when asked, not at every tick: rows must not run away from the hand.
  function sort() {
    const order = Array.from({length: deck.sites.ids.length - deck.standing}, (_, i) => i + deck.standing);
    if (by("w_sort").value === "gain") order.sort((a, b) => w.state.on[b] - w.state.on[a] || shown.gains[b] - shown.gains[a] || a - b);
    by("w_options").append(...order.map((i) => rows.get(i).item));
  }

  function ticks() {
    const {on} = w.state;
    rows.forEach((row, site) => { // 500 rows: touch only what changed
      const stands = site < deck.standing, now = Boolean(on[site]);
      const told = !stands ? w.adds(site) : now && deck.switchable ? `−${round(shown.gains[site])}` : "";
      if (row.told !== told) row.number.textContent = row.told = told;
      if (row.was !== now) {
        row.was = row.box.checked = now;
        row.item.classList.toggle("on", now);
      }
    });
    put(by("w_count"), `${shown.sites.length} / ${deck.sites.ids.length - deck.standing}`);
    put(by("w_open"), `${deck.standing - shown.closed.length} / ${deck.standing}`);
    if (by("w_only").checked) filter();
  }

  // ---- head and comparison

  const percent = (one) => part(one.covered, one.people);

  function head() {
    const {yours, today} = shown;
    const [covered, missed, unjudged] = w.ledParts(yours.people, [yours.covered, yours.people - yours.covered - yours.unjudged, yours.unjudged]);
    put(document.querySelector("#head .figure"), percent(yours));
    const classes = shown.classes, who = w.model.people[w.state.group], sums = new Float64Array(6);
    classes.forEach((kind, i) => { sums[kind] += who[i]; });
    const had = Math.min(w.even(sums[1]), covered), lost = Math.min(w.even(sums[5]), missed);
    const parts = [["had", t.w_had, had], ["gained", t.w_gained, covered - had], ["lost", t.w_lost, lost], ["left", t.w_left, missed - lost], ["unjudged", t.unjudged, unjudged]]
      .filter(([, , n]) => n); // careshed.maps.facts.effect_parts
    const bar = document.querySelector("#head .split"), key = document.querySelector("#head .splitkey");
    bar.textContent = key.textContent = "";
    for (const [kind, label, n] of parts) {
      made("i", bar, undefined, kind).style.flexGrow = n / yours.people;
      const item = made("li", key);
      made("i", item, undefined, kind);
      item.append(label, " ");
      made("b", item, round(n));
    }
    const n = shown.sites.length, with_ = n ? fill(n > 1 ? t.w_with : t.w_with_one, n) : t.w_without;
    const sentence = fill(t.w_sentence, {
      n: `${with_}${shown.closed.length ? fill(t.w_off, shown.closed.length) : ""}${t.w_comma}`, limit: limit(), share: percent(yours),
      whole: round(yours.people), who: deck.groups[w.state.group].name, covered: round(covered), before: percent(today),
      missed: round(missed), unjudged: unjudged ? fill(t.w_unjudged, round(unjudged)) : "",
    });
    put(document.querySelector("#head .sentence"), sentence);
    put(by("w_spoken"), sentence);
  }

  const limit = (at = w.state.limit) => String(deck.limits[at]);

  function versus() {
    const cells = (id, texts) => [...by(id).querySelectorAll("td")].forEach((cell, i) => {
      const [strong, small] = texts[i];
      put(cell.firstElementChild || made("b", cell), strong);
      put(cell.children[1] || made("small", cell), small || "");
    });
    const unknown = (told) => (told.unknown ? fill(t.w_unknown_cost, told.unknown).replace(/^[，,]\s*/, "") : "");
    const line = (one, n, told) => [[String(n)], [percent(one), round(one.covered)], [w.amount(told.cost), unknown(told)], [w.amount(told.net)]];
    cells("w_row_yours", line(shown.yours, shown.sites.length, shown.money));
    if (deck.plan) cells("w_row_plan", line(shown.plan, deck.plan.sites.length, shown.planMoney));
    cells("w_row_today", [["–"], [percent(shown.today), round(shown.today.covered)], ["–"], ["–"]]);
    const off = shown.closed.map((i) => deck.sites.names[i]), more = off.length > MOST_NAMES ? " …" : "";
    by("w_off_told").hidden = !off.length;
    put(by("w_off_told"), `${fill(t.w_off_told, off.length)}${off.slice(0, MOST_NAMES).join(t.w_and)}${more}`);
    put(by("w_bound"), bound().text);
    by("w_bound").classList.toggle("moot", !bound().holds);
    const all = shown.all, many = deck.sites.ids.length - deck.standing;
    put(by("w_ceiling"), fill(t.w_ceiling, {n: many, share: percent(all), people: round(all.covered)}));
  }

  // What was proven holds for the plan's own question: its group, limit, number, rules and money, with every facility open.
  function bound() {
    const plan = deck.plan, {yours, sites} = shown;
    if (!plan) return {holds: false, text: t.w_no_plan};
    const told = part(plan.bound, plan.people), asked = deck.groups.find((one) => one.id === plan.group);
    const not = (key, values) => ({holds: false, text: fill(t[key], {bound: told, ...values})});
    if (plan.minutes === null || deck.groups[w.state.group].id !== plan.group || deck.limits[w.state.limit] !== plan.minutes) {
      return not("w_not_here", {group: asked ? asked.name : plan.group, limit: plan.minutes === null ? "–" : plan.minutes});
    }
    if (shown.closed.length) return not("w_not_closed", {n: shown.closed.length});
    if (sites.length > plan.asked) return not("w_not_many", {k: plan.asked, n: sites.length});
    const without = plan.units.filter((unit) => !yours.owned[unit]).length;
    if (without > plan.left) return not("w_not_rules", {rule: fill(t.w_rule, plan.levels), n: without, m: plan.left});
    if (plan.budget !== null && (shown.money.unknown || shown.money.cost > plan.budget)) return not("w_not_money", {budget: yuan(plan.budget)});
    const values = {yours: percent(yours), n: sites.length, plan: part(plan.value, plan.people), m: plan.sites.length, k: plan.asked, bound: told};
    return {holds: true, text: fill(plan.units.length || plan.budget !== null ? t.w_bound_rules : t.w_bound, values)};
  }

  // ---- units and gaps

  function units() {
    const table = by("w_units");
    if (!table) return;
    const body = table.tBodies[0], tier = Number(table.dataset.tier), {yours, today} = shown;
    if (!body.rows.length) {
      deck.units.tiers.forEach((mine, unit) => {
        if (mine !== tier) return;
        const line = made("tr", body), name = made("th", line);
        name.scope = "row";
        line.dataset.unit = unit;
        const button = made("button", name, deck.units.names[unit]);
        button.type = "button";
        button.addEventListener("click", () => fly(w.unitBounds(unit).pad(0.1)));
        for (let i = 0; i < 4; i++) made("td", line);
      });
    }
    for (const line of body.rows) {
      const unit = Number(line.dataset.unit), all = yours.units.people[unit], now = yours.units.covered[unit], was = today.units.covered[unit];
      const gain = now - was, n = yours.owned[unit];
      line.hidden = !(all > 0);
      put(line.cells[1], part(was, all));
      put(line.cells[2].firstChild || made("b", line.cells[2]), part(now, all));
      put(line.cells[3], Math.abs(gain) < 0.5 ? "–" : gain > 0 ? `+${round(gain)}` : `−${round(-gain)}`);
      line.cells[3].className = gain < 0 ? "lose" : "gain";
      put(line.cells[4], n ? `✓ ${n}` : "✗");
      line.cells[4].className = n ? "has" : "lacks";
    }
  }

  function fly(bounds) {
    const options = {maxZoom: 15.5, ...(kit.still() ? {animate: false} : {duration: 0.8})};
    if (kit.still()) careshed.map.fitBounds(bounds, options); else careshed.map.flyToBounds(bounds, options);
    if (innerWidth <= 820) by("stage").scrollIntoView({behavior: kit.still() ? "auto" : "smooth"});
  }

  function gaps() {
    const list = by("w_gaps"), all = shown.gaps, most = all.slice(0, SHOWN_GAPS);
    put(by("w_gaps_told"), all.length ? fill(t.w_gaps_shown, round(all.length), round(all.reduce((sum, gap) => sum + gap.people, 0)), most.length) : t.w_gaps_none);
    while (list.children.length > most.length) list.lastElementChild.remove();
    most.forEach((gap, i) => {
      const item = list.children[i] || made("li", list), button = item.firstElementChild || made("button", item);
      if (!button.children.length) {
        button.type = "button";
        const what = made("span", button, undefined, "what");
        made("b", what); made("small", what);
        made("b", made("span", button, undefined, "gain"));
      }
      const units = deck.above[w.model.unit[most_(gap)]];
      const n = new Set(gap.cells.map((cell) => deck.above[w.model.unit[cell]][0])).size, name = units.length ? deck.units.names[units[0]] : "–";
      put(button.children[0].children[0], units.length && n > 1 ? fill(t.w_span, {name, n}) : name);
      put(button.children[0].children[1], fill(t.w_cells, round(gap.cells.length)));
      put(button.children[1].firstElementChild, fill(t.people_n, round(gap.people)));
      button.onclick = () => fly(L.latLngBounds(gap.cells.map((cell) => w.model.at[cell])).pad(0.4));
    });
  }

  function most_(gap) { // the cell that stands for the unit with most of a gap's people
    const sums = new Map(), who = w.model.people[w.state.group];
    gap.cells.forEach((i) => sums.set(w.model.unit[i], (sums.get(w.model.unit[i]) || 0) + who[i]));
    const [best] = [...sums].reduce((a, b) => (b[1] > a[1] ? b : a));
    return gap.cells.find((i) => w.model.unit[i] === best);
  }

  // ---- controls

  function controls() {
    const slider = by("w_limit"), group = by("w_group");
    slider.addEventListener("input", () => w.set({limit: Number(slider.value)}));
    document.querySelectorAll("[data-limit]").forEach((button) => button.addEventListener("click", () => w.set({limit: Number(button.dataset.limit)})));
    if (group) {
      deck.groups.forEach((one, i) => { made("option", group, one.name).value = i; });
      group.addEventListener("change", () => w.set({group: Number(group.value)}));
    }
    if (by("w_take")) by("w_take").addEventListener("click", () => w.set({sites: w.planned(), off: []}));
    by("w_none").addEventListener("click", () => w.set({sites: []}));
    by("w_reset").addEventListener("click", () => { w.reset(); by("w_find").value = ""; by("w_only").checked = false; filter(); });
  }

  function told() {
    const slider = by("w_limit"), text = fill(t.w_minutes, limit());
    slider.value = w.state.limit;
    slider.setAttribute("aria-valuetext", text);
    put(by("w_limit_told"), text);
    document.querySelectorAll("[data-limit]").forEach((button) => button.setAttribute("aria-pressed", String(Number(button.dataset.limit) === w.state.limit)));
    if (by("w_group")) by("w_group").value = w.state.group;
  }

  // ---- saving

  const ids = (sites) => sites.map((i) => deck.sites.ids[i]);
  const plain = (text) => text.replace(/[^\w-]+/g, "_");

  function asJson() {
    const group = deck.groups[w.state.group].id, {yours} = shown;
    const told = {careshed: "site list", study: deck.name, service: deck.service, minutes: deck.limits[w.state.limit], group, sites: ids(shown.sites), closed: ids(shown.closed), covered: yours.covered, people: yours.people};
    return `${JSON.stringify(told, null, 1)}\n`;
  }

  function asCsv() {
    const quoted = (value) => {
      const text = value === null ? "" : DANGEROUS.test(value) ? `'${value}` : String(value);
      return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
    };
    const line = (i, use) => [deck.sites.ids[i], use, deck.sites.names[i], deck.sites.where[i], deck.sites.cost[i], deck.sites.net[i], deck.service, String(deck.limits[w.state.limit]), deck.groups[w.state.group].id];
    const heads = [t.w_id, t.w_use, t.w_name, t.w_unit, t.w_cost_head, t.w_net_head, t.w_service_head, t.w_minutes_head, t.w_group_head];
    const all = [heads, ...shown.sites.map((i) => line(i, t.w_new)), ...shown.closed.map((i) => line(i, t.w_closed))];
    return `\ufeff${all.map((values) => values.map(quoted).join(",")).join("\r\n")}\r\n`;
  }

  const asToml = () => `forced = [${ids(shown.sites).map((id) => JSON.stringify(id)).join(", ")}]`;

  function save(name, kind, text) {
    const link = document.createElement("a"), address = URL.createObjectURL(new Blob([text], {type: `${kind};charset=utf-8`}));
    Object.assign(link, {href: address, download: name});
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
    put(by("w_said"), fill(t.w_saved, name));
  }

  function copy(text) {
    const box = by("w_text"), had = document.activeElement;
    box.value = text;
    box.select();
    const done = document.execCommand("copy"); // also where a page from disk may not use navigator.clipboard
    had.focus();
    put(by("w_said"), done ? fill(t.w_copied, shown.sites.length) : t.w_copy_failed);
  }

  function saving() {
    const name = `${plain(deck.service)}_choice`;
    by("w_csv").addEventListener("click", () => save(`${name}.csv`, "text/csv", asCsv()));
    by("w_json").addEventListener("click", () => save(`${name}.json`, "application/json", asJson()));
    by("w_copy").addEventListener("click", () => copy(ids(shown.sites).join("\n")));
    by("w_toml").addEventListener("click", () => copy(asToml()));
    put(by("w_command"), `careshed evaluate-sites ${deck.study} ${name}.csv -s ${deck.service}`);
  }

  function refresh() {
    told();
    head();
    versus();
    ticks();
    units();
    gaps();
    const text = ids(shown.sites).join("\n");
    if (by("w_text").value !== text) by("w_text").value = text;
  }

  Object.assign(w, {asCsv, asJson, asToml, bound});
  let ready = false;
  w.onRecount(() => {
    if (!ready) {
      ready = true;
      t = careshed.words;
      deck = w.deck;
      lists();
      controls();
      saving();
    }
    refresh();
  });
  finish.push(() => {
    sort();
    addEventListener("beforeprint", () => document.querySelectorAll(".ticks details").forEach((one) => { one.open = false; }));
  });
})();
