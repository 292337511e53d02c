/** Scaling laws: what a budget should buy, how far laws differ, smaller models for longer, and a law of own runs. */

import { decimalStops } from "./slider.js";
import { drawOptimum, summaryOf } from "./laws_optimum.js";
import { drawFit, fitSummary } from "./laws_fit.js";
import { lettersOf, scientific } from "./tab_parts.js";

export default {
  about: "How many parameters and tokens a training budget should buy, and what your own runs say.",
  fields: [
    {
      name: "flops",
      label: "Training budget, FLOP",
      kind: "slider",
      value: "1e22",
      always: true,
      stops: decimalStops(1e17, 1e28, 10),
      ticks: [1e18, 1e20, 1e22, 1e24, 1e26, 1e28],
      show: scientific,
      read: lettersOf,
    },
    {
      name: "law",
      label: "Law",
      kind: "names",
      names: "loss_laws",
      value: "",
      hint: "empty: besiroglu2024-published",
    },
    {
      name: "served_tokens",
      label: "Tokens served over its life",
      kind: "text",
      value: "10T",
      hint: "e.g. 10T: the best size when serving is paid for too",
    },
    {
      name: "runs",
      label: "Your own runs",
      kind: "area",
      files: ".csv,.json,.jsonl,.txt",
      hint: "a CSV with columns of parameters, tokens and loss: paste it, drop it or choose a file",
    },
    {
      name: "bootstrap",
      label: "Draws of the intervals",
      kind: "number",
      min: 2,
      max: 10000,
      step: 1,
      hint: "empty: 400",
      more: true,
    },
    {
      name: "form",
      label: "Form of the fit",
      kind: "choice",
      value: "",
      choices: [
        ["", "E + A/N^α + B/D^β"],
        ["tied", "α = β"],
      ],
      more: true,
    },
    {
      name: "objective",
      label: "What is summed over residuals",
      kind: "choice",
      value: "",
      choices: [
        ["", "Huber"],
        ["lad", "absolute"],
        ["squared", "squares"],
      ],
      more: true,
    },
    {
      name: "hold_out",
      label: "Runs that are predicted from the others",
      kind: "choice",
      value: "",
      choices: [
        ["", "the largest decade"],
        ["share", "a share"],
        ["size", "the largest size"],
        ["none", "none"],
      ],
      more: true,
    },
    { name: "n", label: "Column of parameters", kind: "text", hint: "empty: by its usual names", more: true },
    { name: "d", label: "Column of tokens", kind: "text", more: true },
    { name: "loss", label: "Column of losses", kind: "text", own: true, more: true },
    { name: "units", label: "Units", kind: "text", hint: "n=millions, d=billions, loss=bits", more: true },
    { name: "force", label: "Fit although the runs do not determine a law", kind: "switch", more: true },
  ],
  questions: (values) => [optimum(values), ...(values.runs ? [fit(values)] : [])],
};

/** Ask without refusal far beyond the runs of a law: the slider goes there, and the answer warns. */
function optimum({ flops, law, served_tokens }) {
  return {
    name: "optimum",
    title: "The best use of a budget",
    verb: "laws optimal",
    values: { flops, law, served_tokens, force: true },
    extra: { curve: true },
    fieldOf: (text) => (/not a loss|no loss of|coefficients unknown/.test(text) ? "law" : ""),
    explain: false,
    summary: summaryOf,
    draw: drawOptimum,
  };
}

const FIT = ["runs", "bootstrap", "form", "objective", "hold_out", "n", "d", "loss", "units", "force"];

function fit(values) {
  return {
    name: "fit",
    title: "Your own runs",
    verb: "laws fit",
    slow: true,
    values: { ...Object.fromEntries(FIT.map((name) => [name, values[name]])), bootstrap: values.bootstrap || "400" },
    extra: { curve: true },
    explain: false,
    summary: fitSummary,
    draw: drawFit,
  };
}
