/** Money: own devices against an API. */

import { h } from "./dom.js";
import { fitted, lines } from "./charts.js";
import { dollars, large, percent } from "./numbers.js";

const HOURS = 24;
const STEPS = 80;

/** Return the comparison of an answer with an API, or nothing where none was asked for. */
export function breakEven({ cost }) {
  const found = cost?.break_even;
  if (!found) return null;
  if (!found.share_of_capacity || !cost.usd_per_hour) {
    return [h("h3", {}, "Own devices or an API"),
      h("p", {}, "Not compared: there is no price of these devices for this load; “Price of a device” takes your own.")];
  }
  const share = found.share_of_capacity.value;
  const doubt = found.share_of_capacity.low > 1 ? "do not" : "may not";
  const told = share <= 1
    ? `From ${large(found.tokens_per_day.value)} tokens a day (${large(found.requests_per_day.value)} requests) the devices cost less: `
      + `${percent(share)} of the ${span(found.capacity_tokens_per_day)} that they serve ${alone(found) ? "at this load," : "with"} ${found.capacity_at}.`
    : `${alone(found) ? "At this load the" : "The"} devices ${doubt} cost less: it would take ${large(found.tokens_per_day.value)} tokens a day, `
      + `and they serve ${span(found.capacity_tokens_per_day)} with ${found.capacity_at}.`;
  return [h("h3", {}, "Own devices or an API"),
    h("p", {}, `${found.against}: ${dollars(found.api_usd_per_million.value)} per million tokens of this mix. `,
      h("strong", { class: share <= 1 ? "yes" : "no" }, told)),
    fitted((width) => picture(cost, found, width)),
    h("p", { class: "note" }, `prices: ${[cost.usd_per_hour, found.api_usd_per_million].map((one) => [...new Set([one.source, one.as_of])]
      .filter((text, place, all) => place === 0 || !all[0].includes(text)).join(", ")).join("; ")}`)];
}

/** Tell whether no load but the one that was asked for was looked at. */
function alone({ capacity_basis: basis }) {
  return basis === "this_load";
}

function span({ value, low, high }) {
  return low === high ? large(value) : `${large(value)} (${large(low)} to ${large(high)})`;
}

function picture(cost, found, width) {
  const capacity = found.capacity_tokens_per_day.value;
  const rent = HOURS * cost.usd_per_hour.value;
  const meet = found.tokens_per_day.value;
  const [from, to] = [Math.min(meet, capacity) / 30, Math.max(meet, capacity) * 3];
  const tokens = Array.from({ length: STEPS + 1 }, (_, step) => from * (to / from) ** (step / STEPS));
  const last = alone(found) ? capacity : to;
  const own = [...tokens, capacity, capacity * 1.0001, 2 * capacity, 2 * capacity * 1.0001].filter((one) => one <= last)
    .sort((left, right) => left - right).map((one) => [one, rent * Math.ceil(one / capacity - 1e-9)]);
  const api = tokens.map((one) => [one, (one * found.api_usd_per_million.value) / 1e6]);
  const axis = { kind: "log10", format: (value) => large(value).replace(" ", "") };
  return lines({
    width, height: 280, title: "Cost per day against tokens per day",
    series: [{ name: "own devices", points: own }, { name: found.against, points: api }],
    uprights: [{ value: capacity, label: alone(found) ? "this load" : "the most that they serve" }],
    marks: meet <= capacity ? [{ x: meet, y: rent, label: `${large(meet)} tokens` }] : [],
    x: { ...axis, label: "tokens a day" }, y: { ...axis, label: "USD a day", format: (value) => dollars(value) },
  });
}
