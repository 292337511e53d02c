/** What four popular texts say, what is asked of the service instead, and why the two differ. */

import { count, gib, large, short } from "./numbers.js";
import { flopText, nats } from "./tab_parts.js";

const weightsOf = (model, quant) => ["memory", { model, quant, context: 1, runtime: "ideal" }];
const gb = (held) =>
  held < 1e9
    ? `${(held / 1e6).toFixed(1)} MB = ${(held / 2 ** 20).toFixed(1)} MiB`
    : `${(held / 1e9).toFixed(2)} GB = ${gib(held)}`;
const SHAPE = { layers: 12, hidden: 512, heads: 8, vocab: 50000 };

export const SOURCES = [
  {
    title: "A question-and-answer text",
    examples: [
      {
        about: "The bytes of a size",
        said: '7 B at two bytes are 13.0 "GB", 70 B are 130.2 "GB"',
        asks: [weightsOf("7b", "fp16"), weightsOf("70b", "fp16")],
        right: (seven, seventy) => `${gb(seven.memory.weights)}; ${gb(seventy.memory.weights)}`,
        why: "it divides by 1024³ and prints GB; its own code prints another figure than its comment",
      },
      {
        about: "7–8B models take 8 to 16 GB",
        said: "8–16 GB",
        asks: [
          weightsOf("mistral-7b-v0.1", "bf16"),
          weightsOf("llama-3.1-8b", "bf16"),
          weightsOf("gemma-7b", "bf16"),
        ],
        right: (...models) =>
          models.map((one) => `${one.model.name.split("/").pop()} ${gb(one.memory.weights)}`).join("; "),
        why: '"7B" is a name: in 16 bit some are above the range before there is any cache',
      },
      {
        about: "DeepSeek-V2 among the 120–180B models",
        said: "2–4 × A100",
        asks: [["params", { model: "deepseek-v2" }], weightsOf("deepseek-v2", "bf16")],
        right: ({ parameters }, { memory }) =>
          `${large(parameters.total)} parameters, ${gb(memory.weights)}; a token uses ${large(parameters.active)} of them`,
        why: "a mixture of experts computes with few of its parameters and holds all of them",
      },
      {
        about: '"8B runs on 8 GB RAM"',
        said: "8 GB",
        asks: [
          ["memory", { model: "llama-3.1-8b", quant: "q4_k_m", context: 4096, runtime: "ollama" }],
          ["memory", { model: "llama-3.1-8b", quant: "q4_k_m", context: 131072, runtime: "ollama" }],
        ],
        right: (near, far) =>
          `${gib(near.memory.total)} at ${count(near.scenario.context)} tokens, ${gib(far.memory.total)} at ${count(far.scenario.context)}`,
        why: "true for short contexts alone: the cache grows with every token",
      },
    ],
  },
  {
    title: "An explainer",
    examples: [
      {
        about: "Twice the size improves the loss predictably",
        said: "doubling helps, by how much is left open",
        asks: [["laws loss", { params: "7e9", tokens: "140e9" }]],
        right: (answer) => {
          const twice = answer.doubling.find((one) => one.bought === "params");
          return `${nats(answer.loss)} falls by ${nats(twice.gain)} to ${nats(twice.loss)} nats per token`;
        },
        why: "only the part of the loss that depends on size shrinks; there is a floor, and data have to grow as well",
      },
      {
        about: '"Small, 1B to 7B: GPT-2"',
        said: "1B–7B",
        asks: [
          ["params", { model: "gpt2" }],
          ["params", { model: "gpt2-xl" }],
        ],
        right: (least, most) =>
          `${count(least.parameters.total)} to ${count(most.parameters.total)} parameters`,
        why: "below the band, or at its edge",
      },
      {
        about: '"Large models need multiple GPUs"',
        said: "several GPUs",
        asks: [
          [
            "memory",
            { model: "llama-3.1-70b", quant: "q4_k_m", context: 4096, on: "l40s", runtime: "llama.cpp" },
          ],
        ],
        right: ({ fits: [fit] }) =>
          `70B in q4_k_m takes ${gib(fit.needed)} of ${gib(fit.usable)} on one ${fit.device}: ${fit.fits ? "fits" : "does not fit"}`,
        why: "it depends on the format and the context",
      },
      {
        about: "INT4 saves about eightfold",
        said: "~8×",
        asks: [
          weightsOf("llama-2-7b", "fp32"),
          weightsOf("llama-2-7b", "fp16"),
          weightsOf("llama-2-7b", "nf4"),
        ],
        right: (full, half, four) =>
          `${short(full.memory.weights / four.memory.weights)} × against fp32, ${short(half.memory.weights / four.memory.weights)} × against the 16 bit that ships`,
        why: "scales take room, embedding and head stay at 16 bit, and few models ship in fp32",
      },
    ],
  },
  {
    title: "A blog post on sizing",
    examples: [
      {
        about: "12 layers, width 512, 8 heads, 50,000 words",
        said: "61,423,616 parameters",
        asks: [
          ["params", SHAPE],
          ["params", { ...SHAPE, tied: true }],
          ["params", { ...SHAPE, biases: true, norms: true }],
        ],
        right: (plain, tied, whole) =>
          `${count(plain.parameters.total)} matrices, ${count(tied.parameters.total)} tied, ${count(whole.parameters.total)} with biases and norms`,
        why: "one of four projections is counted in attention, for fifteen layers instead of twelve; the feed-forward part is a quarter of what it is",
      },
      {
        about: "Its attention",
        said: "3,932,160",
        asks: [["params", SHAPE]],
        right: ({ parameters }) => count(parameters.by_role.attention),
        why: "queries, keys, values and output: four matrices of width × width in each layer",
      },
      {
        about: "Its weights in FP32",
        said: '234 "MB"',
        asks: [["memory", { ...SHAPE, quant: "fp32", context: 512, runtime: "ideal" }]],
        right: ({ memory }) => gb(memory.weights),
        why: "MiB of the wrong count",
      },
      {
        about: "Training it",
        said: "952 MB",
        asks: [["plan train", { ...SHAPE, precision: "fp32", seq: 512, global_batch: 8, micro_batch: 8 }]],
        right: ({ memory_per_device: parts }) =>
          `${gib(parts.weights + parts.gradients + parts.optimizer)} of weights, gradients and Adam, ${gib(parts.activations)} of activations at 8 × 512 tokens`,
        why: "gradients are forgotten, and activations depend on the batch",
      },
    ],
  },
  {
    title: "A lesson on model sizing",
    examples: [
      {
        about: "The loss of 7 B on 140 B tokens",
        said: "0.0012",
        asks: [
          ["laws loss", { params: "7e9", tokens: "140e9" }],
          ["laws loss", { params: "7e9", tokens: "140e9", law: "hoffmann2022-a3-rounded" }],
        ],
        right: (one, other) =>
          `${nats(one.loss)} (${one.law}) or ${nats(other.loss)} (${other.law}) nats per token`,
        why: "it leaves out three of five constants",
      },
      {
        about: "The best use of 1e24 FLOP",
        said: "7 B parameters, 140 B tokens",
        asks: [["laws optimal", { flops: "1e24" }]],
        right: ({ optimum }) =>
          `${large(optimum.params)} parameters and ${large(optimum.tokens)} tokens, loss ${nats(optimum.loss)}`,
        why: "its answer spends a small part of the budget: the budget is echoed and never checked",
      },
      {
        about: "7 B on a trillion tokens, as Llama was trained",
        said: "over-training is fine",
        asks: [["laws overtrain", { params: "7e9", tokens: "1T" }]],
        right: ({ run, same_compute: best, penalty }) =>
          `${flopText(run.flops)}, loss ${nats(run.loss)}: ${nats(penalty)} above the best of that compute, ${large(best.params)} on ${large(best.tokens)} tokens`,
        why: "right, with a price: a model that is smaller to serve for a loss that is a little higher",
      },
      {
        about: "The cache of 32 sequences of 1,024 tokens",
        said: '0.125 "GB"',
        asks: [
          ["memory", { model: "llama-2-7b", context: 1024, sequences: 32, runtime: "ideal" }],
          ["memory", { model: "llama-3.1-8b", context: 1024, sequences: 32, runtime: "ideal" }],
        ],
        right: (...models) =>
          models.map((one) => `${one.model.name.split("/").pop()} ${gib(one.memory.cache)}`).join("; "),
        why: "it takes the same few bytes a token for every model; keys and values of all layers are far more",
      },
      {
        about: "7 B in 4 bit",
        said: "8 × smaller",
        asks: [weightsOf("llama-2-7b", "nf4"), weightsOf("llama-2-7b", "bnb-int8")],
        right: (four, eight) =>
          `Llama-2-7B: ${gb(four.memory.weights)} in NF4, ${gb(eight.memory.weights)} in INT8`,
        why: "four bits without scales, of every matrix, against fp32",
      },
    ],
  },
];
