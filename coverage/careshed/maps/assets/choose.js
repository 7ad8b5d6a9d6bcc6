// Lets the reader choose group and limit: units, population and one line of figures follow, without anything being drawn anew.
(() => {
  const {draw, choropleths, data, finish} = careshed;
  draw.shares = () => null;

  const thousands = new Intl.NumberFormat("en-US"), count = (number) => thousands.format(number);
  const percent = (thousandths) => thousandths < 0 ? "–" : `${(thousandths / 10).toFixed(1)}%`;
  const fill = (text, named) => text.replace(/\{(\w+)\}/g, (whole, name) => name in named ? named[name] : whole);
  const tables = {};

  function numbers(tier) {
    if (!tables[tier]) {
      tables[tier] = {};
      for (const [field, text] of Object.entries(data.shares.tiers[tier])) tables[tier][field] = unpack.numbers(text);
    }
    return tables[tier];
  }

  function colour(tier, pair, who, limit) {
    const layer = data[`units${tier}`], table = numbers(tier), first = pair * layer.names.length, {words} = careshed;
    layer.names.forEach((_, i) => {
      const [people, covered, unjudged, share, high, kind] = ["people", "covered", "unjudged", "share", "high", "kind"].map((field) => table[field][first + i]);
      layer.classes[i] = kind;
      layer.tips[i] = [layer.tips[i][0]];
      if (kind < 0) { layer.tips[i].push(words.no_people); return; }
      layer.tips[i].push(fill(words.unit_reached, {limit, covered: count(covered), people: count(people), who, part: percent(share)}));
      if (unjudged) layer.tips[i].push(fill(words.unit_unjudged, {unjudged: count(unjudged), low: percent(share), high: percent(high)}));
    });
    choropleths[tier].recolour();
  }

  finish.push(() => {
    const who = document.getElementById("who"), within = document.getElementById("within"), line = document.getElementById("chosen");
    if (!who || !data.shares) return;
    const {groups, limits, all, tiers, first} = data.shares;
    let shown = first[0] * limits.length + first[1]; // what the page was written with
    const settle = () => {
      const g = Number(who.value), l = Number(within.value), pair = g * limits.length + l, [people, covered, share] = all[pair];
      if (pair !== shown) {
        for (const tier of Object.keys(tiers)) if (choropleths[tier]) colour(tier, pair, groups[g][1], limits[l]);
        careshed.cells.choose(groups[g][0]);
        shown = pair;
      }
      line.textContent = fill(careshed.words.chosen, {who: groups[g][1], limit: limits[l], covered: count(covered), people: count(people), part: percent(share)});
    };
    who.addEventListener("change", settle);
    within.addEventListener("change", settle);
    settle();
  });
})();
