/** The answer of a training plan: memory by part, layout, days, money, what to change. */

import { h, more, table } from "./dom.js";
import { fitted, stackedBars } from "./charts.js";
import { between, bytes, count, dollars, gib, large, percent, seconds, short } from "./numbers.js";
import { changesTable } from "./memory_changes.js";
import { flopText, valueFacts } from "./tab_parts.js";
import { tightNote, verdict } from "./verdict.js";

const PARTS = ["weights", "gradients", "optimizer", "activations", "buffers", "overhead"];
/** Whether devices are named, so that there is one fit and a layout. */
const asked = (answer, tools) => answer.layout !== null && answer.fits.length > 0 && Boolean(tools.values.on);

export function summary(answer) {
  const held = `${answer.model.name} holds ${bytes(answer.memory_per_device.total)} on each device`;
  return answer.days ? `${held}; ${short(answer.days.value)} days.` : `${held}.`;
}

export function draw(answer, tools) {
  return [
    headline(answer, tools),
    asked(answer, tools) ? tightNote(answer.fits) : null,
    fitted((width) => bars(answer, tools, width)),
    answer.host ? h("p", { class: "note" }, `on the host: ${bytes(answer.host)}`) : null,
    valueFacts(factsOf(answer)),
    layoutNote(answer),
    fitsTable(answer, tools),
    changesTable(answer, tools),
    timeTable(answer),
    phasesTable(answer),
    partsTable(answer),
    h("p", { class: "note" }, scenarioText(answer)),
  ].flat();
}

/** Whether the form says how many devices there are: `:8`, several names, or a count by itself. */
const named = (tools) => /[:,]/.test(tools.values.on);

function headline(answer, tools) {
  const total = h("strong", { class: "total" }, bytes(answer.memory_per_device.total));
  if (!asked(answer, tools)) return h("p", { class: "headline" }, "Holds ", total, " at its highest moment.");
  const [fit] = answer.fits;
  const spare = fit.usable - fit.needed;
  return h(
    "p",
    { class: "headline" },
    "Holds ",
    total,
    " on each of ",
    `${count(fit.count)} × ${fit.device}${named(tools) ? "" : " (the fewest found that hold it)"}: `,
    verdict([fit]),
    fit.fits ? `, ${gib(spare)} to spare.` : `, ${gib(-spare)} too much.`,
    ...(fit.fits && answer.days
      ? [
          " ",
          h("strong", {}, `${short(answer.days.value)} days`),
          ...(answer.usd ? [", ", h("strong", {}, dollars(answer.usd.value))] : []),
          ".",
        ]
      : []),
  );
}

function bars(answer, tools, width) {
  const stages = alike(answer.per_stage);
  const [fit] = asked(answer, tools) ? answer.fits : [];
  return stackedBars({
    width,
    format: gib,
    title: "Memory of a device by part",
    bars: stages.map((one) => ({
      label: stages.length > 1 ? `stage ${one.names}` : "each device",
      parts: PARTS.map((name) => ({ name, value: one[name] })).filter((part) => part.value),
      limits: fit ? [{ value: fit.usable, label: `${fit.device}: ${gib(fit.usable)}` }] : [],
    })),
  });
}

/** Join stages of a pipeline that hold the same. */
function alike(stages) {
  const found = [];
  for (const stage of stages) {
    const last = found[found.length - 1];
    if (last && PARTS.every((part) => last[part] === stage[part])) last.last = stage.stage;
    else found.push({ ...stage, first: stage.stage, last: stage.stage });
  }
  return found.map((one) => ({
    ...one,
    names: one.first === one.last ? `${one.first}` : `${one.first} to ${one.last}`,
  }));
}

function factsOf({
  days,
  device_hours: hours,
  usd,
  mfu,
  step_seconds: step,
  flops,
  parameters,
  fewest,
  speed,
}) {
  const range = (estimate, format) =>
    estimate.low === estimate.high ? estimate.status : `${between(estimate, format)}, ${estimate.status}`;
  return [
    days ? ["Time", `${short(days.value)} days`, range(days, short)] : null,
    usd ? ["Money", dollars(usd.value), range(usd, dollars)] : null,
    hours ? ["Device hours", count(hours.value), range(hours, count)] : null,
    mfu ? ["Model FLOPs utilization", percent(mfu.value), range(mfu, percent)] : null,
    step ? ["A step", seconds(step.value), range(step, seconds)] : null,
    speed?.tokens_per_second
      ? ["Tokens per second", count(speed.tokens_per_second), "all devices together"]
      : null,
    flops.run
      ? ["Compute", flopText(flops.run), `${flopText(flops.step)} a step, ${count(flops.steps)} steps`]
      : ["Compute of a step", flopText(flops.step), flops.status],
    ["Trained", large(parameters.trainable), `of ${large(parameters.total)} parameters`],
    fewest ? ["Fewest devices that hold it", count(fewest.devices), layoutText(fewest)] : null,
  ].filter(Boolean);
}

