/** Memory: what a model takes, where it fits, how far the context reaches, what to change. */

import { h, more, table } from "./dom.js";
import { fitted, stackedBars } from "./charts.js";
import { bytes, count, gib } from "./numbers.js";
import { contextField, deviceFields, engineFields, modelField, quantField, sequencesField } from "./fields_common.js";
import { curve } from "./memory_curve.js";
import { fitsTable } from "./memory_fits.js";
import { changesTable } from "./memory_changes.js";
import { tightNote, verdict, verdictOf } from "./verdict.js";

export default {
  about: "What it takes to run a model, and where it fits.",
  fields: [
    modelField(), quantField("q4_k_m"), contextField("32768"), sequencesField(),
    { name: "kv_cache_dtype", label: "Cache format", kind: "names", names: "cache_formats", value: "",
      hint: "empty: what the engine takes by itself" },
    ...engineFields(["auto", "llama.cpp", "ollama", "vllm", "sglang", "transformers", "mlx", "ideal"]),
    ...deviceFields("rtx-4090"),
    { name: "memory", label: "Memory per device", kind: "text", hint: "instead of the device's own, e.g. 24GiB" },
    { name: "tensor_parallel_size", label: "Tensor parallel", kind: "number", min: 1, step: 1, more: true },
    { name: "pipeline_parallel_size", label: "Pipeline stages", kind: "number", min: 1, step: 1, more: true },
    { name: "gpu_memory_utilization", label: "Share of the device to take (vLLM, SGLang)", kind: "number", min: 0.01, max: 1, step: 0.01, more: true },
    { name: "n_gpu_layers", label: "Layers on devices (llama.cpp)", kind: "number", min: 0, step: 1, more: true },
    { name: "n_cpu_moe", label: "Layers whose experts stay on the host (llama.cpp)", kind: "number", min: 0, step: 1, more: true },
    { name: "offload", label: "Layers that do not fit stay on the host (transformers)", kind: "switch", more: true },
    { name: "shared_prefix", label: "Tokens that all sequences begin with", kind: "text", more: true },
    { name: "draft", label: "Draft model", kind: "names", names: "models", more: true },
    { name: "images", label: "Pictures per sequence", kind: "number", min: 0, step: 1, more: true },
    { name: "image_size", label: "Size of a picture", kind: "text", hint: "1024x1024", more: true },
    { name: "set", label: "Fields of the config to change", kind: "area", hint: "one KEY=VALUE a line", more: true },
  ],
  questions: (values) => [{
    name: "memory",
    title: "Memory",
    verb: "memory",
    values,
    extra: { curve: true },
    explain: true,
    summary,
    draw,
  }],
};

/** Return the fit of the device that is the fullest, or null where no device is named. */
function fullest(answer) {
  if (answer.scenario.on.length === 0) return null;
  return answer.fits.reduce((worst, fit) => (!worst || fit.needed - fit.usable > worst.needed - worst.usable ? fit : worst), null);
}

function summary(answer) {
  const fit = fullest(answer);
  const whole = `${answer.model.name} needs ${bytes(answer.memory.total)}`;
  if (!fit) return `${whole}.`;
  return `${whole}; ${gib(fit.needed)} of ${gib(fit.usable)} on ${fit.device}: ${verdictOf(answer.fits)}.`;
}

function draw(answer, tools) {
  return [
    headline(answer),
    answer.scenario.on.length ? tightNote(answer.fits) : null,
    fitted((width) => bar(answer, width)),
    answer.host ? h("p", { class: "note" }, `on the host: ${bytes(answer.host)}`) : null,
    facts(answer, tools),
    curve(answer),
    fitsTable(answer, tools),
    changesTable(answer, tools),
    partsTable(answer),
    h("h3", {}, "Run it"),
    (answer.command_notes ?? []).map((note) => h("p", { class: "note" }, note)),
    h("pre", {}, h("code", {}, answer.command)),
    h("p", { class: "note" }, scenarioText(answer)),
  ].flat();
}

