/** Loss over parameters and tokens: lines of equal loss, the line of best sizes, models that were trained. */

import { svg } from "./dom.js";
import { large, short } from "./numbers.js";
import { frame } from "./scales.js";
import { flopText, nats } from "./tab_parts.js";

const ROOM = 4;
const LEAST_APART = 13;
const NARROW = 520;

/**
 * Return the picture. `curve`: {frontier, contours, known_models, runs?} of an answer; `asked`: its optimum;
 * `lifetime`: the best model with serving, if there is one.
 */
export function lossMap({ width, height = 420, curve, asked = null, lifetime = null }) {
  const domain = (name) => {
    const values = [
      ...curve.frontier.map((one) => one[name]),
      ...(curve.runs ?? []).map((run) => run[name === "params" ? 0 : 1]),
    ];
    return [Math.min(...values) / ROOM, Math.max(...values) * ROOM];
  };
  const drawn = frame({
    width,
    height,
    title: "Loss over parameters and tokens",
    description: asked
      ? `best for ${flopText(asked.flops)}: ${large(asked.params)} parameters, ${large(asked.tokens)} tokens`
      : "",
    legend: [
      { name: "best sizes", mark: "c1" },
      ...(curve.contours.length ? [{ name: "equal loss", mark: "equal" }] : []),
    ],
    x: { kind: "log10", label: "parameters", format: large, domain: domain("params") },
    y: { kind: "log10", label: "training tokens", format: large, domain: domain("tokens") },
  });
  const taken = [];
  const at = (params, tokens) => [drawn.x.at(params), drawn.y.at(tokens)];
  const inside = ([across, up]) =>
    across >= drawn.inner.left &&
    across <= drawn.inner.right &&
    up >= drawn.inner.top &&
    up <= drawn.inner.bottom;
  for (const one of curve.contours) drawContour(drawn, one, at, inside);
  drawn.plot.append(
    svg("path", {
      class: "line c1",
      d: joined(curve.frontier.map((one) => at(one.params, one.tokens)).filter(inside)),
    }),
  );
  const above = svg("g");
  const shown = knownDots(drawn, curve.known_models ?? [], at, inside);
  if (asked)
    mark(above, drawn.inner, at(asked.params, asked.tokens), `best: ${large(asked.params)}`, "c1", taken, "");
  if (lifetime)
    mark(
      above,
      drawn.inner,
      at(lifetime.params, lifetime.tokens),
      `with serving: ${large(lifetime.params)}`,
      "c4",
      taken,
      "",
    );
  for (const one of curve.contours) nameContour(drawn, one, at, inside, taken);
  for (const [params, tokens, loss] of curve.runs ?? [])
    dot(drawn, at(params, tokens), `${large(params)}, ${large(tokens)} tokens: ${nats(loss)}`);
  nameKnown(drawn, shown, taken, width < NARROW ? 16 : 0);
  drawn.plot.append(above);
  return drawn.root;
}

const joined = (points) =>
  points.map(([across, up], place) => `${place ? "L" : "M"}${across.toFixed(1)} ${up.toFixed(1)}`).join("");

/** Draw a line of equal loss where it lies in the frame. */
function drawContour({ plot }, one, at, inside) {
  const points = one.points.map(([params, tokens]) => at(params, tokens)).filter(inside);
  if (points.length > 1)
    plot.append(
      svg("path", { class: "contour", d: joined(points) }, svg("title", {}, `loss ${nats(one.loss)}`)),
    );
}

/** Write a line's loss near its right end. */
function nameContour({ plot }, one, at, inside, taken) {
  const points = one.points.map(([params, tokens]) => at(params, tokens)).filter(inside);
  if (points.length < 4) return;
  const [across, up] = points[points.length - 3];
  const text = nats(one.loss);
  if (!free(taken, across - 36, up, 36)) return;
  plot.append(svg("text", { class: "halo faint", x: across, y: up - 3, "text-anchor": "end" }, text));
}

/** Take the room of a text, or tell that another has it. */
function free(taken, left, up, wide) {
  const covers = (other) =>
    Math.abs(other.up - up) < LEAST_APART && left < other.right && other.left < left + wide;
  if (taken.some(covers)) return false;
  taken.push({ left, up, right: left + wide });
  return true;
}

function dot({ plot }, [across, up], title) {
  plot.append(svg("circle", { class: "known", cx: across, cy: up, r: 3.2 }, svg("title", {}, title)));
}

/** Draw the models that lie in the frame and return them, the largest first. */
function knownDots(drawn, models, at, inside) {
  const shown = [...models]
    .sort((left, right) => right.params * right.tokens - left.params * left.tokens)
    .map((one) => ({ ...one, place: at(one.params, one.tokens) }))
    .filter((one) => inside(one.place));
  for (const one of shown) {
    dot(
      drawn,
      one.place,
      `${one.name}: ${large(one.params)} parameters, ${large(one.tokens)} tokens, ${short(one.tokens / one.params)} per parameter`,
    );
  }
  return shown;
}

/** Write the names of models that have `room` beside them. */
function nameKnown(drawn, shown, taken, room) {
  for (const one of shown) {
    const [across, up] = one.place;
    const text = one.name.split("/").pop();
    const wide = 7 * text.length;
    const left = across + wide + 8 > drawn.inner.right ? across - 6 - wide : across + 6;
    if (left < drawn.inner.left || !free(taken, left - room, up + 4, wide + 2 * room)) continue;
    drawn.plot.append(svg("text", { class: "halo small", x: left, y: up + 4 }, text));
  }
}

function mark(place, inner, [across, up], text, className, taken, title) {
  const wide = 7.8 * text.length;
  const right = across + wide + 12 < inner.right;
  free(taken, right ? across + 10 : across - 10 - wide, up - 8, wide);
  place.append(
    svg("circle", { class: `mark ${className}`, cx: across, cy: up, r: 6 }, svg("title", {}, title || text)),
    svg(
      "text",
      {
        class: "halo strong",
        x: right ? across + 10 : across - 10,
        y: up - 8,
        "text-anchor": right ? "start" : "end",
      },
      text,
    ),
  );
}
