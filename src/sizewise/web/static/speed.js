/** Speed and cost: how fast a model answers, what that costs, and what to rent. */

import { h, table } from "./dom.js";
import { fitted, stackedBars } from "./charts.js";
import { between, count, dollars, percent, seconds, short } from "./numbers.js";
import { contextField, deviceFields, engineFields, modelField, quantField, sequencesField } from "./fields_common.js";
import { changeButton, loss } from "./memory_changes.js";
import { breakEven } from "./speed_cost.js";
import { drawPlans } from "./speed_plans.js";

const ENGINES = ["auto", "vllm", "sglang", "llama.cpp", "ollama", "transformers", "mlx"];
const PERCENTILES = [["", "mean"], ["50", "half of the requests"], ["90", "90 of 100"], ["99", "99 of 100"]];

const number = (name, label, bounds = {}) => ({ name, label, kind: "number", more: true, ...bounds });
const text = (name, label, hint, rest = {}) => ({ name, label, kind: "text", hint, ...rest });

export default {
  about: "How fast it answers, what that costs, and what to rent.",
  fields: [
    modelField(), quantField(), ...deviceFields("h100-sxm", "a device, :2 for two of a kind"),
    { ...sequencesField("users", "Users at once", "32", 1024), always: true },
    contextField("1024", "input", "Tokens of a prompt"), contextField("256", "output_tokens", "Tokens of an answer"),
    text("ttft", "Target: time to first token", "e.g. 1s", { value: "2s" }),
    text("tpot", "Target: time per token", "e.g. 50ms", { value: "100ms" }),
    ...engineFields(ENGINES),
    text("api_price", "Compare with an API", "USD per million tokens in, out: 0.15,0.6", { value: "0.15,0.6" }),
    text("usd_per_hour", "Price of a device, USD an hour", "empty: the catalogue's"),
    text("against", "Or an API of the catalogue", "a model, or model:provider", { more: true }),
    { name: "kv_cache_dtype", label: "Cache format", kind: "names", names: "cache_formats", more: true },
    number("utilization", "Share of the paid time at this load", { min: 0.01, max: 1, step: 0.01 }),
    number("prefix_hit", "Part of a prompt that is cached", { min: 0, max: 0.99, step: 0.01 }),
    number("draft_tokens", "Tokens drafted ahead", { min: 1, max: 64, step: 1 }),
    number("acceptance", "Chance that a drafted token is accepted", { min: 0, max: 0.99, step: 0.01 }),
    number("tensor_parallel_size", "Tensor parallel", { min: 1, step: 1 }),
    number("gpu_memory_utilization", "Share of the device to take (vLLM, SGLang)", { min: 0.01, max: 1, step: 0.01 }),
    { name: "p", label: "The first-token target speaks of", kind: "choice", choices: PERCENTILES, more: true },
    text("budget", "Plans: at most", "5usd/h or 3000usd/month", { more: true }),
    number("sure", "Plans: chance of meeting the targets", { min: 0.01, max: 0.99, step: 0.01 }),
    number("max_loss", "Plans: most that a format may add to perplexity", { min: 0, max: 1, step: 0.01 }),
    { name: "plan_on", label: "Plans: devices", kind: "names", names: "devices", many: true, more: true,
      hint: "empty: all with a price" },
    text("plan_quant", "Plans: weight formats", "with commas; empty: those that servers load", { more: true }),
  ],
  questions: (values) => [speedOf(values), planOf(values)],
};

function speedOf({ users, p, budget, sure, max_loss: maxLoss, plan_on: planOn, plan_quant: planQuant, ...values }) {
  return { name: "speed", title: "Speed and cost", verb: "speed", values: { ...values, concurrency: users },
    called: { users: "concurrency" }, explain: true, summary, draw };
}

const PLANNED = ["vllm", "sglang"];

function planOf(values) {
  const engine = PLANNED.includes(values.runtime) ? values.runtime : "";
  const { model, users, input, ttft, tpot, p, budget, sure, prefix_hit: hit, kv_cache_dtype: cache } = values;
  return { name: "plan", title: "What to rent", verb: "plan serve", slow: true, notes: leftOut(values),
    called: { output_tokens: "output", plan_on: "on", plan_quant: "quant" },
    values: { model, users, input, output: values.output_tokens, ttft, tpot, p, budget, sure, prefix_hit: hit,
      kv_cache_dtype: cache, max_loss: values.max_loss, on: values.plan_on, quant: values.plan_quant, runtime: engine,
      usd_per_hour: values.plan_on ? values.usd_per_hour : "" },
    summary: (answer) => (answer.plans.length ? `Cheapest plan: ${answer.plans[0].devices} times ${answer.plans[0].device}.` : "No plan meets the targets."),
    draw: drawPlans };
}

/** Return what plans do not take over from the form, as sentences. */
export function leftOut(values) {
  const says = [
    [values.quant && !values.plan_quant, `Plans try several formats, not ${values.quant} alone; “Plans: weight formats” names some.`],
    [values.runtime && !PLANNED.includes(values.runtime), `Plans are made for vLLM and SGLang, not for ${values.runtime}.`],
    [values.usd_per_hour && !values.plan_on, "Plans take prices of the catalogue, and your own price with “Plans: devices” alone."],
    [values.utilization, "Plans are for the users at all times: the share of the paid time is left out."],
  ];
  return says.filter(([left]) => left).map(([, text]) => text);
}

