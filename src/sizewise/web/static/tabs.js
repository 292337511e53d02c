/**
 * The tabs of the page, and what a tab is.
 *
 * Each has a name in the address, a title and a module, which is loaded when the tab is opened: the first answer
 * waits for no code of the others. A module exports
 *
 *   {about,                   one sentence
 *    fields,                  the form: see fields.js
 *    questions(values),       what is asked of the service for the values of the form: a list of
 *      {name,                 a word, unlike those of the tab's other questions
 *       title,                heading of the answer
 *       verb, values,         "plan serve", {model, users, …}; empty values are left out, names as the flags
 *       extra,                values that only the page needs, in no command or download; optional
 *       notes,                sentences above the answer; optional
 *       called,               {field: name of the value}, where the form has another name for it; optional
 *       slow,                 true: may take long; once it does, it is asked when the form has rested for a moment
 *       once,                 true: what the form says does not matter; not asked again once it is answered; optional
 *       explain,              true: the verb takes explain=true, and its `lines` are shown as formulas
 *       summary(answer),      one sentence, read out to those who do not see the page
 *       draw(answer, tools)}  the answer as elements (an element or a list of them)
 *    content(tools)}          elements below the answers that ask nothing; optional
 *
 * `tools`: {set(name, value), values, ask(verb, values), link()} — `set` changes a field of the form, as a button in an
 * answer does. Texts become elements by dom.js only, numbers by numbers.js, pictures by charts.js inside
 * `fitted((width) => …)`. `style` attributes are not allowed by the content policy; classes are in style.css.
 * A question that fails shows its error beside the field that caused it, and leaves the other answers alone.
 */

const tab = (id, title, load) => ({ id, title, load: async () => ({ id, title, ...(await load()).default }) });

export const TABS = [
  tab("memory", "Memory", () => import("./memory.js")),
  tab("speed", "Speed & cost", () => import("./speed.js")),
  tab("train", "Train", () => import("./train.js")),
  tab("laws", "Scaling laws", () => import("./laws.js")),
  tab("size", "What size", () => import("./size.js")),
  tab("learn", "Learn", () => import("./learn.js")),
];
