/** Files of weights: their headers are read in the browser, by slices, and nothing else of them is sent. */

import { sendHeader } from "./ask.js";
import { gguf } from "./gguf.js";

export const HEADER_LIMIT = 8 * 2 ** 20;

/**
 * Return the model value (`header:…`) of a safetensors or GGUF file. `config`: the File of a config.json beside
 * a safetensors file, or null. Raises Error with one line of text.
 */
export async function headerOf(file, config = null) {
  const start = new Uint8Array(await file.slice(0, 8).arrayBuffer());
  const isGguf = String.fromCharCode(...start.slice(0, 4)) === "GGUF";
  const { header, end } = isGguf ? await gguf(file) : await safetensors(file, start);
  if (header.size > HEADER_LIMIT) throw new Error("its header is larger than 8 MiB: use the command line");
  const query = new URLSearchParams({ kind: isGguf ? "gguf" : "safetensors", size: file.size, name: file.name.slice(-200) });
  if (isGguf) query.set("end", end);
  const withConfig = config && !isGguf;
  if (withConfig) query.set("config_bytes", config.size);
  return sendHeader(query, withConfig ? new Blob([config, header]) : header);
}

async function safetensors(file, start) {
  if (start.length < 8) throw new Error("it is shorter than any file of weights");
  const length = Number(new DataView(start.buffer).getBigUint64(0, true));
  if (length < 2 || 8 + length > file.size) {
    throw new Error("it is neither a GGUF nor a safetensors file, or it is cut off");
  }
  return { header: file.slice(0, 8 + length), end: 8 + length };
}
