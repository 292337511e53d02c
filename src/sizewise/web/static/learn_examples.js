/** Popular examples made right: what they say, what comes out, and why they differ. */

import { commandOf } from "./ask.js";
import { h } from "./dom.js";
import { keptAnswer, later } from "./later.js";
import { SOURCES } from "./learn_said.js";

/** Return the section of examples. */
export function examples(tools) {
  return h(
    "section",
    { class: "answer", "aria-label": "Popular examples made right" },
    h("h2", {}, "Popular examples, made right"),
    h(
      "p",
      {},
      "Four explanations that many people read. Their ideas are sound, many of their numbers are not. What stands under ",
      h("em", {}, "comes out"),
      " is computed now, by the command beside it.",
    ),
    SOURCES.map((source) => [
      h("h3", {}, source.title),
      source.examples.map((one) => example(one, tools)),
    ]).flat(2),
  );
}

function example({ about, said, asks, right, why }, tools) {
  const found = later(async () => {
    const answers = [];
    for (const [verb, values] of asks) answers.push(await keptAnswer(tools.ask, verb, values));
    return h("p", { class: "right" }, right(...answers));
  });
  return h(
    "article",
    { class: "said" },
    h("h4", {}, about),
    h(
      "dl",
      {},
      h("div", {}, h("dt", {}, "it says"), h("dd", {}, said)),
      h("div", {}, h("dt", {}, "comes out"), h("dd", {}, found)),
      h("div", {}, h("dt", {}, "why"), h("dd", {}, why)),
    ),
    h(
      "p",
      { class: "command" },
      asks.map(([verb, values]) => h("code", {}, commandOf(verb, values))),
    ),
  );
}
