/** The best use of a budget: the optimum, its flat range, budgets as curves, equal losses, other laws, small models. */

import { h, more, table } from "./dom.js";
import { fitted, lines } from "./charts.js";
import { large, percent, short } from "./numbers.js";
import { lossMap } from "./laws_map.js";
import { lawStrip } from "./laws_strip.js";
import { flopText, nats, scientific, valueFacts } from "./tab_parts.js";

export const summaryOf = ({ optimum }) =>
  `${flopText(optimum.flops)} are best spent on ${large(optimum.params)} parameters and ${large(optimum.tokens)} tokens, loss ${nats(optimum.loss)}.`;

export function drawOptimum(answer, tools) {
  const { curve } = answer;
  return [
    headline(answer),
    facts(answer),
    flatNote(answer),
    h("h3", {}, "The same compute, other sizes"),
    fitted((width) => budgetCurves(curve.budgets, width, { flat: flatOf(answer), asked: answer.optimum })),
    h("h3", {}, "Equal losses, best sizes, and what was trained"),
    fitted((width) => lossMap({ width, curve, asked: answer.optimum, lifetime: answer.lifetime?.best })),
    knownNote(curve),
    lifetime(answer),
    small(curve, answer),
    h("h3", {}, "What other laws say"),
    fitted((width) => lawStrip(answer, width)),
    h(
      "p",
      { class: "note" },
      "Best parameters by law; the shade spans those that were checked, grey ones were not.",
    ),
    laws(answer, tools),
  ].flat();
}

function headline({ optimum, grounds }) {
  const outside = Math.max(0, ...Object.values(grounds[0].outside ?? {}));
  return h(
    "p",
    { class: "headline" },
    `${flopText(optimum.flops)} are best spent on `,
    h("strong", { class: "total" }, `${large(optimum.params)} parameters`),
    " and ",
    h("strong", {}, `${large(optimum.tokens)} tokens`),
    `: ${short(optimum.tokens_per_param)} tokens per parameter, loss `,
    h("strong", {}, nats(optimum.loss)),
    " nats per token.",
    outside > 0
      ? h("span", { class: "no" }, ` Extrapolated ${outside.toFixed(1)} decades beyond the runs of the law.`)
      : null,
  );
}

function facts({ optimum, intervals, params_exponent: exponent, grounds }) {
  const range = (name, format) =>
    intervals?.[name]
      ? `${format(intervals[name][0])} to ${format(intervals[name][1])}`
      : "no interval known";
  return [
    valueFacts([
      ["Parameters", large(optimum.params), range("params", large)],
      ["Tokens", large(optimum.tokens), range("tokens", large)],
      ["Tokens per parameter", short(optimum.tokens_per_param), range("tokens_per_param", short)],
      ["Loss, nats per token", nats(optimum.loss), range("loss", nats)],
      ...(exponent
        ? [["Best parameters grow as budget to the power", exponent.toFixed(3), range("params_exponent", (value) => value.toFixed(3))]]
        : []),
    ]),
    h(
      "p",
      { class: "note" },
      `${grounds[0].law} (${grounds[0].status}): ${grounds[0].source}; N counts: ${grounds[0].counted || "not stated"}`,
      grounds[0].caution ? `. ${grounds[0].caution}` : "",
    ),
  ];
}

const flatOf = (answer) =>
  answer.flat.find((one) => one.loss_excess === 0.01) ?? answer.flat[answer.flat.length - 1];

function flatNote(answer) {
  const ranges = answer.flat.map(
    (one) =>
      `${large(one.params_low)} to ${large(one.params_high)} for ${percent(one.loss_excess)} more loss`,
  );
  return h("p", {}, h("strong", {}, "The optimum is flat: "), `${ranges.join("; ")}.`);
}

/** Loss against parameters, a line for each budget. `asked` and `flat` mark one of them. */
export function budgetCurves(budgets, width, { flat = null, asked = null } = {}) {
  const losses = budgets.flatMap((one) => one.points.map((point) => point[2]));
  const [low, high] = [Math.min(...losses), Math.max(...losses)];
  return lines({
    width,
    height: 340,
    title: "Loss of each size at equal compute",
    series: budgets.map((one, place) => ({
      name: flopText(one.flops),
      points: one.points.map(([params, , loss]) => [params, loss]),
      className: `c${place} d${place}${asked?.flops === one.flops ? " asked" : ""}`,
    })),
    bands: flat
      ? [{ from: flat.params_low, to: flat.params_high, label: `${percent(flat.loss_excess)} more loss` }]
      : [],
    marks: budgets.map(({ best }) => ({
      x: best.params,
      y: best.loss,
      label: asked && best.flops === asked.flops ? large(best.params) : "",
      title: `${flopText(best.flops)}: ${large(best.params)} parameters, ${nats(best.loss)}`,
    })),
    x: { kind: "log10", label: "parameters", format: large },
    y: {
      kind: "linear",
      label: "loss, nats per token",
      format: (value) => value.toFixed(2),
      domain: [low - 0.03 * (high - low), high],
    },
  });
}

