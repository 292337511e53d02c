/** The steps from a model's shape to its numbers. */

import { h, more, table } from "./dom.js";
import { fitted, stackedBars } from "./charts.js";
import { tree } from "./explain.js";
import { bytes, count, gib, large, percent, short } from "./numbers.js";
import { keptAnswer, later, opened } from "./later.js";
import { flopText, nats } from "./tab_parts.js";

const ROLES = {
  embedding: "a row of numbers for each word of the vocabulary",
  position: "a row for each place in the text, where places are learned",
  attention: "matrices that make queries, keys and values of each token, and bring them together again",
  feed_forward: "two or three matrices that widen each token and narrow it again",
  state_space: "matrices and scales of a memory of fixed size that each token changes",
  expert: "many such feed-forward layers, of which each token takes a few",
  shared_expert: "feed-forward layers that every token takes, beside the experts",
  router: "a small matrix that chooses the experts of a token",
  norm: "a few scales that keep numbers in range",
  vision: "what turns pictures into rows of numbers",
  audio: "what turns sound into rows of numbers",
  projector: "from the width of pictures or sound to the width of the text",
  other: "what a class has beside",
  head: "from the last layer back to the vocabulary; none is stored where it shares the embedding",
};
const FORMATS = ["fp32", "bf16", "fp8", "bnb-int8", "nf4", "awq", "q8_0", "q6_k", "q4_k_m", "q2_k"];
const TRAININGS = [
  ["fp32, Adam", { precision: "fp32", optimizer: "adamw" }],
  ["bf16 with an fp32 copy, Adam", { precision: "bf16-master", optimizer: "adamw" }],
  ["bf16 work on fp32 weights, Adam", { precision: "bf16-mixed", optimizer: "adamw" }],
  ["fp32 gradients as well (Megatron)", { precision: "megatron", optimizer: "adamw" }],
  ["all in bf16, Adam", { precision: "bf16", optimizer: "adamw" }],
  ["bf16 with an fp32 copy, Adam in 8 bit", { precision: "bf16-master", optimizer: "adamw-8bit" }],
  ["low-rank adapters", { method: "lora" }],
  ["adapters beside packed weights", { method: "qlora" }],
];

export function drawParameters(answer, tools, asked) {
  const { model, parameters, lines } = answer;
  return [
    h(
      "p",
      { class: "headline" },
      h("strong", { class: "total" }, count(parameters.total)),
      " parameters",
      parameters.active && parameters.active !== parameters.total
        ? `, of which a token uses ${count(parameters.active)}`
        : "",
      ` in ${model.name}.`,
    ),
    h(
      "p",
      {},
      "A parameter is a number that training has set: the entries of the matrices and scales below. ",
      "A matrix from D numbers to F has D · F of them, and F more where there is a bias.",
    ),
    fitted((width) =>
      stackedBars({
        width,
        format: large,
        title: "Parameters by role",
        bars: [
          {
            label: model.name.split("/").pop(),
            parts: Object.entries(parameters.by_role).map(([name, value]) => ({
              name: name.replaceAll("_", " "),
              value,
            })),
          },
        ],
      }),
    ),
    roles(parameters),
    more("steps", "Every matrix, step by step", h("div", { class: "lines" }, tree(lines, "params", true))),
    h("h3", {}, "From parameters to bytes"),
    h(
      "p",
      {},
      "Weights take bits per parameter, with the scales that a format stores and the matrices that it leaves alone. ",
      "So a 4-bit format is never 4 bits on the whole:",
    ),
    later(() => formats(asked, parameters.total, tools)),
    h("h3", {}, "Training: the rule of 16 bytes, and where it breaks"),
    h(
      "p",
      {},
      "Weights, gradients and two moments of Adam, each in 4 bytes, are 16 bytes a parameter; two bytes for weights and gradients ",
      "beside an fp32 copy come to the same. Other recipes do not, activations come on top, and adapters train next to nothing:",
    ),
    opened("training", "Bytes a parameter by recipe", () => trainings(asked, tools)),
    h("h3", {}, "How much text such a size is worth"),
    later(() => chinchilla(parameters, tools)),
  ];
}

function roles(parameters) {
  const shown = table(
    "What they are for",
    [
      { title: "role" },
      { title: "parameters", numeric: true },
      { title: "share", numeric: true },
      { title: "what it is" },
    ],
    Object.entries(parameters.by_role).map(([name, value]) => [
      name.replaceAll("_", " "),
      count(value),
      percent(value / parameters.total),
      ROLES[name] ?? "",
    ]),
  );
  shown.classList.add("prose");
  return shown;
}

async function formats(model, parameters, tools) {
  const rows = [];
  for (const quant of FORMATS) {
    const answer = await keptAnswer(tools.ask, "memory", {
      model,
      quant,
      context: 1,
      runtime: "ideal",
    }).catch(() => null);
    if (answer) rows.push([quant, answer.memory.weights]);
  }
  if (rows.length === 0) throw new Error("no format takes this model");
  const sixteen = rows.find(([quant]) => quant === "bf16")?.[1];
  return table(
    "Weights of this model",
    [
      { title: "format" },
      { title: "GiB", numeric: true },
      { title: "GB", numeric: true },
      { title: "bits a parameter", numeric: true },
      { title: "smaller than 16 bit by", numeric: true },
    ],
    rows.map(([quant, held]) => [
      quant,
      gib(held),
      `${(held / 1e9).toFixed(2)} GB`,
      short((8 * held) / parameters),
      sixteen ? `${short(sixteen / held)} ×` : "",
    ]),
  );
}

