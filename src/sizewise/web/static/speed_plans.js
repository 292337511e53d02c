/** Plans to serve a load: a table, and what no other choice beats in money, time and quality. */

import { h, more, table } from "./dom.js";
import { fitted, scatter } from "./charts.js";
import { count, dollars, percent, seconds, short } from "./numbers.js";

const COLUMNS = [{ title: "rent" }, { title: "format" }, { title: "layout" }, { title: "first token", numeric: true },
  { title: "per token", numeric: true }, { title: "tokens/s", numeric: true }, { title: "meets", numeric: true },
  { title: "USD/h", numeric: true }, { title: "USD/M out", numeric: true }, { title: "loses", numeric: true }];
const LABELLED = 7;
const GROUPS = [["16 bits: no loss", (one) => !one.quality_loss],
  ["may add up to 5 %", (one) => one.quality_loss && one.quality_loss.high <= 0.05],
  ["may add more", (one) => one.quality_loss && one.quality_loss.high > 0.05]];

/** Return the drawn answer of `plan serve`. */
export function drawPlans(answer, tools) {
  if (answer.plans.length === 0) return none(answer, tools);
  const best = answer.plans[0];
  return [
    h("p", { class: "headline" }, "Cheapest for its chance: ", h("strong", {}, name(best)), ` with ${best.quant}, `,
      h("strong", {}, `${dollars(best.usd_per_hour.value)} an hour`), `, meets the targets with a chance of ${percent(best.meets_targets_probability)}.`),
    table("Plans that meet the targets", COLUMNS, answer.plans.map((one) => row(one, tools))),
    h("p", { class: "note" }, "loses: the most that the format is likely to add to perplexity; a button asks for the plan's speed"),
    h("h3", {}, "Money against time, by quality"),
    fitted((width) => picture(answer, width)),
    more("front", "The front in numbers", table("What no other choice beats in money, time and quality", COLUMNS,
      answer.pareto.map((one) => row(one, tools)))),
    h("h3", {}, "Start the cheapest"),
    h("pre", {}, h("code", {}, best.command)), best.command_notes.map((one) => h("p", { class: "note" }, one)),
    excluded(answer),
    h("p", { class: "note" }, `${rentOf(best)}; searched ${count(answer.tried)} configurations, ranked by USD per hour over the chance of meeting`),
  ].flat();
}

const name = (one) => `${one.devices} × ${one.device}`;
const layout = ({ replicas, parallel }) => `${replicas} × tp${parallel.tensor}${parallel.pipeline > 1 ? ` pp${parallel.pipeline}` : ""}`;
const rentOf = ({ rent }) => (rent ? `rent: ${rent.instances} × ${rent.instance} of ${rent.provider}, ${dollars(rent.usd_per_hour)} an hour, ${rent.as_of}` : "");

function row(one, tools) {
  const use = () => {
    tools.set("on", `${one.device}${one.count > 1 ? `:${one.count}` : ""}`);
    tools.set("quant", one.quant);
  };
  return [h("button", { type: "button", title: "ask for its speed", onclick: use }, name(one)), one.quant, layout(one),
    seconds(one.ttft_s.value), seconds(one.tpot_s.value), count(one.output_tokens_per_s.value), percent(one.meets_targets_probability),
    one.usd_per_hour.value.toFixed(2), short(one.usd_per_million_output_tokens.value),
    one.quality_loss ? `≤ ${percent(one.quality_loss.high)}` : "0 %"];
}

function picture(answer, width) {
  const shown = [...answer.pareto, ...answer.plans.filter((one) => !answer.pareto.some((other) => same(one, other)))];
  const front = new Set(answer.pareto.slice(0, width < 520 ? 4 : LABELLED));
  const groups = GROUPS.map(([group, holds]) => ({ name: group, points: shown.filter(holds).map((one) => ({
    x: one.usd_per_hour.value, y: one.tpot_s.value, label: front.has(one) ? name(one) : "",
    title: `${name(one)}, ${one.quant}: ${dollars(one.usd_per_hour.value)} an hour, ${seconds(one.tpot_s.value)} per token` })) }));
  const steps = [...answer.pareto].sort((left, right) => left.usd_per_hour.value - right.usd_per_hour.value);
  return scatter({ width, title: "Time per token against rent of the plans", groups: groups.filter((one) => one.points.length),
    front: lowest(steps.map((one) => [one.usd_per_hour.value, one.tpot_s.value])),
    x: { kind: "log10", label: "USD an hour", format: dollars }, y: { kind: "log10", label: "time per token", format: seconds } });
}

const same = (one, other) => ["device", "devices", "quant", "replicas", "runtime"].every((key) => one[key] === other[key])
  && one.parallel.tensor === other.parallel.tensor;

/** Return those points that are lower than all before them. */
function lowest(points) {
  let least = Infinity;
  return points.filter(([, up]) => up < least && ((least = up), true));
}

function excluded({ excluded: rows }) {
  if (!rows.length) return null;
  return more("excluded", "Why not other devices", table("Why not", [{ title: "device" }, { title: "why" }], rows.map((one) => [one.device, one.text])));
}

const TARGETS = { ttft: "time to first token", tpot: "time per token", budget: "budget" };

function none(answer, tools) {
  const near = answer.nearest.length ? table("The nearest", COLUMNS, answer.nearest.map((one) => row(one, tools))) : null;
  const names = answer.contradictions.map((name) => TARGETS[name] ?? name);
  const why = names.length ? `What stands in the way: ${names.join(" or ")}; without it the other targets can be met.`
    : "No single target stands in the way: without any one of them the others still leave nothing.";
  return [h("p", { class: "headline no" }, "No plan meets the targets."), h("p", {}, why), near, excluded(answer)];
}
