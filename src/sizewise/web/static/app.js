/** The page: tabs, the form of the open one, its questions and their answers. */

import { h } from "./dom.js";
import { formOf } from "./fields.js";
import { answerOf } from "./answer.js";
import { addressOf, forgetAddress, keyOf, keptApart, readAddress, settled, told, valuesOf, writeAddress } from "./state.js";
import { isGguf, isSent } from "./sent_files.js";
import { TABS } from "./tabs.js";
import { ask } from "./ask.js";

const nav = document.getElementById("tabs");
const place = document.getElementById("tab");
const NOT_OF_GGUF = ["vllm", "sglang", "transformers", "mlx"];
const LATER = 1000;
let open = null;
let wanted = null;

function start() {
  for (const listed of TABS) {
    nav.append(h("a", { href: `?tab=${listed.id}`, id: `tab-${listed.id}`, role: "tab", "aria-controls": "tab",
      onclick: (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        if (listed === wanted && open) return;
        load(listed, (tab) => {
          history.pushState(null, "", isTold(tab) ? addressIn(tab, valuesOf(tab, false)) : addressOf(tab.id, {}));
          show(tab, false);
        });
      } }, listed.title));
  }
  nav.addEventListener("keydown", (event) => {
    const links = [...nav.children];
    const at = links.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    const next = links.at(to % links.length);
    next.focus();
    next.click();
  });
  for (const link of document.querySelectorAll(".skip, #strip")) link.addEventListener("click", lead);
  addEventListener("dragover", (event) => event.dataTransfer.types.includes("Files") && event.preventDefault());
  addEventListener("drop", dropped);
  addEventListener("popstate", fromAddress);
  fromAddress();
}

/** Lead to a place of the page; an address with its name would lose the question that stands behind the `#`. */
function lead(event) {
  event.preventDefault();
  const goal = document.querySelector(event.currentTarget.getAttribute("href"));
  goal?.focus({ preventScroll: true });
  goal?.scrollIntoView();
}

/** Hand a file that was dropped beside the place for files to that place; the browser would leave for the file. */
function dropped(event) {
  if (event.defaultPrevented || !event.dataTransfer.files.length) return;
  event.preventDefault();
  place.querySelector(".drop")?.dispatchEvent(new DragEvent("drop", { dataTransfer: event.dataTransfer, cancelable: true }));
}

const isTold = (tab) => tab.fields.some((field) => told.has(keyOf(tab, field)));

const addressIn = (tab, values) =>
  addressOf(tab.id, values, tab.fields.filter((field) => field.always).map((field) => field.name));

function fromAddress() {
  const named = readAddress();
  const listed = TABS.find((one) => one.id === named) ?? TABS[0];
  load(listed, (tab) => {
    keptApart(tab);
    show(tab, isTold(tab));
  });
}

/** Load a tab, mark it as the chosen one, and go on with it, unless another was chosen meanwhile. */
async function load(listed, then) {
  wanted = listed;
  forgetAddress();
  open?.close();
  open = null;
  document.body.dataset.ready = "0";
  document.getElementById("strip").hidden = true;
  mark(listed);
  let tab = null;
  try {
    tab = await listed.load();
  } catch (error) {
    console.error(error);
  }
  if (wanted !== listed) return;
  if (tab) then(tab);
  else place.replaceChildren(h("p", { class: "error", role: "alert" }, "the service does not answer; reload the page"));
}

function mark(listed) {
  for (const link of nav.children) {
    const chosen = link.id === `tab-${listed.id}`;
    link.setAttribute("aria-selected", String(chosen));
    link.setAttribute("tabindex", chosen ? "0" : "-1");
    if (chosen) link.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  document.title = `${listed.title} · sizewise`;
  place.setAttribute("aria-labelledby", `tab-${listed.id}`);
}

/** Open a tab. `given`: the address says its values, so that what it lacks is empty and no default counts. */
function show(tab, given) {
  open = opened(tab, valuesOf(tab, given));
}

function opened(tab, values) {
  const form = formOf(tab.fields, set);
  const answers = h("div", { class: "answers", id: "answers", tabindex: "-1" });
  const link = () => new URL(addressIn(tab, values), location.href).href;
  const tools = { set, ask, link, get values() { return values; } };
  const shown = new Map();
  let closed = false;
  place.replaceChildren(h("div", { class: "side" }, h("p", { class: "about" }, tab.about), form.form), answers);
  place.classList.toggle("wide", tab.fields.length === 0);
  form.show(values);
  document.body.dataset.ready = "0";
  asked();
  if (tab.content) answers.append(...[tab.content(tools)].flat());

  function put(name, value) {
    if (name in values) values[name] = value;
    told.set(keyOf(tab, tab.fields.find((field) => field.name === name) ?? { name }), value);
  }
  function set(name, value) {
    if (values[name] === value) return;
    put(name, value);
    if (closed) return;
    if (name === "model" && isSent(value)) {
      put("quant", "");
      if (isGguf(value) && NOT_OF_GGUF.includes(values.runtime)) put("runtime", "");
    }
    form.show(values);
    writeAddress(addressIn(tab, values));
    asked();
  }
  function asked() {
    const questions = tab.questions?.(values) ?? [];
    for (const [name, answer] of shown) {
      if (questions.some((one) => one.name === name)) continue;
      answer.close();
      shown.delete(name);
    }
    for (const question of questions) {
      if (!shown.has(question.name)) shown.set(question.name, answerOf(answers, tools, form));
      const answer = shown.get(question.name);
      if (!question.once || !answer.isAnswered()) answer.ask(question);
    }
    settled();
  }
  return {
    close() {
      closed = true;
      shown.forEach((answer) => answer.close());
    },
  };
}

start();
setTimeout(() => TABS.forEach((listed) => listed.load().catch(() => null)), LATER);
