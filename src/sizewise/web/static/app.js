/** The page: tabs, the form of the open one, its questions and their answers. */

import { h } from "./dom.js";
import { formOf } from "./fields.js";
import { answerOf } from "./answer.js";
import { addressOf, forgetAddress, readAddress, settled, told, valuesOf, writeAddress } from "./state.js";
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
        load(listed, (tab) => {
          const carried = tab.fields.some((field) => told.has(field.name));
          history.pushState(null, "", carried ? addressIn(tab, valuesOf(tab.fields, false)) : addressOf(tab.id, {}));
          show(tab, false);
        });
      } }, listed.title));
  }
  nav.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const links = [...nav.children];
    const at = links.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    const next = links[(at + step + links.length) % links.length];
    next.focus();
    next.click();
  });
  addEventListener("popstate", fromAddress);
  fromAddress();
}

const addressIn = (tab, values) =>
  addressOf(tab.id, values, tab.fields.filter((field) => field.always).map((field) => field.name));

function fromAddress() {
  const named = readAddress();
  const listed = TABS.find((one) => one.id === named) ?? TABS[0];
  load(listed, (tab) => show(tab, tab.fields.some((field) => told.has(field.name))));
}

/** Load a tab, mark it as the chosen one, and go on with it, unless another was chosen meanwhile. */
async function load(listed, then) {
  wanted = listed;
  forgetAddress();
  open?.close();
  open = null;
  document.body.dataset.ready = "0";
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
  open = opened(tab, valuesOf(tab.fields, given));
}

function opened(tab, values) {
  const form = formOf(tab.fields, set);
  const answers = h("div", { class: "answers", id: "answers", tabindex: "-1" });
  const link = () => new URL(addressIn(tab, values), location.href).href;
  const tools = { set, ask, link, get values() { return values; } };
  const shown = new Map();
  place.replaceChildren(h("div", { class: "side" }, h("p", { class: "about" }, tab.about), form.form), answers);
  place.classList.toggle("wide", tab.fields.length === 0);
  form.show(values);
  document.body.dataset.ready = "0";
  asked();
  if (tab.content) answers.append(...[tab.content(tools)].flat());

  function put(name, value) {
    if (name in values) values[name] = value;
    told.set(name, value);
  }
  function set(name, value) {
    if (values[name] === value) return;
    put(name, value);
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
      shown.get(question.name).ask(question);
    }
    settled();
  }
  return { close: () => shown.forEach((answer) => answer.close()) };
}

start();
setTimeout(() => TABS.forEach((listed) => listed.load().catch(() => null)), LATER);