function layoutText(layout) {
  const sizes = [
    ["dp", "replicas"],
    ["tp", "tensor parallel"],
    ["pp", "stages"],
    ["cp", "parts of a sequence"],
    ["ep", "sharing experts"],
  ];
  const text = sizes
    .filter(([name]) => layout[name] > 1)
    .map(([name, what]) => `${count(layout[name])} ${what}`);
  if (layout.zero) text.push(`ZeRO-${layout.zero}`);
  return text.join(", ") || "one device";
}

function layoutNote({ layout, scenario }) {
  if (!layout) return null;
  const searched = layout.searched ? `searched: the best by ${layout.ranked_by}` : "as asked";
  return h(
    "p",
    {},
    h("strong", {}, "Layout: "),
    `${layoutText(layout)} (${searched}); recomputed: ${scenario.recompute}; ` +
      `${count(scenario.micro_batch)} sequence${scenario.micro_batch > 1 ? "s" : ""} on a device at once, ` +
      `${count(scenario.global_tokens)} tokens a step.`,
  );
}

function fitsTable(answer, tools) {
  if (asked(answer, tools)) return null;
  const holding = answer.fits
    .filter((fit) => fit.fits)
    .sort((left, right) => left.usable - right.usable)
    .slice(0, 10);
  if (holding.length === 0)
    return h(
      "p",
      { class: "no" },
      "No single device of the catalogue holds it; name several, e.g. h100-sxm:8.",
    );
  return table(
    "Smallest devices that hold it",
    [{ title: "device" }, { title: "usable", numeric: true }, { title: "spare", numeric: true }, { title: "fits" }],
    holding.map((fit) => [
      h("button", { type: "button", onclick: () => tools.set("on", fit.device) }, fit.device),
      gib(fit.usable),
      gib(fit.usable - fit.needed),
      verdict([fit], { fits: "yes", "fits tightly": "tight" }),
    ]),
  );
}

function timeTable({ speed, step_seconds: step }) {
  if (!speed?.terms || !step) return null;
  const rows = Object.entries(speed.terms)
    .filter(([, value]) => value > 0)
    .map(([name, value]) => [name, seconds(value), percent(value / step.value)]);
  return more(
    "time",
    `Where the time of a step goes: bound by ${speed.bound_by}`,
    table(
      "Time of a step",
      [{ title: "term" }, { title: "time", numeric: true }, { title: "share", numeric: true }],
      rows,
    ),
    h(
      "p",
      { class: "note" },
      `interval: ${speed.interval.basis}; ${percent(speed.goodput.value)} of the time makes progress (${speed.goodput.status})`,
    ),
  );
}

function phasesTable({ phases }) {
  const rows = Object.entries(phases).map(([name, value]) => [name.replaceAll("_", " "), gib(value)]);
  return more(
    "phases",
    "Highest moment of each phase",
    table(
      "Highest moment of each phase",
      [{ title: "phase" }, { title: "on a device", numeric: true }],
      rows,
    ),
  );
}

function partsTable({ memory_per_device: parts, intervals, status }) {
  const rows = [...PARTS, "total"]
    .filter((name) => name in parts)
    .map((name) => [
      name,
      gib(parts[name]),
      `${(parts[name] / 1e9).toFixed(2)} GB`,
      intervals[name] ? `${gib(intervals[name][0])} to ${gib(intervals[name][1])}` : "",
      h("span", { class: `status ${status[name]}` }, status[name]),
    ]);
  return more(
    "parts",
    "Parts in numbers",
    table(
      "Parts of the memory of a device",
      [
        { title: "part" },
        { title: "GiB", numeric: true },
        { title: "GB", numeric: true },
        { title: "between" },
        { title: "how sure" },
      ],
      rows,
    ),
  );
}

function scenarioText({ model, scenario }) {
  const adapters = scenario.rank
    ? `, rank ${scenario.rank}${scenario.quant ? ` beside ${scenario.quant}` : ""}`
    : "";
  return (
    `${model.name}: ${scenario.method}${adapters}, ${scenario.precision}, ${scenario.optimizer}, sequences of ` +
    `${count(scenario.seq)} tokens; ${model.origin}`
  );
}