async function trainings(model, tools) {
  const rows = [];
  for (const [name, recipe] of TRAININGS) {
    const answer = await keptAnswer(tools.ask, "plan train", { model, seq: 2048, ...recipe }).catch(
      (problem) => ({ problem }),
    );
    if (answer.problem) {
      rows.push([name, "", "", "", "", answer.problem.message]);
      continue;
    }
    const { memory_per_device: parts, parameters } = answer;
    const each = (value) => short(value / parameters.total);
    rows.push([
      name,
      each(parts.weights),
      each(parts.gradients),
      each(parts.optimizer),
      h("strong", {}, each(parts.weights + parts.gradients + parts.optimizer)),
      gib(parts.activations),
    ]);
  }
  return table(
    "Bytes a parameter that are held on one device, sequences of 2,048 tokens",
    [
      { title: "recipe" },
      { title: "weights", numeric: true },
      { title: "gradients", numeric: true },
      { title: "optimizer", numeric: true },
      { title: "together", numeric: true },
      { title: "activations at the highest moment", numeric: true },
    ],
    rows,
  );
}

async function chinchilla({ total, active }, tools) {
  const {
    optimum,
    flat,
    law,
    other_laws: others,
  } = await keptAnswer(tools.ask, "laws optimal", { params: String(total), force: true });
  return [
    h(
      "p",
      {},
      active && active !== total
        ? "Taken as a dense model of all its parameters, which it is not: the best use of compute alone: "
        : "The best use of compute alone, as the Chinchilla paper asked it: ",
      h("strong", {}, `${large(optimum.tokens)} tokens`),
      `, ${short(optimum.tokens_per_param)} for each parameter, ${flopText(optimum.flops)}, loss ${nats(optimum.loss)} nats per token (${law}). `,
      `At that budget any size from ${large(flat[flat.length - 1].params_low)} to ${large(flat[flat.length - 1].params_high)} costs at most `,
      `${percent(flat[flat.length - 1].loss_excess)} of the loss, and ${count(others.length)} published laws name ${large(others[0].params)} to ${large(others[others.length - 1].params)}. `,
      'The "20 tokens per parameter" that everyone quotes is a rule of thumb; what serves many people is trained on far more. ',
      h(
        "a",
        {
          href: `?${new URLSearchParams({ tab: "laws", flops: optimum.flops.toPrecision(3).replace("+", "") })}`,
        },
        "See the curves.",
      ),
    ),
  ];
}

export function drawCache(answer, tools, model) {
  const { memory, scenario, lines } = answer;
  const cache = lines.parts.find((part) => part.name === "cache");
  return [
    h(
      "p",
      { class: "headline" },
      h("strong", { class: "total" }, bytes(memory.cache)),
      ` at ${count(scenario.context)} tokens.`,
    ),
    h(
      "p",
      {},
      "To write the next token a model needs something of all earlier ones, and keeps it: in a layer with attention a key and ",
      "a value of each token, or of those in its window; in a recurrent layer a state of one size. Every sequence at once has ",
      "its own, while the weights stay as they are; fewer key/value heads, windows, latent attention and recurrent layers make ",
      "it smaller, 8-bit formats halve keys and values.",
    ),
    later(() => growth(answer, tools, model)),
    fitted((width) =>
      stackedBars({
        width,
        format: gib,
        title: "Weights and cache",
        bars: [
          {
            label: `${answer.model.name.split("/").pop()} in ${scenario.quant}`,
            parts: [
              { name: "weights", value: memory.weights },
              { name: "cache", value: memory.cache },
            ],
          },
        ],
      }),
    ),
    cache ? more("cache", "Its formula", h("div", { class: "lines" }, tree(cache, "cache", true))) : null,
    h(
      "p",
      { class: "note" },
      "Weights and cache alone are the floor; what an engine takes beside them is on the tab Memory.",
    ),
  ];
}

/** Say what half the context takes: whether this model's cache grows with every token. */
async function growth({ memory, scenario }, tools, model) {
  if (!memory.cache) return h("p", {}, "This model keeps nothing of earlier tokens.");
  const context = Math.max(1, Math.floor(scenario.context / 2));
  const half = await keptAnswer(tools.ask, "memory", { model, context, runtime: "ideal" });
  const perToken = memory.cache / scenario.context;
  const times = perToken / (half.memory.cache / context);
  const shorter = `At ${count(context)} tokens it is ${bytes(half.memory.cache)}`;
  if (memory.cache === half.memory.cache) return h("p", {}, `${shorter} too: this model keeps a state of one size.`);
  if (times > 0.999) return h("p", {}, `${shorter}: each token takes ${count(perToken)} bytes.`);
  return h("p", {}, `${shorter}: it grows by less than the context, as a part of its layers keeps a window or a state.`);
}