function summary({ speed, targets, memory }) {
  const chance = targets.meets_probability === null ? "" : ` The targets are met with a chance of ${percent(targets.meets_probability)}.`;
  return `${memory.fits ? "" : "It does not fit into the memory. "}First token after ${seconds(speed.ttft_s.value)}, then ${seconds(speed.tpot_s.value)} per token, `
    + `${short(speed.output_tokens_per_s.value)} tokens per second.${chance}`;
}

function draw(answer, tools) {
  return [
    headline(answer), facts(answer),
    h("h3", {}, "What the time is spent on"),
    fitted((width) => terms(answer, "ttft_s", "first token", width)),
    fitted((width) => terms(answer, "tpot_s", "each token", width)),
    breakEven(answer), changes(answer, tools), note(answer),
  ].flat();
}

function headline({ speed, targets, memory }) {
  const chance = targets.meets_probability;
  return h("p", { class: "headline" }, memory.fits ? "" : h("span", { class: "no" }, "It does not fit into the memory; if it did: "),
    "First token after ", h("strong", {}, seconds(speed.ttft_s.value)), ", then ",
    h("strong", {}, seconds(speed.tpot_s.value)), " per token. ",
    chance === null ? "" : h("span", { class: chance >= 0.5 ? "yes" : "no" }, `Targets met with a chance of ${percent(chance)}.`));
}

function facts({ speed, cost }) {
  const fact = (label, value, small) => h("div", {}, h("dt", {}, label), h("dd", {}, value, h("small", {}, small)));
  const shown = (estimate, format) => [format(estimate.value), between(estimate, format)];
  const rows = [
    ["Time to first token", ...shown(speed.ttft_s, seconds)],
    ["Time per token", ...shown(speed.tpot_s, seconds)],
    ["Output tokens a second, all users", ...shown(speed.output_tokens_per_s, short)],
    ["Tokens a second, each user", short(1 / speed.tpot_s.value), between({ low: 1 / speed.tpot_s.high, high: 1 / speed.tpot_s.low }, short)],
  ];
  if (cost?.usd_per_hour) {
    rows.push(["Per million output tokens", ...shown(cost.usd_per_million_output, dollars)],
      ["Per million tokens of all", ...shown(cost.usd_per_million_total, dollars)],
      ["Rent an hour", ...shown(cost.usd_per_hour, dollars)]);
  }
  if (cost?.joules_per_output_token) rows.push(["Energy per output token", ...shown(cost.joules_per_output_token, (one) => `${short(one)} J`)]);
  return h("dl", { class: "facts" }, rows.map((row) => fact(...row)));
}

function terms(answer, name, label, width) {
  const parts = joined(Object.entries(answer.terms[name]).filter(([, value]) => value > 0).map(([part, value]) => ({ name: part, value })));
  const target = answer.targets[name]?.target;
  const total = parts.reduce((sum, part) => sum + part.value, 0);
  const limits = target && target < 6 * total ? [{ value: target, label: `target: ${seconds(target)}` }] : [];
  return stackedBars({ width, bars: [{ label, parts, limits }], format: seconds, title: `Parts of the time of the ${label}` });
}

const COLOURS = 8;

/** Join the least of more parts than there are colours; the formulas have all of them. */
export function joined(parts) {
  if (parts.length <= COLOURS) return parts;
  const kept = new Set([...parts].sort((left, right) => right.value - left.value).slice(0, COLOURS - 1));
  const value = parts.filter((part) => !kept.has(part)).reduce((sum, part) => sum + part.value, 0);
  return [...parts.filter((part) => kept.has(part)), { name: "others", value }];
}

function changes(answer, tools) {
  if (!answer.changes?.length) return null;
  const factor = (value) => `${short(value, 2)} ×`;
  const made = (one) => changeButton(one, tools, { concurrency: "users" }) ?? `${one.change} (${one.option})`;
  return table("What would change the times", [{ title: "change" }, { title: "time per token", numeric: true },
    { title: "first token", numeric: true }, { title: "perplexity" }],
  answer.changes.map((one) => [made(one), factor(one.tpot_factor), factor(one.ttft_factor), loss(one.quality_loss)]));
}

function note({ model, scenario, load, speed, memory, residuals }) {
  return h("p", { class: "note" }, `${model.name}: weights ${scenario.quant}, cache ${scenario.kv_cache_dtype}, ${scenario.runtime}; `
    + `${count(load.input)} tokens in, ${count(load.output)} out; each token is bound by ${speed.bound_by}, the first by ${speed.ttft_bound_by}; `
    + `${heldText(memory)}. Intervals: ${[...new Set(Object.values(residuals))].join("; ")}.`);
}

function heldText({ fits, most_running: most }) {
  if (!fits) return "it does not fit into the memory";
  return Number.isFinite(most) ? `the memory holds ${short(most)} requests at once` : "how many requests the memory holds is not known";
}
