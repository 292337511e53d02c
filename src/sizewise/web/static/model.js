/** The model of a question: a name, a configuration that is pasted, or a file of which only the header is sent. */

import { combobox } from "./combobox.js";
import { h, newId } from "./dom.js";
import { headerOf } from "./files.js";

/** What values stand for on a command line: `header:…` texts by the names of the files they came from. */
export const fileNames = new Map();

/** The control of a model field; see fields.js. Its value is a name, the JSON of a configuration, or `header:…`. */
export function modelField(field, attributes, change) {
  const named = combobox({ ...field, names: "models" }, attributes, taken);
  const pasted = h("textarea", { id: newId("config"), rows: 6, spellcheck: "false",
    placeholder: '{"model_type": "llama", …}', onchange: () => taken(pasted.value.trim()) });
  const file = h("input", { type: "file", id: newId("file"), accept: ".json,.safetensors,.gguf",
    onchange: () => file.files[0] && read(file.files[0]) });
  const note = h("p", { class: "hint", role: "status" });
  const details = h("details", { class: "paste" }, h("summary", {}, "or paste a config.json, drop a file"),
    h("label", { for: pasted.id }, "config.json"), pasted,
    h("label", { for: file.id }, "config.json, safetensors or GGUF file (only its header is read and sent)"), file);
  const around = h("div", { class: "model", ondragover: (event) => { event.preventDefault(); around.classList.add("over"); },
    ondragleave: () => around.classList.remove("over"),
    ondrop: (event) => {
      event.preventDefault();
      around.classList.remove("over");
      const dropped = event.dataTransfer.files[0];
      if (dropped) read(dropped);
      else taken(event.dataTransfer.getData("text").trim());
    } }, named.around, note, details);

  function taken(value) {
    show(value);
    change(value);
  }
  async function read(chosen) {
    note.textContent = `reading the header of ${chosen.name} …`;
    try {
      const value = chosen.name.endsWith(".json") ? (await chosen.text()).trim() : await headerOf(chosen);
      if (!value.startsWith("{")) fileNames.set(value, chosen.name);
      taken(value);
    } catch (error) {
      note.textContent = `${chosen.name}: ${error.message}`;
    }
  }
  function show(value) {
    const isConfig = value.startsWith("{");
    const isHeader = value.startsWith("header:");
    if (document.activeElement !== pasted) pasted.value = isConfig ? value : "";
    named.show(isConfig || isHeader ? "" : value);
    if (isConfig || isHeader) named.control.value = "";
    named.control.placeholder = isConfig ? "a pasted configuration" : isHeader ? "a file's header" : "";
    note.textContent = isConfig ? `pasted configuration, ${value.length.toLocaleString("en-US")} characters`
      : isHeader ? `header of ${fileNames.get(value) ?? "a file"}` : "";
    if (isConfig) details.open = true;
  }
  return { control: named.control, around, show };
}
