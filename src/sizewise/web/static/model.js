/** The model of a question: a name, a configuration that is pasted, or a file of which only the header is sent. */

import { combobox } from "./combobox.js";
import { h, newId } from "./dom.js";
import { configText } from "./config_text.js";
import { modelOf } from "./files.js";
import { count } from "./numbers.js";
import { fileNames, isSent } from "./sent_files.js";

/** The control of a model field; see fields.js. Its value is a name, the JSON of a configuration, or `header:…`. */
export function modelField(field, attributes, change) {
  const named = combobox({ ...field, names: "models" }, attributes, taken);
  const pasted = h("textarea", { id: newId("config"), rows: 6, spellcheck: "false",
    placeholder: '{"model_type": "llama", …}', onchange: () => taken(configText(pasted.value)) });
  const file = h("input", { type: "file", id: newId("file"), accept: ".json,.safetensors,.gguf", multiple: true,
    onclick: () => { file.value = ""; }, onchange: () => file.files.length && read([...file.files]) });
  const note = h("p", { class: "hint", role: "status" });
  const details = h("details", { class: "paste" }, h("summary", {}, "or paste a config.json, drop a file"),
    h("label", { for: pasted.id }, "config.json"), pasted,
    h("label", { for: file.id }, "a file: config.json, safetensors (all parts, with their config.json) or GGUF; only headers are read and sent"), file);
  const around = h("div", { class: "model drop", ondragover: (event) => { event.preventDefault(); around.classList.add("over"); },
    ondragleave: () => around.classList.remove("over"),
    ondrop: (event) => {
      event.preventDefault();
      around.classList.remove("over");
      if (event.dataTransfer.files.length) read([...event.dataTransfer.files]);
      else taken(configText(event.dataTransfer.getData("text")));
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
    tell(`reading ${files[0].name} …`);
    try {
      taken(await modelOf(files));
    } catch (error) {
      tell(error.message, "error");
    }
  }
  function show(value) {
    const isConfig = value.startsWith("{");
    const isHeader = isSent(value);
    if (document.activeElement !== pasted) pasted.value = isConfig ? value : "";
    named.show(isConfig || isHeader ? "" : value);
    if (isConfig || isHeader) named.control.value = "";
    named.control.placeholder = isConfig ? "a pasted configuration" : isHeader ? "a file's header" : "";
    tell(isConfig ? `pasted configuration, ${count(value.length)} characters`
      : isHeader ? `header of ${fileNames.get(value) ?? "a file"}` : "");
    if (isConfig) details.open = true;
  }
  return { control: named.control, around, show };
}
