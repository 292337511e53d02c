/** What to change where a model does not fit. */

import { h, table } from "./dom.js";
import { gib, percent } from "./numbers.js";

const SHORT = { "-q": "quant", "-c": "context", "-np": "sequences", "-ctk": "cache_type_k", "-ctv": "cache_type_v" };

/** Return the table of changes, each with a button that makes it. */
export function changesTable(answer, tools) {
  if (answer.changes.length === 0) return null;
  return table("What to change", [{ title: "change" }, { title: "saves", numeric: true }, { title: "then needs", numeric: true },
    { title: "fits" }, { title: "perplexity" }, { title: "cost" }], answer.changes.map((one) => [
    change(one, tools), gib(one.saves), gib(one.needed),
    h("span", { class: one.fits ? "yes" : "no" }, one.fits ? "yes" : "no"), loss(one.quality_loss), one.cost]));
}

function change(one, tools) {
  const [name, value] = optionOf(one.option);
  if (!(name in tools.values)) return h("span", {}, one.change, " ", h("code", {}, one.option));
  return h("button", { type: "button", onclick: () => tools.set(name, value) }, one.change);
}

/** Return the field and value of an option as a command line has it: `-q awq`, `--offload`. */
export function optionOf(option) {
  const [flag, ...rest] = option.split(/[\s=]+/);
  return [SHORT[flag] ?? flag.replace(/^-+/, "").replaceAll("-", "_"), rest.length ? rest.join(" ") : true];
}

/** Return what a format adds to perplexity: nats per token become a part of it. */
export function loss(estimate) {
  if (!estimate) return "";
  const part = estimate.metric.startsWith("nats") ? (nats) => Math.expm1(nats) : (share) => share;
  const signed = (nats) => `${part(nats) >= 0 ? "+" : "−"}${percent(Math.abs(part(nats)))}`;
  return `${signed(estimate.value)} (${signed(estimate.low)} to ${signed(estimate.high)})`;
}
