/** Answers that a page asks for by itself, one after another, and keeps. */

import { h } from "./dom.js";

const KEPT = 200;
const PATIENCE = 6;
const kept = new Map();
let last = Promise.resolve();

/** Return the answer of `ask` to a verb and values, as it was given before where it was. One is asked at a time. */
export function keptAnswer(ask, verb, values) {
  const key = JSON.stringify([verb, values]);
  if (!kept.has(key)) {
    if (kept.size >= KEPT) kept.delete(kept.keys().next().value);
    const answer = last.then(() => patient(() => ask(verb, values)));
    last = answer.catch(() => null);
    answer.catch(() => kept.delete(key));
    kept.set(key, answer);
  }
  return kept.get(key);
}

/** Ask again when the service says that it helps. */
async function patient(question) {
  for (let time = 1; ; time += 1) {
    try {
      return await question();
    } catch (problem) {
      if (!problem.retryAfter || time >= PATIENCE) throw problem;
      await new Promise((wake) => setTimeout(wake, 1000 * problem.retryAfter));
    }
  }
}

/** Return a place that `make()`, which may take a while, fills with elements; an error becomes a sentence. */
export function later(make) {
  const place = h("div", { class: "later", "data-waiting": "1" }, h("p", { class: "note" }, "…"));
  make()
    .then(
      (elements) => place.replaceChildren(...[elements].flat().filter(Boolean)),
      (error) => place.replaceChildren(h("p", { class: "error" }, error.message)),
    )
    .finally(() => place.removeAttribute("data-waiting"));
  return place;
}

/** Return a line that opens into what `make()` returns, made when it is opened first. */
export function opened(key, title, make) {
  const place = h("div", {});
  const line = h(
    "details",
    {
      "data-key": key,
      ontoggle: () => {
        if (line.open && !place.firstChild) place.append(later(make));
      },
    },
    h("summary", {}, title),
    place,
  );
  return line;
}
