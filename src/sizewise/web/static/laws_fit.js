/** A law of one's own runs: coefficients with intervals, how well it predicts, what speaks against it, the card. */

import { h, more, table } from "./dom.js";
import { fitted } from "./charts.js";
import { count, large, percent, short } from "./numbers.js";
import { budgetCurves } from "./laws_optimum.js";
import { lossMap } from "./laws_map.js";
import { flopText, nats, valueFacts } from "./tab_parts.js";

const KINDS = {
  html: ["Page with pictures (HTML)", "text/html"],
  md: ["Markdown", "text/markdown"],
  json: ["JSON", "application/json"],
};

export const fitSummary = ({ fit, line }) =>
  line
    ? `All ${count(fit.points)} runs have ${line.formula}: they tell the loss along it, no best size.`
    : `The best size grows as budget^${short(fit.params_exponent)}, from ${count(fit.points)} runs.`;

export function drawFit(answer, tools) {
  const { target, curve } = answer;
  return [
    answer.line ? alongLine(answer) : bestSize(answer),
    refusals(answer),
    coefficients(answer),
    heldOut(answer),
    target ? targetFacts(target) : null,
    curve
      ? [
          h("h3", {}, "Your runs and the law"),
          fitted((width) => budgetCurves(curve.budgets, width)),
          fitted((width) => lossMap({ width, curve, asked: null })),
        ]
      : null,
    influence(answer),
    answer.line ? null : cards(tools),
    h(
      "p",
      { class: "note" },
      `columns read: ${Object.entries(answer.columns)
        .map(([role, column]) => `${role} = ${column}`)
        .join(", ")}; ` +
        `${answer.certificate?.confirmed ? "the global optimum was confirmed from cold starts" : "the optimum is not confirmed"}; SHA-256 ${answer.digest?.slice(0, 12)}…`,
    ),
  ].flat(2);
}

function bestSize({ fit, target }) {
  return h(
    "p",
    { class: "headline" },
    `${count(fit.points)} runs: `,
    "the best size grows as ",
    h("strong", { class: "total" }, `budget^${fit.params_exponent?.toFixed(3) ?? "?"}`),
    target
      ? [
          `; ${flopText(target.optimum.flops)} would be best spent on `,
          h("strong", {}, `${large(target.optimum.params)} parameters`),
          ` and ${large(target.optimum.tokens)} tokens.`,
        ]
      : ".",
  );
}

/** Runs of one ratio: the loss along it is all that they tell. */
function alongLine({ fit, line, along_line: reached }) {
  const [low, high] = reached.intervals.loss.map(nats);
  return h(
    "p",
    { class: "headline" },
    `${count(fit.points)} runs, all with ${line.formula}: no best size can be told. Along that line `,
    h("strong", { class: "total" }, `the loss at ${flopText(reached.flops)} is ${nats(reached.loss)}`),
    ` (${low} to ${high}).`,
  );
}

function refusals({ refusals: refused }) {
  if (!refused?.length) return null;
  return h(
    "ul",
    { class: "warnings" },
    refused.map((one) => h("li", {}, one.message ?? String(one))),
  );
}

function coefficients({
  fit,
  line,
  intervals,
  intervals_by_size: bySize,
  standard_errors: errors,
  interval_level: level,
}) {
  const range = (found, name) =>
    found?.[name] ? `${short(found[name][0], 4)} to ${short(found[name][1], 4)}` : "";
  const exponent = line ? [] : [["params_exponent", fit.params_exponent]];
  const rows = [...Object.entries(fit.coefficients), ...exponent].map(
    ([name, value]) => [
      name === "params_exponent" ? "a: best N grows as budget^a" : name,
      value === null ? "" : short(value, 5),
      errors?.[name] ? short(errors[name], 2) : "",
      range(intervals, name),
      range(bySize, name),
    ],
  );
  return table(
    `L = ${line ? "E + K/C^gamma, C = 6ND" : "E + A/N^alpha + B/D^beta"}, intervals of ${percent(level)}`,
    [
      { title: "coefficient" },
      { title: "value", numeric: true },
      { title: "standard error", numeric: true },
      { title: "by runs", numeric: true },
      { title: "by whole sizes", numeric: true },
    ],
    rows,
  );
}

function heldOut({ held_out: held }) {
  if (!held) return null;
  return valueFacts([
    ["Error on held-out runs", percent(held.mean_error), `${percent(held.worst_error)} at worst`],
    ["Held out", `${count(held.runs)} runs`, `predicted from ${count(held.fitted)} smaller ones`],
    ["Inside their intervals", percent(held.coverage), "of the held-out runs"],
  ]);
}

function targetFacts({ optimum, intervals }) {
  const range = (name, format) =>
    intervals?.[name] ? `${format(intervals[name][0])} to ${format(intervals[name][1])}` : "";
  return valueFacts([
    [`Best for ${flopText(optimum.flops)}`, `${large(optimum.params)} parameters`, range("params", large)],
    ["Tokens", large(optimum.tokens), range("tokens", large)],
    ["Loss", nats(optimum.loss), range("loss", nats)],
  ]);
}

function influence({ influence: found }) {
  if (!found) return null;
  return more(
    "influence",
    "What carries the fit",
    table(
      "Runs without which the exponent a moves most",
      [
        { title: "run" },
        { title: "a (best N grows as budget^a) without it", numeric: true },
        { title: "shift, standard errors", numeric: true },
      ],
      found.largest.map((one) => [
        one.run,
        one.params_exponent.toFixed(4),
        one.shift_in_standard_errors.toFixed(2),
      ]),
    ),
  );
}

/** Buttons that fetch the scaling card and save it. */
function cards(tools) {
  const said = h("span", { class: "happened", role: "status" });
  const save = async (kind) => {
    said.textContent = "making the card …";
    try {
      const { runs, bootstrap, form, objective, hold_out, n, d, loss, units, force } = tools.values;
      const { card } = await tools.ask("laws fit", {
        runs,
        bootstrap: bootstrap || "400",
        form,
        objective,
        hold_out,
        n,
        d,
        loss,
        units,
        force,
        card: kind,
      });
      const link = h("a", {
        href: URL.createObjectURL(new Blob([card.text], { type: KINDS[kind][1] })),
        download: `scaling-card.${kind}`,
      });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
      said.textContent = `saved scaling-card.${kind}`;
    } catch (error) {
      said.textContent = error.message;
    }
  };
  return [
    h("h3", {}, "Scaling card"),
    h("p", { class: "note" }, "One file: how the law was made, what it says, and what speaks against it."),
    h(
      "div",
      { class: "actions", role: "group", "aria-label": "Scaling card" },
      Object.entries(KINDS).map(([kind, [label]]) =>
        h("button", { type: "button", onclick: () => save(kind) }, label),
      ),
      said,
    ),
  ];
}
