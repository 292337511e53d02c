/** What size: which models do a task on a device, and the guide to sizes. */

import { h, more, table } from "./dom.js";
import { fitted, scatter } from "./charts.js";
import { between, count, dollars, GIB, gib, large, seconds, short } from "./numbers.js";
import { contextField, deviceFields, engineFields } from "./fields_common.js";
import { drawGuide } from "./size_guide.js";

const TASKS = [
  "general knowledge",
  "reasoning",
  "mathematics",
  "code",
  "instructions",
  "long context",
  "multilingual",
];

export default {
  about: "What size of model a task needs, at which quality, on which device; and what sizes can do.",
  fields: [
    {
      name: "task",
      label: "Task",
      kind: "choice",
      value: "code",
      choices: TASKS.map((task) => [task, task]),
    },
    {
      name: "quality",
      label: "Quality",
      kind: "text",
      value: "60",
      hint: "right answers in per cent, humaneval=70, or a model to be as good as; empty: the best",
    },
    ...deviceFields("rtx-4090"),
    contextField("8192"),
    { name: "tpot", label: "Time per token at most", kind: "text", hint: "e.g. 50ms" },
    { name: "ttft", label: "Time to the first token at most", kind: "text", hint: "e.g. 1s" },
    { name: "memory", label: "Memory", kind: "text", hint: "instead of a device's, e.g. 24GiB", more: true },
    { name: "users", label: "Users who wait at all times", kind: "number", min: 1, step: 1, more: true },
    { name: "budget", label: "Budget for renting", kind: "text", hint: "5usd/h, 3000usd/month", more: true },
    { name: "input", label: "Tokens of a prompt", kind: "number", min: 1, step: 1, own: true, more: true },
    { name: "output", label: "Tokens of an answer", kind: "number", min: 1, step: 1, more: true },
    {
      name: "quant",
      label: "Weight formats",
      kind: "names",
      names: "formats",
      many: true,
      own: true,
      hint: "empty: the usual ones",
      more: true,
    },
    ...engineFields(["auto", "llama.cpp", "vllm"]).map((field) => ({ ...field, own: true, more: true })),
    { name: "top", label: "Models that are shown", kind: "number", min: 1, max: 100, step: 1, more: true },
  ],
  questions: (values) => [
    {
      name: "choose",
      title: "Models that do it",
      verb: "choose",
      values,
      slow: true,
      explain: false,
      summary,
      draw,
    },
    {
      name: "guide",
      title: "A guide to sizes",
      verb: "choose",
      values: { guide: true },
      explain: false,
      once: true,
      summary: () => "",
      draw: drawGuide,
    },
  ],
};

const shortName = (name) => name.split("/").pop();

function summary({ choose }) {
  const { size_class: found } = choose;
  return found
    ? `The smallest is ${found.model}, ${large(found.parameters)} parameters.`
    : "No model of the catalogue does it.";
}

function draw({ choose, scenario }, tools) {
  const { candidates, excluded, size_class: found } = choose;
  return [
    found
      ? h(
          "p",
          { class: "headline" },
          found.sure ? "The smallest that surely does it: " : "The smallest that may do it: ",
          h("strong", { class: "total" }, shortName(found.model)),
          `, ${large(found.parameters)} parameters, class ${found.total.name}.`,
        )
      : h(
          "p",
          { class: "headline no" },
          "No model that is known does it; ask for less, or name a larger device.",
        ),
    candidates.length ? fitted((width) => front(candidates, choose.quality, width)) : null,
    candidates.length ? candidatesTable(candidates, scenario, tools) : null,
    candidates.length
      ? more(
          "commands",
          "How they are started",
          candidates.map((one) =>
            h(
              "div",
              {},
              h("p", { class: "note" }, shortName(one.model)),
              h("pre", {}, h("code", {}, one.command)),
            ),
          ),
        )
      : null,
    excluded.length
      ? more(
          "excluded",
          "Why not others",
          table(
            "Models that are left out",
            [{ title: "model" }, { title: "parameters", numeric: true }, { title: "why" }],
            excluded.map((one) => [shortName(one.model), large(one.parameters), one.text]),
          ),
        )
      : null,
    h(
      "p",
      { class: "note" },
      `${count(choose.known_models)} models with scores, ${count(choose.unknown_models)} without; ` +
        `qualities are published scores of ${choose.quality?.benchmark ?? "the task's benchmark"} or estimates that say so`,
    ),
  ].flat();
}

function front(candidates, quality, width) {
  const point = (one) => ({
    x: one.memory,
    y: one.quality.value,
    label: width > 500 ? shortName(one.model) : "",
    title: `${one.model} in ${one.quant}: ${gib(one.memory)}, ${short(one.quality.value)} %`,
  });
  const groups = [["surely good enough", true], ["may be"]]
    .map(([name, sure = false]) => ({
      name,
      points: candidates.filter((one) => one.sure === sure).map(point),
    }))
    .filter((group) => group.points.length);
  const levels = candidates.map((one) => one.quality.value);
  return scatter({
    width,
    height: 300,
    title: "Quality against memory",
    groups,
    x: {
      kind: "linear",
      label: "memory, GiB",
      format: (value) => String(Math.round(value / GIB)),
      unit: GIB,
    },
    y: {
      kind: "linear",
      label: `${quality?.benchmark ?? "score"}, %`,
      format: (value) => short(value),
      domain: [
        Math.max(0, Math.min(...levels, quality?.percent ?? 100) - 4),
        Math.min(100, Math.max(...levels) + 4),
      ],
    },
  });
}

function candidatesTable(candidates, scenario, tools) {
  const paid = candidates.some((one) => one.cost);
  const columns = [
    { title: "model" },
    { title: "sure" },
    { title: "parameters", numeric: true },
    { title: "format" },
    { title: "memory", numeric: true },
    { title: "quality, %", numeric: true },
    { title: "between", numeric: true },
    { title: "tokens/s", numeric: true },
    { title: "first token", numeric: true },
    ...(paid
      ? [
          { title: "USD/h", numeric: true },
          { title: "USD/M tokens", numeric: true },
        ]
      : []),
  ];
  return table(
    "Smallest first",
    columns,
    candidates.map((one) => [
      h("a", { href: memoryOf(one, scenario, tools) }, shortName(one.model)),
      h("span", { class: one.sure ? "yes" : "" }, one.sure ? "yes" : "may be"),
      one.active && one.active !== one.parameters
        ? `${large(one.parameters)}, ${large(one.active)} active`
        : large(one.parameters),
      one.quant,
      gib(one.memory),
      short(one.quality.value),
      h("span", { title: one.quality.basis }, between(one.quality, short)),
      one.speed ? short(one.speed.output_tokens_per_s.value) : "",
      one.speed ? seconds(one.speed.ttft_s.value) : "",
      ...(paid
        ? [
            one.cost ? dollars(one.cost.usd_per_hour.value) : "",
            one.cost ? dollars(one.cost.usd_per_million_output_tokens.value) : "",
          ]
        : []),
    ]),
  );
}

/** Return the address of a candidate's memory on this page. */
function memoryOf(one, scenario, tools) {
  const query = new URLSearchParams({
    tab: "memory",
    model: one.model,
    quant: one.quant,
    context: scenario.context,
  });
  if (tools.values.on) query.set("on", tools.values.on);
  return `?${query}`;
}
