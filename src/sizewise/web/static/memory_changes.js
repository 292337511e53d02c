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
  return changeButton(one, tools) ?? h("span", {}, one.change, " ", h("code", {}, one.option));
}

/** Return a button that makes a change, or null where the form lacks one of its options. `called`: {name: field}. */
export function changeButton({ change: label, option }, tools, called = {}) {
  const pairs = optionsOf(option).map(([name, value]) => [called[name] ?? name, value]);
  if (pairs.length === 0 || pairs.some(([name]) => !(name in tools.values))) return null;
  const make = () => pairs.forEach(([name, value]) => tools.set(name, value));
  return h("button", { type: "button", onclick: make }, label);
}

/** Return the names and values of options as a command line has them: `-q awq -c 3462`, `without --swa-full`. */
export function optionsOf(text) {
  return [...text.matchAll(/(without )?(?:^|\s|(?<=without ))(--?[a-zA-Z][\w-]*)(?:[\s=]+([^-\s]\S*))?/g)].map(([, without, flag, value]) =>
    [SHORT[flag] ?? flag.replace(/^-+/, "").replaceAll("-", "_"), without ? false : value ?? true]);
}

/** Return what a format adds to perplexity: nats per token become a part of it. */
export function loss(estimate) {
  if (!estimate) return "";
  const part = estimate.metric.startsWith("nats") ? (nats) => Math.expm1(nats) : (share) => share;
  const signed = (nats) => `${part(nats) >= 0 ? "+" : "−"}${percent(Math.abs(part(nats)))}`;
  return `${signed(estimate.value)} (${signed(estimate.low)} to ${signed(estimate.high)})`;
}
