/** Scales and axes of pictures. */

import { svg } from "./dom.js";

/**
 * Return a scale {at(value) → pixels, ticks, clamp(value)}. `kind`: "linear", "log2" or "log10"; `domain`:
 * [least, most] of the values; `range`: pixels; `most`: ticks at most; `unit`: what linear ticks are round in.
 */
export function scale(kind, [low, high], [from, to], most = 8, unit = 1) {
  const turn = { linear: (value) => value, log2: Math.log2, log10: Math.log10 }[kind];
  const [begin, end] = [turn(low), turn(high === low ? low + 1 : high)];
  const at = (value) => from + ((turn(value) - begin) / (end - begin)) * (to - from);
  const clamp = (value) => Math.min(Math.max(value, low), high);
  const ticks = kind === "linear" ? evenTicks(low, high, most, unit) : powerTicks(kind === "log2" ? 2 : 10, begin, end, most);
  return { at, ticks, clamp, domain: [low, high] };
}

function evenTicks(low, high, most, unit) {
  const rough = (high - low || unit) / unit / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const ticks = [];
  const wide = step * unit;
  for (let tick = Math.ceil(low / wide); tick * wide <= high * (1 + 1e-9); tick += 1) ticks.push(tick * wide);
  return ticks;
}

function powerTicks(base, begin, end, most) {
  const first = Math.ceil(begin - 1e-9);
  const last = Math.floor(end + 1e-9);
  if (base === 10 && last - first < 2) {
    const parts = (ones) => ones.flatMap((one) => [first - 1, first, last].map((power) => one * 10 ** power));
    const inside = (one) => Math.log10(one) >= begin - 1e-9 && Math.log10(one) <= end + 1e-9;
    const choices = [[1, 2, 5], [1, 3], [1]].map((ones) => [...new Set(parts(ones))].filter(inside));
    return (choices.find((one) => one.length <= most) ?? choices[2]).sort((left, right) => left - right);
  }
  const step = Math.max(1, Math.ceil((last - first + 1) / most));
  const ticks = [];
  for (let power = first; power <= last; power += step) ticks.push(base ** power);
  return ticks;
}

/**
 * Return the frame of a plot: {root, plot, x, y, width, height}. `x`, `y` of the options: {kind, domain, label, format}.
 * The drawing goes into `plot`, the title and description are for those who do not see it.
 */
export function frame({ width, height, x, y, title, description, legend = [], square = false }) {
  const top = 26 + legendHeight(legend, width);
  const left = 12 + 7.4 * Math.max(...scale(y.kind, y.domain, [0, 1], 6, y.unit).ticks.map((tick) => y.format(tick).length), 3);
  const inner = { left, right: width - 20, top, bottom: height - 40 };
  const across = scale(x.kind, x.domain, [inner.left, inner.right], Math.max(2, Math.floor((inner.right - left) / 62)), x.unit);
  const up = scale(y.kind, y.domain, [inner.bottom, inner.top], 6, y.unit);
  const root = picture(width, height, title, description);
  const axes = svg("g", { class: "axes" });
  for (const tick of up.ticks) {
    axes.append(svg("line", { class: "grid", x1: inner.left, x2: inner.right, y1: up.at(tick), y2: up.at(tick) }),
      svg("text", { x: inner.left - 6, y: up.at(tick), "text-anchor": "end", "dominant-baseline": "middle" }, y.format(tick)));
  }
  for (const tick of across.ticks) {
    axes.append(svg("line", { class: "tick", x1: across.at(tick), x2: across.at(tick), y1: inner.bottom, y2: inner.bottom + 5 }),
      svg("text", { x: across.at(tick), y: inner.bottom + 18, "text-anchor": "middle" }, x.format(tick)));
  }
  axes.append(svg("line", { class: "axis", x1: inner.left, x2: inner.right, y1: inner.bottom, y2: inner.bottom }),
    svg("text", { class: "label", x: inner.right, y: height - 6, "text-anchor": "end" }, x.label),
    svg("text", { class: "label", x: 2, y: top - 10 }, y.label));
  const plot = svg("g", { class: "plot" });
  root.append(axes, legendOf(legend, width, square), plot);
  return { root, plot, x: across, y: up, inner };
}

/** Return an empty picture that says what it shows. */
export function picture(width, height, title, description = "") {
  return svg("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, width, height, role: "img",
    "aria-label": description ? `${title}. ${description}` : title });
}

const entryWidth = (name) => 34 + 7 * name.length;

function legendRows(entries, width) {
  const rows = [];
  let used = Infinity;
  for (const entry of entries) {
    const wide = entryWidth(entry.name);
    if (used + wide > width) { rows.push([]); used = 0; }
    rows[rows.length - 1].push({ ...entry, at: used });
    used += wide;
  }
  return rows;
}

/** Return the pixels that a legend takes: entries are {name, mark}; `mark`: classes of the sample. */
export const legendHeight = (entries, width) => 20 * legendRows(entries, width).length;

/** Return a legend that wraps. Samples are lines, or squares where `square` is set. */
export function legendOf(entries, width, square = false) {
  return svg("g", { class: "legend" }, legendRows(entries, width).flatMap((row, down) => row.flatMap((entry) => {
    const y = 10 + 20 * down;
    const sample = square
      ? svg("rect", { class: entry.mark, x: entry.at + 2, y: y - 6, width: 14, height: 12 })
      : svg("line", { class: `line ${entry.mark}`, x1: entry.at + 2, x2: entry.at + 24, y1: y, y2: y });
    return [sample, svg("text", { x: entry.at + (square ? 21 : 29), y, "dominant-baseline": "middle" }, entry.name)];
  })));
}
