/** The model of a question: a name, a configuration that is pasted, or a file of which only the header is sent. */

import { combobox } from "./combobox.js";
import { h, newId } from "./dom.js";
import { headerOf } from "./files.js";

const CONFIG_LIMIT = 1e6;

/** What values stand for on a command line: `header:…` texts by the names of the files they came from. */
export const fileNames = new Map();

/** The control of a model field; see fields.js. Its value is a name, the JSON of a configuration, or `header:…`. */
export function modelField(field, attributes, change) {
  const named = combobox({ ...field, names: "models" }, attributes, taken);
  const pasted = h("textarea", { id: newId("config"), rows: 6, spellcheck: "false",
    placeholder: '{"model_type": "llama", …}', onchange: () => taken(pasted.value.trim()) });
  const file = h("input", { type: "file", id: newId("file"), accept: ".json,.safetensors,.gguf", multiple: true,
    onchange: () => file.files.length && read([...file.files]) });
  const note = h("p", { class: "hint", role: "status" });
  const details = h("details", { class: "paste" }, h("summary", {}, "or paste a config.json, drop a file"),
    h("label", { for: pasted.id }, "config.json"), pasted,
    h("label", { for: file.id }, "a file: config.json, safetensors (with its config.json) or GGUF; only its header is read and sent"), file);
  const around = h("div", { class: "model drop", ondragover: (event) => { event.preventDefault(); around.classList.add("over"); },
    ondragleave: () => around.classList.remove("over"),
    ondrop: (event) => {
      event.preventDefault();
      around.classList.remove("over");
      if (event.dataTransfer.files.length) read([...event.dataTransfer.files]);
      else taken(event.dataTransfer.getData("text").trim());
    } }, named.around, note, details);

  function tell(text, className = "hint") {
    note.textContent = text;
    note.className = className;
  }
  function taken(value) {
    show(value);
    change(value);
  }
  async function read(files) {
    const config = files.find((one) => one.name.endsWith(".json")) ?? null;
    const chosen = files.find((one) => one !== config) ?? config;
    tell(`reading ${chosen.name} …`);
    try {
      if (chosen.size > CONFIG_LIMIT && chosen === config) throw new Error("a configuration has at most 1 MB");
      const value = chosen === config ? (await config.text()).trim() : await headerOf(chosen, config);
      if (chosen !== config) fileNames.set(value, chosen.name);
      else if (!value.startsWith("{")) throw new Error("it holds no JSON object");
      taken(value);
    } catch (error) {
      tell(`${chosen.name}: ${error.message}`, "error");
    }
  }
  function show(value) {
    const isConfig = value.startsWith("{");
    const isHeader = value.startsWith("header:");
    if (document.activeElement !== pasted) pasted.value = isConfig ? value : "";
    named.show(isConfig || isHeader ? "" : value);
    if (isConfig || isHeader) named.control.value = "";
    named.control.placeholder = isConfig ? "a pasted configuration" : isHeader ? "a file's header" : "";
    tell(isConfig ? `pasted configuration, ${value.length.toLocaleString("en-US")} characters`
      : isHeader ? `header of ${fileNames.get(value) ?? "a file"}` : "");
    if (isConfig) details.open = true;
  }
  return { control: named.control, around, show };
}
