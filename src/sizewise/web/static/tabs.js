/**
 * The tabs of the page, and what a tab is.
 *
 * A tab is a module that exports
 *
 *   {id, title, about,        its name in the address, its name, one sentence
 *    fields,                  the form: see fields.js
 *    questions(values),       what is asked of the service for the values of the form: a list of
 *      {name,                 a word, unlike those of the tab's other questions
 *       title,                heading of the answer
 *       verb, values,         "plan serve", {model, users, …}; empty values are left out, names as the flags
 *       extra,                values that only the page needs, in no command or download; optional
 *       notes,                sentences above the answer; optional
 *       called,               {field: name of the value}, where the form has another name for it; optional
 *       slow,                 true: asked only when the form has rested for a moment
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

import memory from "./memory.js";
import speed from "./speed.js";
import train from "./train.js";
import laws from "./laws.js";
import size from "./size.js";
import learn from "./learn.js";

export const TABS = [memory, speed, train, laws, size, learn];
