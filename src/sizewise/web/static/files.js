/** Files that were chosen: headers of weights are read in the browser, by slices, and sent without the rest. */

import { sendHeader } from "./ask.js";
import { configText, textOf } from "./config_text.js";
import { gguf } from "./gguf.js";
import { keepName, nameOfParts } from "./sent_files.js";

export const HEADER_LIMIT = 8 * 2 ** 20;
const CONFIG_LIMIT = 1e6;
const PREFIX = 8;
const PART = /^(.*)-(\d{5})-of-(\d{5})\.safetensors$/i;
const GGUF_PART = /-\d{5}-of-(\d{5})\.gguf$/i;
const WEIGHTS = /\.(safetensors|gguf)$/i;
const OTHER_JSON = /\.index\.json$|tokenizer|generation|special_tokens|added_tokens|preprocessor|processor/i;

/**
 * Return the model value of files: `header:…` of weights, with the config.json beside them, or the text of a
 * configuration. All parts of a model that is in several safetensors files count together.
 * Raises Error with one line of text.
 */
export async function modelOf(files) {
  const json = files.filter((one) => /\.json$/i.test(one.name));
  const weights = files.filter((one) => WEIGHTS.test(one.name));
  const config = configOf(json);
  if (weights.length === 0 && json.length === 0) return headerOf(files.slice(0, 1), null);
  if (weights.length) return headerOf(weights, config && (await configIn(config)));
  if (!config) throw new Error(`${json[0].name}: it is not the config.json of a model; choose that`);
  return named(config, async () => {
    const text = await configIn(config);
    if (!text.startsWith("{")) throw new Error("it holds no JSON object");
    return text;
  });
}

/** Return the file of a configuration among others; null where there is none. */
function configOf(json) {
  return json.find((one) => one.name.toLowerCase() === "config.json")
    ?? json.find((one) => !OTHER_JSON.test(one.name)) ?? null;
}

async function configIn(file) {
  if (file.size > CONFIG_LIMIT) throw new Error("a configuration has at most 1 MB");
  return configText(await textOf(file));
}

async function headerOf(weights, config) {
  if (weights.length > 1 || (PART.test(weights[0].name) && Number(PART.exec(weights[0].name)[3]) > 1)) {
    return partsOf(weights, config);
  }
  const [file] = weights;
  return named(file, async () => {
    const count = Number(GGUF_PART.exec(file.name)?.[1] ?? 1);
    if (count > 1) throw new Error(`one of ${count} parts of a model: ask sizewise memory ./${file.name} where they all are, or name the model`);
    const start = new Uint8Array(await file.slice(0, PREFIX).arrayBuffer());
    const isGguf = String.fromCharCode(...start.slice(0, 4)) === "GGUF";
    const { header, end } = isGguf ? await gguf(file) : await safetensors(file, start);
    const query = { kind: isGguf ? "gguf" : "safetensors", size: file.size, name: file.name.slice(-200) };
    return sent(isGguf ? { ...query, end } : query, header, isGguf ? null : config, file.name);
  });
}

/** Send a header; return the value that names its model. */
async function sent(query, header, config, name) {
  if (header.size > HEADER_LIMIT) throw new Error("its header is larger than 8 MiB: use the command line");
  const told = config ? new Blob([config]) : null;
  const asked = new URLSearchParams(told ? { ...query, config_bytes: told.size } : query);
  const value = await sendHeader(asked, told ? new Blob([told, header]) : header);
  keepName(value, name, query.kind);
  return value;
}

async function safetensors(file, start) {
  if (start.length < PREFIX) throw new Error("it is shorter than any file of weights");
  const length = Number(new DataView(start.buffer).getBigUint64(0, true));
  if (length < 2 || PREFIX + length > file.size) {
    throw new Error("it is neither a GGUF nor a safetensors file, or it is cut off");
  }
  return { header: file.slice(0, PREFIX + length), end: PREFIX + length };
}

/** Send the headers of all parts of a model as that of one file in which their data follow one another. */
async function partsOf(weights, config) {
  const found = weights.map((one) => PART.exec(one.name));
  const [, stem, , count] = found.find(Boolean) ?? [];
  if (!found.every((one) => one && one[1] === stem && one[3] === count)) {
    throw new Error("these files are not the parts of one model: choose one file, or all parts of one");
  }
  const parts = [...weights].sort((left, right) => (left.name < right.name ? -1 : 1));
  const numbers = parts.map((one) => Number(PART.exec(one.name)[2]));
  if (parts.length !== Number(count) || numbers.some((one, place) => one !== place + 1)) {
    throw new Error(`${parts.length} of ${Number(count)} parts of ${stem}: choose all of them together, `
      + "or ask sizewise memory FOLDER");
  }
  const { header, size } = await joined(parts);
  const query = { kind: "safetensors", size, name: `${stem}.safetensors`.slice(-200) };
  return named({ name: stem }, () => sent(query, header, config, nameOfParts(stem, count)));
}

/** Return {header, size} of one safetensors file that holds what several hold. */
export async function joined(parts) {
  const all = Object.create(null);
  let data = 0;
  let sum = 0;
  for (const part of parts) {
    await named(part, async () => {
      const { end } = await safetensors(part, new Uint8Array(await part.slice(0, PREFIX).arrayBuffer()));
      sum += end;
      if (sum > HEADER_LIMIT) throw new Error("the headers of the parts are larger than 8 MiB: use sizewise memory FOLDER");
      for (const [name, entry] of Object.entries(await headerIn(part, end))) {
        if (name === "__metadata__") continue;
        if (name in all) throw new Error(`tensor ${name} is in another part too`);
        all[name] = { ...entry, data_offsets: entry?.data_offsets?.map?.((one) => one + data) };
      }
      data += part.size - end;
    });
  }
  const text = new TextEncoder().encode(JSON.stringify(all));
  const length = new DataView(new ArrayBuffer(PREFIX));
  length.setBigUint64(0, BigInt(text.length), true);
  return { header: new Blob([length.buffer, text]), size: PREFIX + text.length + data };
}

async function headerIn(part, end) {
  try {
    return Object.assign(Object.create(null), JSON.parse(await part.slice(PREFIX, end).text()));
  } catch {
    throw new Error("its header is no JSON");
  }
}

/** Return what `read` returns; an error says the name of the file. */
async function named(file, read) {
  try {
    return await read();
  } catch (error) {
    throw new Error(`${file.name}: ${error.message}`, { cause: error });
  }
}
