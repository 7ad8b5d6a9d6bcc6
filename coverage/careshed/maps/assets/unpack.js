"use strict";
// Unpacks what careshed.maps.encode packs: whole numbers as varints in base64, long ones deflated (RFC 1951) with a leading "~".
const unpack = (() => {
  const STEP = 1e-5; // degrees; encode.STEP_DEG
  const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]; // RFC 1951, 3.2.7
  const ladder = (start, first, step) => { // bases and extra bits of lengths and distances, RFC 1951, 3.2.5
    const base = [], extra = [];
    for (let k = 0, at = start; k < 30; k++) {
      extra.push(k < first ? 0 : Math.floor((k - first) / step) + 1);
      base.push(at);
      at += 2 ** extra[k];
    }
    return {base, extra};
  };
  const LENGTHS = ladder(3, 8, 4), FAR = ladder(1, 4, 2);
  LENGTHS.base[28] = 258;
  LENGTHS.extra[28] = 0;

  // All codes of a table side by side: symbol and length are read off the next bits at once.
  function table(sizes) {
    const top = Math.max(1, ...sizes), next = [0, 0], found = new Uint16Array(1 << top);
    for (let size = 1; size < top; size++) next[size + 1] = (next[size] + sizes.filter((one) => one === size).length) << 1;
    sizes.forEach((size, symbol) => {
      if (!size) return;
      let code = next[size]++, turned = 0;
      for (let bit = 0; bit < size; bit++, code >>= 1) turned = turned << 1 | code & 1;
      for (; turned < found.length; turned += 1 << size) found[turned] = symbol << 4 | size;
    });
    return {found, mask: found.length - 1, top};
  }

  const fixed = () => [
    table(Array.from({length: 288}, (_, symbol) => symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8)),
    table(new Array(30).fill(5)),
  ];

  function inflate(source) {
    let out = new Uint8Array(source.length * 5 + 64), n = 0, at = 0, held = 0, many = 0;
    const room = (more) => {
      if (n + more <= out.length) return;
      const wider = new Uint8Array((n + more) * 2);
      wider.set(out);
      out = wider;
    };
    const fill = (wanted) => { while (many < wanted) { held |= (source[at++] || 0) << many; many += 8; } };
    const drop = (size) => { held >>>= size; many -= size; };
    const bits = (size) => {
      fill(size);
      const value = held & (1 << size) - 1;
      drop(size);
      return value;
    };
    const symbol = (codes) => {
      fill(codes.top);
      const entry = codes.found[held & codes.mask];
      drop(entry & 15);
      return entry >> 4;
    };
    const dynamic = () => {
      const literals = bits(5) + 257, distances = bits(5) + 1, given = bits(4) + 4, own = new Array(19).fill(0), sizes = [];
      for (let k = 0; k < given; k++) own[ORDER[k]] = bits(3);
      const codes = table(own);
      while (sizes.length < literals + distances) {
        const one = symbol(codes);
        if (one < 16) { sizes.push(one); continue; }
        const value = one === 16 ? sizes[sizes.length - 1] : 0;
        for (let k = one === 16 ? bits(2) + 3 : one === 17 ? bits(3) + 3 : bits(7) + 11; k > 0; k--) sizes.push(value);
      }
      return [table(sizes.slice(0, literals)), table(sizes.slice(literals))];
    };
    for (let last = 0; !last;) {
      last = bits(1);
      const kind = bits(2);
      if (kind === 0) {
        drop(many & 7);
        const size = bits(16);
        bits(16);
        room(size);
        for (let k = 0; k < size; k++) out[n++] = bits(8);
        continue;
      }
      const [literal, far] = kind === 1 ? fixed() : dynamic();
      for (let one = symbol(literal); one !== 256; one = symbol(literal)) {
        room(258);
        if (one < 256) { out[n++] = one; continue; }
        let size = LENGTHS.base[one - 257] + bits(LENGTHS.extra[one - 257]);
        const code = symbol(far);
        for (let from = n - FAR.base[code] - bits(FAR.extra[code]); size > 0; size--) out[n++] = out[from++];
      }
    }
    return out.subarray(0, n);
  }

  function bytesOf(text) {
    const deflated = text.charAt(0) === "~", raw = atob(deflated ? text.slice(1) : text), bytes = new Uint8Array(raw.length);
    for (let k = 0; k < raw.length; k++) bytes[k] = raw.charCodeAt(k);
    return deflated ? inflate(bytes) : bytes;
  }

  function numbers(text) {
    const bytes = bytesOf(text);
    let many = 0, next = 0;
    for (let k = 0; k < bytes.length; k++) if (bytes[k] < 128) many++;
    const out = new Float64Array(many);
    for (let at = 0; at < bytes.length;) {
      let value = 0, scale = 1, byte;
      do { byte = bytes[at++]; value += (byte & 127) * scale; scale *= 128; } while (byte & 128);
      out[next++] = value % 2 ? -(value + 1) / 2 : value / 2;
    }
    return out;
  }

  const ints = (text) => Array.from(numbers(text));

  function lines(block) {
    const steps = numbers(block.d);
    let x = 0, y = 0, at = 0;
    return ints(block.n).map((n) => {
      const line = new Array(n);
      for (let k = 0; k < n; k++) {
        x += steps[at++]; y += steps[at++];
        line[k] = [y * STEP, x * STEP];
      }
      return line;
    });
  }

  function areas(block) {
    const rings = lines(block);
    let at = 0;
    return ints(block.r).map((n) => rings.slice(at, at += n));
  }

  return {STEP, inflate, numbers, ints, lines, areas, points: (block) => lines(block).map((line) => line[0])};
})();
