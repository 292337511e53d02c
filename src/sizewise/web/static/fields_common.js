/** Fields that several tabs have: the same name, label and help everywhere. */

import { binary, count, tokensOf } from "./numbers.js";
import { binaryStops } from "./slider.js";

/** The model: a name, a pasted configuration, a file's header. */
export const modelField = (value = "llama-3.1-8b") => ({
  name: "model", label: "Model", kind: "model", value, always: true,
  hint: "a catalogue name, an Ollama tag, or a size such as 7b" });

/** The format of the weights. */
export const quantField = (value = "") => ({
  name: "quant", label: "Weight format", kind: "names", names: "formats", value, hint: "empty: as published" });

/** Tokens of context. */
export const contextField = (value, name = "context", label = "Context, tokens") => ({
  name, label, kind: "slider", value, stops: binaryStops(...(name === "context" ? [512, 2 ** 20] : [32, 2 ** 17])),
  ticks: name === "context" ? [2048, 8192, 32768, 131072, 2 ** 20] : [128, 1024, 8192, 65536], show: binary, read: tokensOf,
  empty: name === "output_tokens" ? 256 : name === "input" ? 1024 : name === "seq" ? 4096 : 8192 });

/** Sequences, requests or users at once. */
export const sequencesField = (name = "sequences", label = "Sequences at once", value = "1", last = 256) => ({
  name, label, kind: "slider", value, stops: [...new Set(binaryStops(1, last).map(Math.round))],
  ticks: [1, 4, 16, 64, 256, 1024].filter((one) => one <= last), show: count });

/** The engine, of those that a tab has. */
export const engineFields = (engines) => [{
  name: "runtime", label: "Engine", kind: "choice", value: "",
  choices: engines.map((engine) => [engine === "auto" ? "" : engine, engine === "auto" ? "usual for the format" : engine]) }];

/** Devices, several with commas. */
export const deviceFields = (value, hint = "several with commas, :2 for two of a kind; empty: what fits") => [{
  name: "on", label: "Devices", kind: "names", names: "devices", many: true, value, hint }];
