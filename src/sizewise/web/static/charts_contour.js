/** Lines of equal value over a grid. */

import { svg } from "./dom.js";
import { frame } from "./scales.js";

/**
 * Contours. `xs`, `ys`: rising values; `z[row][column]`: the value at ys[row], xs[column], null where there is none;
 * `levels`: [{value, label}]; `series`, `marks`: drawn above, as in `lines` ({name, points}, {x, y, label}).
 */
export function contour({ width, height = 380, xs, ys, z, levels, series = [], marks = [], x, y, title }) {
  const legend = series.map((one, place) => ({ name: one.name, mark: one.className ?? `c${place} d${place}` }));
  const drawn = frame({ width, height, title, legend,
    x: { ...x, domain: [xs[0], xs[xs.length - 1]] }, y: { ...y, domain: [ys[0], ys[ys.length - 1]] } });
  levels.forEach((level, place) => {
    const pieces = crossings(z, level.value).map((ends) => ends.map(([column, row]) => [
      drawn.x.at(between(xs, column, x.kind)), drawn.y.at(between(ys, row, y.kind))]));
    if (pieces.length === 0) return;
    drawn.plot.append(svg("path", { class: `contour v${place % 6}`, d: pieces.map((ends) =>
      `M${ends[0].map((one) => one.toFixed(1)).join(" ")}L${ends[1].map((one) => one.toFixed(1)).join(" ")}`).join("") }));
    const [across, up] = pieces[Math.floor(pieces.length * 0.6)][0];
    drawn.plot.append(svg("text", { class: "halo", x: across, y: up, "text-anchor": "middle", "dominant-baseline": "middle" },
      level.label));
  });
  series.forEach((one, place) => drawn.plot.append(svg("path", { class: `line ${one.className ?? `c${place} d${place}`}`,
    d: one.points.map(([across, up], at) => `${at ? "L" : "M"}${drawn.x.at(across).toFixed(1)} ${drawn.y.at(up).toFixed(1)}`).join("") })));
  for (const mark of marks) {
    drawn.plot.append(svg("circle", { class: "mark", cx: drawn.x.at(mark.x), cy: drawn.y.at(mark.y), r: 4.5 },
      svg("title", {}, mark.title ?? mark.label)),
    svg("text", { class: "halo", x: drawn.x.at(mark.x) + 8, y: drawn.y.at(mark.y) - 8 }, mark.label));
  }
  return drawn.root;
}

function between(values, place, kind) {
  const low = Math.min(Math.floor(place), values.length - 2);
  const part = place - low;
  if (kind === "linear") return values[low] + part * (values[low + 1] - values[low]);
  return values[low] * (values[low + 1] / values[low]) ** part;
}

/** Return the pieces of a level's lines as pairs of places on the grid (marching squares). */
export function crossings(z, level) {
  const pieces = [];
  for (let row = 0; row + 1 < z.length; row += 1) {
    for (let column = 0; column + 1 < z[row].length; column += 1) {
      const corners = [[column, row], [column + 1, row], [column + 1, row + 1], [column, row + 1]];
      const values = corners.map(([across, up]) => z[up][across]);
      if (values.some((value) => value === null || !Number.isFinite(value))) continue;
      const ends = [];
      for (let side = 0; side < 4; side += 1) {
        const [one, other] = [values[side], values[(side + 1) % 4]];
        if ((one < level) === (other < level)) continue;
        const part = (level - one) / (other - one);
        const [from, to] = [corners[side], corners[(side + 1) % 4]];
        ends.push([from[0] + part * (to[0] - from[0]), from[1] + part * (to[1] - from[1])]);
      }
      for (let end = 0; end + 1 < ends.length; end += 2) pieces.push([ends[end], ends[end + 1]]);
    }
  }
  return pieces;
}
