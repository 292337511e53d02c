/** What several tabs show alike: facts with their intervals, compute, counts as people write them. */

import { h } from "./dom.js";
import { short } from "./numbers.js";

const LETTERS = { "": 1, k: 1e3, m: 1e6, b: 1e9, t: 1e12 };

/** Return the number that a text such as `100B`, `1.4T` or `1e24` means; NaN for other texts. */
export function lettersOf(text) {
  const found = /^\s*(\d[\d,_]*(?:\.\d+)?(?:e\+?\d+)?)\s*([kmbt]?)\s*$/i.exec(String(text));
  return found ? Number(found[1].replace(/[,_]/g, "")) * LETTERS[found[2].toLowerCase()] : NaN;
}

/** Return FLOPs: `5.88e21 FLOP`. */
export const flopText = (flops) => `${scientific(flops)} FLOP`;

/** Return a number as a power of ten: `5.88e21`. */
export function scientific(value, digits = 3) {
  if (value < 1e4 && value >= 0.01) return short(value, digits);
  return value
    .toExponential(digits - 1)
    .replace("e+", "e")
    .replace(/\.0+e/, "e");
}

/** Return a loss in nats per token. */
export const nats = (loss) => loss.toFixed(loss < 0.1 ? 4 : 3);

/** Return facts side by side: `facts`: [[label, value, note], …]. */
export function valueFacts(facts) {
  return h(
    "dl",
    { class: "facts" },
    facts.map(([label, value, note]) =>
      h("div", {}, h("dt", {}, label), h("dd", {}, value, note ? h("small", {}, note) : null)),
    ),
  );
}
