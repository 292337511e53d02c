/**
 * Pictures: each function returns an SVG element of the width that is given.
 *
 * Colours are the classes c0 … c7 (style.css), told apart by lightness and dash as well; numbers stand beside marks.
 * `fitted(draw)` keeps a picture as wide as the page: it calls `draw(width)` again when that changes.
 */

import { h, svg } from "./dom.js";
import { frame, legendHeight, legendOf, picture } from "./scales.js";

const observed = new WeakMap();
const observer = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    if (target.isConnected) observed.get(target)?.(contentRect.width);
    else observer.unobserve(target);
  }
});

/** Return a place that holds `draw(width)` and draws again where its width changes. */
export function fitted(draw) {
  const place = h("div", { class: "picture" });
  let drawn = 0;
  observed.set(place, (width) => {
    const wide = Math.max(280, Math.floor(width));
    if (Math.abs(wide - drawn) < 2) return;
    drawn = wide;
    place.replaceChildren(draw(wide));
  });
  observer.observe(place);
  return place;
}

/**
 * Stacked bars, one below the other. `bars`: [{label, parts: [{name, value}], limits: [{value, label}]}];
 * `format(value)` writes numbers. A limit is a line across its bar, such as a device's memory.
 */
export function stackedBars({ width, bars, format, title }) {
  const names = [...new Set(bars.flatMap((bar) => bar.parts.map((part) => part.name)))];
  const classes = new Map(names.map((name, place) => [name, `c${place % 8}`]));
  const legend = names.map((name) => ({ name, mark: classes.get(name) }));
  const most = Math.max(...bars.flatMap((bar) => [sum(bar.parts), ...(bar.limits ?? []).map((one) => one.value)])) * 1.02 || 1;
  const top = legendHeight(legend, width) + 8;
  const height = top + bars.reduce((total, bar) => total + barHeight(bar), 0);
  const root = picture(width, height, title, bars.map((bar) => `${bar.label}: ${bar.parts
    .map((part) => `${part.name} ${format(part.value)}`).join(", ")}`).join("; "));
  root.append(legendOf(legend, width, true));
  let y = top;
  for (const bar of bars) {
    root.append(drawnBar(bar, y, width, most, classes, format));
    y += barHeight(bar);
  }
  return root;
}

const sum = (parts) => parts.reduce((total, part) => total + part.value, 0);
const barHeight = (bar) => 60 + 16 * (bar.limits ?? []).length;

function drawnBar({ label, parts, limits = [] }, top, width, most, classes, format) {
  const at = (value) => (value / most) * (width - 2) + 1;
  const group = svg("g", { class: "bar" }, svg("text", { class: "strong", x: 1, y: top + 12 }, `${label}: ${format(sum(parts))}`));
  let begin = 0;
  for (const part of parts) {
    const [left, right] = [at(begin), at(begin + part.value)];
    const text = format(part.value);
    group.append(svg("rect", { class: classes.get(part.name), x: left, y: top + 20, width: Math.max(0, right - left), height: 26 },
      svg("title", {}, `${part.name}: ${text}`)));
    if (right - left > 7.5 * text.length + 6) {
      group.append(svg("text", { class: `on-${classes.get(part.name)}`, x: (left + right) / 2, y: top + 33,
        "text-anchor": "middle", "dominant-baseline": "middle" }, text));
    }
    begin += part.value;
  }
  limits.forEach((limit, place) => {
    const x = at(limit.value);
    const anchor = x > width / 2 ? "end" : "start";
    group.append(svg("line", { class: "limit", x1: x, x2: x, y1: top + 16, y2: top + 54 + 16 * place }),
      svg("text", { x: anchor === "end" ? x - 4 : x + 4, y: top + 60 + 16 * place, "text-anchor": anchor }, limit.label));
  });
  return group;
}

/**
 * Lines. `series`: [{name, points: [[x, y], …], className?}]; `levels`: horizontal lines [{value, label}];
 * `uprights`: vertical lines [{value, label}]; `bands`: [{from, to, label}] between two x; `marks`: points with a
 * text [{x, y, label}]; `x`, `y`: {kind, label, format, domain?, unit?}; `unit`: what linear ticks
 * are round in, such as GIB.
 */
export function lines({ width, height = 320, series, levels = [], uprights = [], bands = [], marks = [], x, y, title }) {
  const points = series.flatMap((one) => one.points);
  const domain = (place, extra, axis) => axis.domain ?? extent([...points.map((point) => point[place]), ...extra], axis.kind);
  const legend = series.filter((one) => one.name).map((one, place) => ({ name: one.name, mark: one.className ?? `c${place} d${place}` }));
  const drawn = frame({ width, height, title, legend: legend.length > 1 || marks.length === 0 ? legend : [],
    x: { ...x, domain: domain(0, uprights.map((one) => one.value), x) },
    y: { ...y, domain: domain(1, levels.map((one) => one.value), y) } });
  drawBands(drawn, bands);
  series.forEach((one, place) => drawn.plot.append(svg("path", { class: `line ${one.className ?? `c${place} d${place}`}`,
    d: path(one.points, drawn) }, svg("title", {}, one.name ?? title))));
  drawLevels(drawn, levels);
  drawUprights(drawn, uprights);
  drawMarks(drawn, marks, width, levels.map((one) => drawn.y.at(one.value)));
  return drawn.root;
}