function headline(answer) {
  const fit = fullest(answer);
  const total = h("strong", { class: "total" }, bytes(answer.memory.total));
  if (!fit) return h("p", { class: "headline" }, "Takes ", total, " in all.");
  const fits = answer.fits.every((one) => one.fits);
  const spare = fit.usable - fit.needed;
  return h("p", { class: "headline" }, "Takes ", total, ": ",
    verdict(answer.fits),
    ` on ${fit.count > 1 ? `${fit.count} × ` : ""}${fit.device}, ${gib(fit.needed)} of ${gib(fit.usable)}`,
    fits ? `, ${gib(spare)} to spare` : `, ${gib(-spare)} too much`, fit.count > 1 || answer.fits.length > 1 ? " on each" : "", ".");
}

const PARTS = ["weights", "cache", "buffers", "overhead"];
const partsOf = (held) => PARTS.map((name) => ({ name, value: held[name] }));

function bar(answer, width) {
  const usable = new Map(answer.fits.map((fit) => [fit.device, fit.usable]));
  const held = answer.per_device.length ? alike(answer.per_device) : [{ device: "in all", ...answer.memory, times: 1 }];
  const bars = held.map((one) => ({
    label: one.times > 1 ? `each of ${one.times} × ${one.device}` : one.device,
    parts: partsOf(one),
    limits: usable.has(one.device.replace(/ #\d+$/, "")) && answer.per_device.length
      ? [{ value: usable.get(one.device.replace(/ #\d+$/, "")), label: `${one.device.replace(/ #\d+$/, "")}: ${gib(usable.get(one.device.replace(/ #\d+$/, "")))}` }] : [],
  }));
  return stackedBars({ width, bars, format: gib, title: "Memory by part" });
}

/** Join devices that hold the same. */
function alike(devices) {
  const found = new Map();
  for (const one of devices) {
    const name = one.device.replace(/ #\d+$/, "");
    const key = `${name} ${PARTS.map((part) => one[part])}`;
    if (found.has(key)) found.get(key).times += 1;
    else found.set(key, { ...one, device: name, times: 1 });
  }
  return [...found.values()];
}

function facts(answer, tools) {
  const { largest, scenario } = answer;
  if (!largest || scenario.on.length === 0) return null;
  const use = (name, value) => h("button", { type: "button", onclick: () => tools.set(name, String(value)) }, "use");
  const fact = (label, value, note, button) => h("div", {}, h("dt", {}, label), h("dd", {}, value, h("small", {}, note), button));
  const trained = answer.model.context;
  return h("dl", { class: "facts" },
    fact("Largest context that fits", largest.context ? `${count(largest.context)} tokens` : "none",
      trained ? `trained for ${count(trained)}` : "", largest.context ? use("context", largest.context) : null),
    fact("Sequences that fit", count(largest.sequences), `of ${count(scenario.context)} tokens`,
      largest.sequences ? use("sequences", largest.sequences) : null),
    fact("Best format that fits", answer.best_format ?? "none", "the most bits of its usual formats",
      answer.best_format && answer.best_format !== scenario.quant ? use("quant", answer.best_format) : null));
}

function partsTable(answer) {
  const rows = [...PARTS, "total"].map((name) => {
    const interval = answer.intervals[name];
    return [name, gib(answer.memory[name]), `${(answer.memory[name] / 1e9).toFixed(2)} GB`,
      interval ? `${gib(interval[0])} to ${gib(interval[1])}` : "",
      h("span", { class: `status ${answer.status[name]}` }, answer.status[name])];
  });
  return more("parts", "Parts in numbers", table("Parts of the memory, all devices together", [
    { title: "part" }, { title: "GiB", numeric: true }, { title: "GB", numeric: true }, { title: "between" }, { title: "how sure" }], rows));
}

function scenarioText({ model, scenario }) {
  const cache = scenario.value_cache_dtype === scenario.kv_cache_dtype ? scenario.kv_cache_dtype
    : `${scenario.kv_cache_dtype} keys, ${scenario.value_cache_dtype} values`;
  return `${model.name}: weights ${scenario.quant}, cache ${cache}, context ${count(scenario.context)} tokens, `
    + `${count(scenario.sequences)} at once, ${scenario.runtime}; ${model.origin}`;
}
