/** The guide to sizes: what each takes, costs and can do, and what was said of abilities. */

import { h, more, svg, table } from "./dom.js";
import { fitted } from "./charts.js";
import { GB, dollars, large, short } from "./numbers.js";
import { legendHeight, legendOf, picture, scale } from "./scales.js";
import { nats, scientific } from "./tab_parts.js";

export function drawGuide({ guide }) {
  return [
    h("h3", {}, "Weights of each class, by format"),
    fitted((width) => weights(guide.sizes, width)),
    h(
      "p",
      { class: "note" },
      "From the smallest to the largest model of the catalogue in each class, decimal GB; cache and buffers come on top.",
    ),
    sizes(guide.sizes),
    h("h3", {}, "Abilities: then and now"),
    abilities(guide.abilities),
    h("h3", {}, "What growth buys"),
    laws(guide.laws),
    h(
      "ul",
      {},
      guide.rules.map((one) =>
        h("li", {}, h("strong", {}, one.name), `: ${one.what}`, one.source ? ` (${one.source})` : ""),
      ),
    ),
    more(
      "theories",
      "Why abilities seem to appear at once",
      h(
        "ul",
        {},
        guide.theories.map((one) =>
          h("li", {}, h("strong", {}, one.name), `: ${one.what}`, one.source ? ` (${one.source})` : ""),
        ),
      ),
    ),
  ].flat();
}

const bounds = ({ low, high }) =>
  high === null ? `${large(low)} and more` : low ? `${large(low)} to ${large(high)}` : `below ${large(high)}`;
const ROW = 17;

/** Draw a bar from the least to the greatest weights of each class and format. */
function weights(sizes, width) {
  const formats = Object.keys(sizes[0].weights);
  const legend = formats.map((name, place) => ({ name, mark: `c${place}` }));
  const top = legendHeight(legend, width) + 6;
  const block = 20 + formats.length * ROW + 10;
  const all = sizes.flatMap((one) => Object.values(one.weights).flat());
  const across = scale(
    "log10",
    [Math.min(...all) / 1.5, Math.max(...all) * 1.5],
    [4, width - 4],
    Math.floor(width / 70),
  );
  const height = top + sizes.length * block + 24;
  const root = picture(width, height, "Weights of size classes by format");
  root.append(legendOf(legend, width, true));
  for (const tick of across.ticks) {
    root.append(
      svg("line", { class: "grid", x1: across.at(tick), x2: across.at(tick), y1: top, y2: height - 22 }),
      svg("text", { class: "faint", x: across.at(tick), y: height - 6, "text-anchor": "middle" }, gb(tick)),
    );
  }
  sizes.forEach((one, place) => {
    const y = top + place * block;
    root.append(svg("text", { class: "strong halo", x: 4, y: y + 13 }, `${one.name}: ${bounds(one)}`));
    formats.forEach((format, row) => {
      const [low, high] = one.weights[format];
      const from = across.at(low);
      const text = `${gb(low)} to ${gb(high)}`;
      const right = across.at(high) + 6 + 6.8 * text.length < width;
      root.append(
        svg(
          "rect",
          {
            class: `c${row}`,
            x: from,
            y: y + 19 + row * ROW,
            width: Math.max(3, across.at(high) - from),
            height: ROW - 4,
          },
          svg("title", {}, `${one.name} in ${format}: ${text}`),
        ),
        svg(
          "text",
          {
            class: "halo small",
            x: right ? across.at(high) + 5 : from - 5,
            y: y + 29 + row * ROW,
            "text-anchor": right ? "start" : "end",
          },
          text,
        ),
      );
    });
  });
  return root;
}

const gb = (bytes) =>
  bytes < 0.9995 * GB
    ? `${short(bytes / 1e6)} MB`
    : bytes < 0.9995e12
      ? `${short(bytes / GB)} GB`
      : `${short(bytes / 1e12)} TB`;

function sizes(rows) {
  return [
    h(
      "div",
      { class: "classes" },
      rows.map((one) =>
        h(
          "section",
          {},
          h("h4", {}, `${one.name}: ${bounds(one)}`),
          h(
            "ul",
            {},
            one.traits.map((trait) => h("li", {}, trait)),
          ),
          h(
            "p",
            { class: "note" },
            `for example ${one.examples.map((name) => name.split("/").pop()).join(", ")}`,
          ),
        ),
      ),
    ),
    table(
      "What classes score, and how fast one of each answers",
      [
        { title: "class" },
        { title: rows[0].benchmark, numeric: true },
        { title: "between" },
        { title: "timed" },
        { title: "tokens/s", numeric: true },
        { title: "USD per M tokens", numeric: true },
      ],
      rows.map((one) => [
        one.name,
        one.quality ? `${short(one.quality.median)} %` : "",
        one.quality ? `${short(one.quality.low)} to ${short(one.quality.high)}` : "",
        `${one.timed.split("/").pop()} on ${one.devices > 1 ? `${one.devices} × ` : ""}${one.on}`,
        short(one.output_tokens_per_s.value),
        one.usd_per_million_output_tokens ? dollars(one.usd_per_million_output_tokens.value) : "",
      ]),
    ),
    h("p", { class: "note" }, "One sequence at a time: many at once are far cheaper a token."),
  ];
}

function abilities(rows) {
  const told = (one) => {
    const least = Object.entries(one.told).find(([, can]) => can);
    return least ? `from ${large(Number(least[0]))}` : "no";
  };
  return [
    table(
      `Told until ${rows[0].told_until}, and the smallest model that scores enough today`,
      [
        { title: "ability" },
        { title: "told" },
        { title: "first seen in" },
        { title: "smallest today" },
        { title: "parameters", numeric: true },
        { title: "score" },
      ],
      rows.map((one) => [
        one.name,
        told(one),
        one.first_seen_parameters ? `${one.first_seen_in}, ${large(one.first_seen_parameters)}` : "",
        one.today ? one.today.model.split("/").pop() : "",
        one.today ? large(one.today.parameters) : "",
        one.today ? `${short(one.today.percent)} % of ${one.today.benchmark} (${one.today.as_of})` : "",
      ]),
    ),
  ];
}

function laws(rows) {
  return table(
    "Twice the parameters on the same tokens, and the best use of a budget",
    [
      { title: "law" },
      { title: "from", numeric: true },
      { title: "tokens", numeric: true },
      { title: "loss, nats", numeric: true },
      { title: "budget, FLOP", numeric: true },
      { title: "best size", numeric: true },
    ],
    rows.map((one) => [
      one.law,
      large(one.params),
      large(one.tokens),
      `−${nats(-one.doubling_nats)}`,
      scientific(one.flops),
      large(one.best_params),
    ]),
  );
}
