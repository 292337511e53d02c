/** One question of a tab: asked when the form changes, drawn when its answer is there. */

import { actions } from "./actions.js";
import { ask, Problem } from "./ask.js";
import { h, newId } from "./dom.js";
import { tree } from "./explain.js";
import { notesOf, refusalOf } from "./sent_files.js";
import { settled } from "./state.js";
import { inPageWords } from "./words.js";

const PAUSE = 50;
const REST = 350;
const LONG = 250;
const READ_OUT = 700;
const RETRIES = 4;
const AGAIN = 2;

/**
 * Return {ask(question), close()} with a section of its own in `place`. While an answer is under way, the newest
 * question waits: so a moving slider always sees an answer that is nearly its own. Where answers take long, they
 * are broken off instead, and asked for again when the form rests.
 */
export function answerOf(place, tools, form) {
  const heading = h("h2", { id: newId("answer") });
  const error = h("p", { class: "error", role: "alert" });
  const body = h("div", { class: "drawn" });
  const live = h("p", { class: "unseen", role: "status", "aria-live": "polite" });
  const said = h("p", { class: "happened", role: "status" });
  const formulas = h("details", { class: "formulas", ontoggle: () => formulas.open && current && send(current) },
    h("summary", {}, "Where each number comes from"), h("div", { class: "lines" }));
  const section = h("section", { class: "answer", tabindex: "-1", "aria-labelledby": heading.id }, heading, error, body, formulas, live,
    actions(() => ({ link: tools.link(), verb: current.verb, values: current.values }), () => section, tell), said);
  let current = null;
  let waiting = null;
  let running = null;
  let timer = 0;
  let lastStart = -Infinity;
  let refused = 0;
  let took = Infinity;
  place.append(section);

  function tell(text) { said.textContent = text; }

  function send(question) {
    waiting = question;
    section.setAttribute("aria-busy", "true");
    document.body.dataset.ready = "0";
    const long = question.slow && took > LONG;
    const since = performance.now() - lastStart;
    if (running && !long) return;
    running?.abort();
    running = null;
    clearTimeout(timer);
    timer = setTimeout(run, long && since < REST ? REST : Math.max(0, PAUSE - since));
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
    let later = false;
    try {
      const refusal = refusalOf(question.verb, question.values);
      if (refusal) throw new Problem(0, refusal);
      answer = await ask(question.verb, { ...values, ...question.extra }, own.signal);
      took = performance.now() - lastStart;
    } catch (problem) {
      if (own.signal.aborted) return;
      later = again(question, problem);
      if (!later) fail(problem);
    }
    if (answer) tryToDraw(question, answer);
    if (running === own) running = null;
    if (waiting) return send(waiting);
    if (later) return;
    section.removeAttribute("aria-busy");
    settled();
  }

  /** Ask again a little later where the service is busy or away; say whether nothing else is to be told. */
  function again(question, problem) {
    const away = !(problem instanceof Problem);
    if ((!away && !problem.retryAfter) || refused >= RETRIES) return false;
    refused += 1;
    timer = setTimeout(() => waiting === null && send(question), 1000 * (problem.retryAfter || AGAIN * refused));
    if (!away) tell("the service is busy; it is asked again");
    return !away;
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
    body.classList.remove("stale");
    if (refused) tell("");
    refused = 0;
    form.clearErrors(section);
    heading.textContent = question.title;
    const back = focusIn(body);
    const opened = new Set([...section.querySelectorAll("details[data-key]")].filter((one) => one.open).map((one) => one.dataset.key));
    body.replaceChildren(...warningsOf(question, answer), ...[question.draw(answer, tools)].flat().filter(Boolean));
    if (section === place.firstElementChild) strip(question.summary?.(answer) ?? "");
    formulas.hidden = !question.explain;
    if (answer.lines && formulas.open) {
      formulas.lastChild.replaceChildren(...[answer.lines].flat().map((line) => tree(line, question.name, true)));
    }
    for (const one of section.querySelectorAll("details[data-key]")) if (opened.has(one.dataset.key)) one.open = true;
    back?.(section);
    setTimeout(() => { if (current === question && !waiting) live.textContent = question.summary?.(answer) ?? ""; }, READ_OUT);
  }

  function fail(problem) {
    heading.textContent = current.title;
    const text = problem instanceof Problem ? inPageWords(problem.message, labelOf) : "the service does not answer";
    const field = problem instanceof Problem ? nameInForm(problem.fieldOf(current.values) || (current.fieldOf?.(problem.message) ?? "")) : "";
    form.clearErrors(section);
    error.textContent = field && form.tellError(field, text, section) ? `not answered: ${form.labelOf(field)}` : text;
    body.classList.add("stale");
    live.textContent = "";
    if (section === place.firstElementChild) strip(`${current.title}: not answered`);
  }

  /** Return the form's own name of a value, where the question calls it otherwise. */
  function nameInForm(name) {
    return Object.entries(current.called ?? {}).find(([, own]) => own === name)?.[0] ?? name;
  }

  function labelOf(name) { return form.labelOf(nameInForm(name)); }

  /** Return what is to be known before an answer, as one list. */
  function warningsOf(question, answer) {
    const told = (answer.warnings ?? []).map((one) => inPageWords(one.message ?? String(one), labelOf));
    const texts = [...new Set([...(question.notes ?? []), ...notesOf(question.verb, question.values), ...told])];
    return texts.length ? [h("ul", { class: "warnings" }, texts.map((text) => h("li", {}, text)))] : [];
  }

  return {
    ask(question) {
      heading.textContent ||= question.title;
      tell("");
      refused = 0;
      send(question);
    },
    isAnswered() { return took < Infinity && error.textContent === ""; },
    close() {
      clearTimeout(timer);
      running?.abort();
      form.clearErrors(section);
      section.remove();
    },
  };
}

/**
 * Return what gives the focus back after `body` is drawn anew: to what stands there now by the same name, or to the
 * section; null where the focus is elsewhere.
 */
function focusIn(body) {
  if (!body.contains(document.activeElement)) return null;
  const of = (one) => [one.tagName, one.textContent, one.getAttribute("aria-label")].join(" ");
  const wanted = of(document.activeElement);
  const same = () => [...body.querySelectorAll("button, a, summary, [tabindex]")].filter((one) => of(one) === wanted);
  const at = same().indexOf(document.activeElement);
  return (section) => (same()[at] ?? same()[0] ?? section).focus({ preventScroll: true });
}

/** Show one sentence at the foot of narrow screens, where the answers are below the form. */
function strip(text) {
  const line = document.getElementById("strip");
  line.textContent = text;
  line.hidden = text === "";
}