/** Return the least and the most of values; a linear axis begins at zero, a logarithmic one leaves out zeros. */
export function extent(values, kind) {
  const kept = values.filter((value) => Number.isFinite(value) && (kind === "linear" || value > 0));
  const [low, high] = [Math.min(...kept), Math.max(...kept)];
  return kind === "linear" ? [Math.min(0, low), high * 1.06 || 1] : [low, high];
}

const path = (points, { x, y }) => points.map(([across, up], place) =>
  `${place ? "L" : "M"}${x.at(across).toFixed(1)} ${y.at(y.clamp(up)).toFixed(1)}`).join("");

function drawBands({ plot, x, inner }, bands) {
  for (const band of bands) {
    const [from, to] = [x.at(x.clamp(band.from)), x.at(x.clamp(band.to))];
    plot.append(svg("rect", { class: "band", x: from, y: inner.top, width: Math.max(1, to - from), height: inner.bottom - inner.top }));
    if (band.label) plot.append(svg("text", { class: "on-band", x: (from + to) / 2, y: inner.top + 12, "text-anchor": "middle" }, band.label));
  }
}

function drawLevels({ plot, y, inner }, levels) {
  for (const level of levels) {
    const at = y.at(level.value);
    plot.append(svg("line", { class: "level", x1: inner.left, x2: inner.right, y1: at, y2: at }),
      svg("text", { class: "halo", x: inner.left + 6, y: at - 5 }, level.label));
  }
}

function drawUprights({ plot, x, inner }, uprights) {
  for (const upright of uprights) {
    const at = x.at(upright.value);
    const anchor = at > (inner.left + inner.right) / 2 ? "end" : "start";
    plot.append(svg("line", { class: "level", x1: at, x2: at, y1: inner.top, y2: inner.bottom }),
      svg("text", { class: "halo", x: anchor === "end" ? at - 5 : at + 5, y: inner.top + 12, "text-anchor": anchor }, upright.label));
  }
}

/**
 * Draw points with their texts. A text stands where it covers no other, no point and no line at one of `heights`;
 * where there is no such place it is left out, and the point's title has it.
 */
function drawMarks({ plot, x, y, inner }, marks, width, heights = []) {
  const points = svg("g", {});
  const texts = svg("g", {});
  plot.append(texts, points);
  const placed = marks.map((mark) => ({ mark, across: x.at(x.clamp(mark.x)), up: y.at(y.clamp(mark.y)) }));
  const taken = placed.map(({ across, up }) => ({ left: across - 5, right: across + 5, top: up - 5, bottom: up + 5 }));
  for (const { mark, across, up } of placed) {
    points.append(svg("circle", { class: `mark ${mark.className ?? ""}`, cx: across, cy: up, r: 4.5 },
      svg("title", {}, mark.title ?? mark.label)));
    if (!mark.label) continue;
    const found = roomFor(7.4 * mark.label.length, across, up, { left: inner.left, right: width, top: inner.top - 8, bottom: inner.bottom, taken, heights });
    if (!found) continue;
    taken.push(found);
    texts.append(svg("text", { class: "halo", x: found.end ? found.right : found.left, y: found.bottom - 3,
      "text-anchor": found.end ? "end" : "start" }, mark.label));
  }
}

const LINE = 14;
const PLACES = [[6, -18], [6, 4], [6, -7], [6, -30], [6, 18]].flatMap(([away, down]) => [[away, down, false], [away, down, true]]);

/** Return the box of a text of some width beside a point, {left, right, top, bottom, end}; undefined where all are taken. */
function roomFor(wide, across, up, { left, right, top, bottom, taken, heights }) {
  const boxes = PLACES.map(([away, down, end]) => ({ end, left: end ? across - away - wide : across + away,
    right: end ? across - away : across + away + wide, top: up + down, bottom: up + down + LINE }));
  return boxes.find((box) => box.left >= left && box.right <= right && box.top >= top && box.bottom <= bottom
    && !heights.some((height) => height > box.top && height < box.bottom)
    && !taken.some((other) => other.left < box.right && box.left < other.right && other.top < box.bottom && box.top < other.bottom));
}

/**
 * Points in groups. `groups`: [{name, points: [{x, y, label, title, size}]}]; `front`: [[x, y], …] joined by a line.
 * `label` stands beside a point, `title` shows under the pointer.
 */
export function scatter({ width, height = 340, groups, front = [], x, y, title }) {
  const points = groups.flatMap((group) => group.points);
  const spread = (values, axis) => (axis.kind === "linear" ? extent(values, "linear") : widened(extent(values, axis.kind)));
  const legend = groups.map((group, place) => ({ name: group.name, mark: `c${place}` }));
  const drawn = frame({ width, height, title, legend: groups.length > 1 ? legend : [], square: true,
    x: { ...x, domain: x.domain ?? spread(points.map((point) => point.x), x) },
    y: { ...y, domain: y.domain ?? spread(points.map((point) => point.y), y) } });
  if (front.length > 1) drawn.plot.append(svg("path", { class: "line front", d: path(front, drawn) }));
  drawMarks(drawn, groups.flatMap((group, place) => group.points.map((point) => ({
    ...point, label: point.label ?? "", className: `c${place}` }))), width);
  return drawn.root;
}

const widened = ([low, high]) => [low / 1.25, high * 1.25];
