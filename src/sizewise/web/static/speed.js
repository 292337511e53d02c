/** Speed and cost. */

import { h } from "./dom.js";
import { deviceFields, engineFields, modelField, quantField } from "./fields_common.js";

export default {
  id: "speed",
  title: "Speed & cost",
  about: "How fast it answers, what that costs, and what to rent.",
  fields: [modelField(), quantField(), ...engineFields(["auto", "vllm", "sglang", "llama.cpp", "ollama", "transformers", "mlx"]),
    ...deviceFields("h100-sxm")],
  questions: (values) => [{ name: "speed", title: "Speed", verb: "speed", values, explain: true,
    summary: () => "", draw: (answer) => h("p", {}, JSON.stringify(answer.speed)) }],
};
