/** A slider over chosen stops, with a text beside it that takes any other value. */

import { h } from "./dom.js";

/** Return 1, 1.25, 1.5 and 1.75 times each power of two between two of them: the stops of contexts. */
export function binaryStops(first, last) {
  const stops = [];
  for (let power = first; power < last; power *= 2) stops.push(power, power * 1.25, power * 1.5, power * 1.75);
  return [...stops, last];
}

/** Return `steps` stops in each power of ten between two of them, rounded to two digits. */
export function decimalStops(first, last, steps = 10) {
  const decades = Math.round(Math.log10(last / first));
  return Array.from({ length: decades * steps + 1 }, (_, place) =>
    Number((first * 10 ** (place / steps)).toPrecision(2)));
}

/** Return the stops of a field that runs evenly. */
export function evenStops(first, last, step) {
  return Array.from({ length: Math.round((last - first) / step) + 1 }, (_, place) => first + place * step);
}

/** The control of a slider field; see fields.js. */
export function slider({ label, stops, ticks = [], show = String, read = Number, empty = stops[0] }, attributes, change) {
  const control = h("input", { type: "text", inputmode: "decimal", autocomplete: "off", ...attributes,
    onchange: () => { place(control.value); change(control.value.trim()); } });
  const range = h("input", { type: "range", min: 0, max: stops.length - 1, step: 1, "aria-label": `${label}, slider`,
    oninput: () => {
      const value = stops[Number(range.value)];
      control.value = String(value);
      say(value);
      change(String(value));
    } });
  const said = h("output", { class: "meant", "aria-hidden": "true" });

  function say(value) {
    const text = Number.isFinite(value) ? show(value) : "";
    said.textContent = text === control.value ? "" : text;
    range.setAttribute("aria-valuetext", text || "none");
  }
  function place(text) {
    const value = text === "" ? NaN : read(text);
    range.value = String(nearest(stops, Number.isFinite(value) ? value : empty));
    say(value);
  }
  const scale = h("div", { class: "ticks", "aria-hidden": "true" }, labels(stops, ticks, show));
  return {
    control,
    around: h("div", { class: "slide" }, h("div", { class: "row" }, control, said), range, scale),
    show(value) {
      if (document.activeElement !== control) control.value = value;
      place(value);
    },
  };
}

function nearest(stops, value) {
  let best = 0;
  stops.forEach((stop, place) => { if (Math.abs(stop - value) < Math.abs(stops[best] - value)) best = place; });
  return best;
}

/** Return tick labels on a grid of a hundred columns: a place needs no style attribute. */
function labels(stops, ticks, show) {
  return ticks.map((tick) => {
    const share = nearest(stops, tick) / (stops.length - 1);
    return h("span", { class: `at at-${Math.round(share * 20)}` }, show(tick));
  });
}
