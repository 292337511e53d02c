/** Where numbers come from: the lines of an explained answer as a tree that opens. */

import { h } from "./dom.js";
import { bytes, count, dollars, seconds, short } from "./numbers.js";

const FORMATS = {
  bytes,
  s: seconds,
  parameters: count,
  "USD/h": (value) => `${dollars(value)} per hour`,
};

/** Return a value with its unit. */
export function valued(value, unit) {
  const format = FORMATS[unit];
  if (format) return format(value);
  const text = Number.isInteger(value) ? count(value) : short(value, 4);
  return unit ? `${text} ${unit}` : text;
}

/** Return the tree of a line {name, value, unit, status, interval, formula, inputs, source, parts}. */
export function tree(line, key = "", open = false) {
  const path = `${key}/${line.name}`;
  const interval = line.interval
    ? h("span", { class: "interval" }, ` ${valued(line.interval[0], line.unit)} to ${valued(line.interval[1], line.unit)}`) : null;
  const head = [h("span", { class: "name" }, line.name), " ", h("strong", {}, valued(line.value, line.unit)), interval,
    " ", h("span", { class: `status ${line.status}` }, line.status ?? "")];
  const inside = [
    line.formula ? h("p", { class: "formula" }, h("code", {}, `= ${line.formula}`)) : null,
    line.inputs ? h("p", { class: "inputs" }, Object.entries(line.inputs).map(([name, value]) =>
      h("span", {}, h("code", {}, name), ` = ${typeof value === "number" ? grouped(value) : value}`))) : null,
    line.source ? h("p", { class: "source" }, line.source) : null,
    ...(line.parts ?? []).map((part) => tree(part, path)),
  ].filter(Boolean);
  if (inside.length === 0) return h("div", { class: "leaf" }, head);
  return h("details", { "data-key": path, open }, h("summary", {}, head), inside);
}

function grouped(value) {
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? count(value) : short(value, 6);
}
