/** Learn: how each number comes about, with the numbers of a model that one chooses. */

import { contextField, modelField } from "./fields_common.js";
import { drawCache, drawParameters } from "./learn_steps.js";
import { examples } from "./learn_examples.js";
import { count } from "./numbers.js";

export default {
  about:
    "How each number comes about, with live numbers of the model that you choose, and popular examples made right.",
  fields: [modelField(), contextField("8192")],
  questions: ({ model, context }) => [
    {
      name: "params",
      title: "Parameters: what is counted",
      verb: "params",
      values: { model, explain: true },
      explain: false,
      summary: ({ model: found, parameters }) => `${found.name} has ${count(parameters.total)} parameters.`,
      draw: (answer, tools) => drawParameters(answer, tools, model),
    },
    {
      name: "cache",
      title: "The cache: what each token leaves behind",
      verb: "memory",
      values: { model, context, runtime: "ideal", explain: true },
      explain: false,
      summary: () => "",
      draw: (answer, tools) => drawCache(answer, tools, model),
    },
  ],
  content: examples,
};