function knownNote({ known_models: known }) {
  if (!known?.length) return null;
  const sources = [...new Map(known.map((one) => [one.source, one.checked]))];
  return [
    h(
      "p",
      { class: "note" },
      `Points are models with their nominal sizes and the tokens they saw: ${sources.map(([source, day]) => `${source} (${day})`).join("; ")}.`,
    ),
    more(
      "known",
      `${known.length} models in numbers`,
      table(
        "Models and what they were trained on",
        [
          { title: "model" },
          { title: "parameters", numeric: true },
          { title: "tokens", numeric: true },
          { title: "tokens/parameter", numeric: true },
        ],
        known.map((one) => [
          one.name.split("/").pop(),
          large(one.params),
          large(one.tokens),
          short(one.tokens / one.params),
        ]),
      ),
    ),
  ];
}

function lifetime({ lifetime: life }) {
  if (!life) return null;
  const row = (name, one) => [
    name,
    large(one.params),
    large(one.tokens),
    nats(one.loss),
    flopText(one.training_cost),
    flopText(one.serving_cost),
  ];
  return [
    h("h3", {}, "When serving is paid for too"),
    table(
      life.saving > 1e-6
        ? `Saves ${percent(life.saving)} of the total`
        : "For the same total, training and serving together",
      [
        { title: "best" },
        { title: "parameters", numeric: true },
        { title: "tokens", numeric: true },
        { title: "loss", numeric: true },
        { title: "training", numeric: true },
        { title: "serving", numeric: true },
      ],
      [row("with serving", life.best), row("training alone", life.training_optimal)],
    ),
  ];
}

const MOST = 2.5;

function small({ over_training: runs }, { optimum }) {
  if (!runs?.length) return null;
  const shown = runs.filter((one) => one.overhead <= MOST);
  return [
    h("h3", {}, "A smaller model, trained for longer"),
    fitted((width) =>
      lines({
        width,
        height: 260,
        title: "Extra compute of smaller models of the same loss",
        series: [{ name: "", points: [[1, 0], ...shown.map((one) => [one.size_factor, one.overhead])] }],
        marks: shown
          .filter((one, place) => place % (width > 500 ? 2 : 4) === 1)
          .map((one) => ({
            x: one.size_factor,
            y: one.overhead,
            label: `${short(one.tokens_per_param)} tokens/parameter`,
          })),
        x: {
          kind: "linear",
          label: "part of the best size",
          format: percent,
          domain: [Math.min(...shown.map((one) => one.size_factor)), 1.03],
        },
        y: { kind: "linear", label: "more training compute", format: percent },
      }),
    ),
    more(
      "small",
      `The same loss, ${nats(optimum.loss)}, with fewer parameters`,
      table(
        "Smaller models of the same loss",
        [
          { title: "of the best size", numeric: true },
          { title: "parameters", numeric: true },
          { title: "tokens", numeric: true },
          { title: "tokens/parameter", numeric: true },
          { title: "more compute", numeric: true },
          { title: "paid back after serving", numeric: true },
        ],
        runs.map((one) => [
          percent(one.size_factor),
          large(one.params),
          large(one.tokens),
          short(one.tokens_per_param),
          percent(one.overhead),
          one.served_tokens_to_break_even ? `${large(one.served_tokens_to_break_even)} tokens` : "",
        ]),
      ),
    ),
  ];
}

function laws(answer, tools) {
  const rows = answer.other_laws.map((one) => [
    one.loss === null
      ? one.law
      : h("button", { type: "button", onclick: () => tools.set("law", one.law) }, one.law),
    large(one.params),
    large(one.tokens),
    short(one.tokens_per_param),
    one.loss === null ? "" : nats(one.loss),
    h("span", { class: `status ${one.status}` }, one.status),
    one.fitted_range_known
      ? one.decades_outside > 0
        ? `${one.decades_outside.toFixed(1)} decades`
        : "inside"
      : "not known",
  ]);
  return more(
    "laws",
    `${rows.length} laws in numbers`,
    table(
      `What laws spend ${scientific(answer.optimum.flops)} FLOP on`,
      [
        { title: "law" },
        { title: "parameters", numeric: true },
        { title: "tokens", numeric: true },
        { title: "tokens/parameter", numeric: true },
        { title: "loss", numeric: true },
        { title: "how sure" },
        { title: "beyond its runs" },
      ],
      rows,
    ),
  );
}
