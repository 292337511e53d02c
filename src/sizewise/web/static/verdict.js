/** Whether something fits, as it is said: by the value, and by the upper end of what is needed. */

import { h } from "./dom.js";

/** Tell whether it fits at the value that is predicted and not at the upper end of its interval. */
export const isTight = (fit) => fit.fits && fit.needed_high > fit.usable;

/** Return the word for several devices together: the worst of them counts. */
export function verdictOf(fits) {
  if (!fits.every((fit) => fit.fits)) return "does not fit";
  return fits.some(isTight) ? "fits tightly" : "fits";
}

/** Return the word, coloured; `words` are other ones for the same three. */
export function verdict(fits, words = {}) {
  const word = verdictOf(fits);
  const kind = { fits: "yes", "fits tightly": "tight", "does not fit": "no" }[word];
  return h("span", { class: kind }, words[word] ?? word);
}

/** Return a sentence on what fits tightly; null where nothing does. */
export const tightNote = (fits) => (verdictOf(fits) === "fits tightly"
  ? h("p", { class: "note" }, "Tightly: it fits at the value, not at the upper end of the interval.") : null);
