/** Models that files were chosen for: how they are called, and what cannot be asked of them. */

const NAME_LIMIT = 200;
const INDEX = /"weight_map"\s*:/;

/** What files are called, by the values (`header:…`) that name their models. */
export const fileNames = new Map();

/** Tell whether a value names the model of a file whose header was sent. */
export const isSent = (value) => typeof value === "string" && value.startsWith("header:");

const ggufs = new Set();

/** Tell whether a value names the model of a GGUF file, whatever the file is called: Ollama keeps them under their hash. */
export const isGguf = (value) => isSent(value) && (ggufs.has(value) || /\.gguf$/i.test(fileNames.get(value) ?? ""));

/** Keep the name of a file, without a folder, and its kind, by the value that names its model. */
export function keepName(value, name, kind) {
  const own = name.split(/[/\\]/).pop().slice(0, NAME_LIMIT);
  if (isSent(value) && own) fileNames.set(value, own);
  if (isSent(value) && kind === "gguf") ggufs.add(value);
}

/** Return the name of parts together: `model-*-of-00002.safetensors`. */
export const nameOfParts = (stem, count) => `${stem}-*-of-${count}.safetensors`;

/** Return the paths on a command line of those values that name files, by the names of the values. */
export function pathsOf(values) {
  const sent = Object.entries(values).filter(([, value]) => fileNames.has(value));
  return Object.fromEntries(sent.map(([name, value]) => {
    const file = fileNames.get(value);
    return [name, file.includes("-*-of-") ? "." : `./${file}`];
  }));
}

/** Return why a question is not asked, {detail, field} as a problem document has them; null where it is. */
export function refusalOf(verb, { model }) {
  if (typeof model !== "string") return null;
  const field = "model";
  if (model === "") return { field, detail: "name a model, paste its config.json, or drop a file" };
  if (!model.startsWith("{") && model.length > NAME_LIMIT) {
    return { field, detail: "this is neither a name nor a configuration, which begins with {" };
  }
  if (model.startsWith("{") && INDEX.test(model) && !model.includes('"model_type"')) {
    return { field, detail: "this lists the tensors of a model's files; its config.json is another file" };
  }
  if (verb === "plan serve" && isGguf(model)) {
    return { detail: "plans are made for vLLM and SGLang, and a GGUF file is for llama.cpp: "
      + "name the model itself to plan with it" };
  }
  return null;
}

/** Return what is to be known of an answer, as sentences. */
export function notesOf(verb, { model }) {
  return verb === "plan train" && isGguf(model)
    ? ["A GGUF file is made to run, not to train: its layers are counted here with weights as a trainer keeps them."]
    : [];
}
