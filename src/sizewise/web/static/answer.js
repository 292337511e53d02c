/** One question of a tab: asked when the form changes, drawn when its answer is there. */

import { actions } from "./actions.js";
import { ask, Problem } from "./ask.js";
import { h, newId } from "./dom.js";
import { tree } from "./explain.js";
import { fileNames } from "./model.js";
import { settled } from "./state.js";

const PAUSE = 50;
const REST = 350;
const READ_OUT = 700;
const BUSY = new Set([429, 503]);
const RETRIES = 4;

/**
 * Return {ask(question), close()} with a section of its own in `place`. While an answer is under way, the newest
 * question waits; slow ones are broken off instead. So a moving slider always sees an answer that is nearly its own.
 */
export function answerOf(place, tools, form) {
  const heading = h("h2", { id: newId("answer") });
  const error = h("p", { class: "error", role: "alert" });
  const body = h("div", { class: "drawn" });
  const live = h("p", { class: "unseen", role: "status", "aria-live": "polite" });
  const said = h("p", { class: "happened", role: "status" });
  const formulas = h("details", { class: "formulas", ontoggle: () => formulas.open && current && send(current) },
    h("summary", {}, "Where each number comes from"), h("div", { class: "lines" }));
  const section = h("section", { class: "answer", "aria-labelledby": heading.id }, heading, error, body, formulas, live,
    actions(() => ({ link: tools.link(), verb: current.verb, values: current.values, files: filesOf(current.values) }), () => section, tell), said);
  let current = null;
  let waiting = null;
  let running = null;
  let timer = 0;
  let lastStart = -Infinity;
  let refused = 0;
  place.append(section);

  function tell(text) { said.textContent = text; }

  function send(question) {
    waiting = question;
    section.setAttribute("aria-busy", "true");
    document.body.dataset.ready = "0";
    if (running && !question.slow) return;
    running?.abort();
    running = null;
    clearTimeout(timer);
    const rest = question.slow && current ? REST : Math.max(0, lastStart + PAUSE - performance.now());
    timer = setTimeout(run, rest);
  }

  async function run() {
    const question = waiting;
    waiting = null;
    current = question;
    lastStart = performance.now();
    const own = new AbortController();
    running = own;
    const values = question.explain && formulas.open ? { ...question.values, explain: true } : question.values;
    let answer = null;
    try {
      answer = await ask(question.verb, { ...values, ...question.extra }, own.signal);
      refused = 0;
    } catch (problem) {
      if (own.signal.aborted) return;
      if (!again(question, problem)) fail(problem);
    }
    if (answer) tryToDraw(question, answer);
    if (running === own) running = null;
    if (waiting) return send(waiting);
    section.removeAttribute("aria-busy");
    settled();
  }

  /** Ask again a little later where the service is busy; say whether that is tried. */
  function again(question, problem) {
    if (!(problem instanceof Problem) || !BUSY.has(problem.status) || refused >= RETRIES) return false;
    refused += 1;
    timer = setTimeout(() => waiting === null && send(question), 400 * refused);
    return true;
  }

  function tryToDraw(question, answer) {
    try {
      draw(question, answer);
    } catch (bug) {
      console.error(bug);
      error.textContent = `this answer cannot be shown: ${bug.message}`;
    }
  }

  function draw(question, answer) {
    error.textContent = "";
    form.clearErrors();
    heading.textContent = question.title;
    const opened = new Set([...section.querySelectorAll("details[data-key]")].filter((one) => one.open).map((one) => one.dataset.key));
    body.replaceChildren(...warningsOf(answer), ...[question.draw(answer, tools)].flat().filter(Boolean));
    if (section === place.firstElementChild) strip(question.summary?.(answer) ?? "");
    formulas.hidden = !question.explain;
    if (answer.lines && formulas.open) {
      formulas.lastChild.replaceChildren(...[answer.lines].flat().map((line) => tree(line, question.name, true)));
    }
    for (const one of section.querySelectorAll("details[data-key]")) if (opened.has(one.dataset.key)) one.open = true;
    setTimeout(() => { if (current === question && !waiting) live.textContent = question.summary?.(answer) ?? ""; }, READ_OUT);
  }

  function fail(problem) {
    heading.textContent = current.title;
    const text = problem instanceof Problem ? problem.message : "the service does not answer";
    const field = problem instanceof Problem ? nameInForm(problem) : "";
    error.textContent = field && form.tellError(field, text) ? `not answered: ${form.labelOf(field)}` : text;
    body.classList.add("stale");
  }

  /** Return the field that a problem is about: the form's own name of it, where the question calls it otherwise. */
  function nameInForm(problem) {
    const found = problem.fieldOf(current.values);
    return Object.entries(current.called ?? {}).find(([, name]) => name === found)?.[0] ?? found;
  }

  return {
    ask(question) {
      body.classList.remove("stale");
      send(question);
    },
    close() {
      clearTimeout(timer);
      running?.abort();
      section.remove();
    },
  };
}

/** Show one sentence at the foot of narrow screens, where the answers are below the form. */
function strip(text) {
  const line = document.getElementById("strip");
  line.textContent = text;
  line.hidden = text === "";
}

/** Return the warnings of an answer, as one list. */
function warningsOf(answer) {
  const texts = [...new Set((answer.warnings ?? []).map((one) => one.message ?? String(one)))];
  return texts.length ? [h("ul", { class: "warnings" }, texts.map((text) => h("li", {}, text)))] : [];
}

function filesOf(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => fileNames.has(value))
    .map(([name, value]) => [name, fileNames.get(value)]));
}
