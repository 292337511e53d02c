/** Files of weights: their headers are read in the browser, by slices, and nothing else of them is sent. */

import { Problem } from "./ask.js";
import { gguf } from "./gguf.js";

export const HEADER_LIMIT = 8 * 2 ** 20;

/** Return the model value (`header:…`) of a safetensors or GGUF file. Raises Error with one line of text. */
export async function headerOf(file) {
  const start = new Uint8Array(await file.slice(0, 8).arrayBuffer());
  const isGguf = String.fromCharCode(...start.slice(0, 4)) === "GGUF";
  const header = isGguf ? await gguf(file) : await safetensors(file, start);
  if (header.size > HEADER_LIMIT) throw new Error("its header is larger than 8 MiB: use the command line");
  const kind = isGguf ? "gguf" : "safetensors";
  const answer = await fetch(`/api/header?kind=${kind}&size=${file.size}`, {
    method: "POST", headers: { "content-type": "application/octet-stream" }, body: header });
  if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => ({})));
  return (await answer.json()).model;
}

async function safetensors(file, start) {
  if (start.length < 8) throw new Error("it is shorter than any file of weights");
  const length = Number(new DataView(start.buffer).getBigUint64(0, true));
  if (length < 2 || 8 + length > file.size) {
    throw new Error("it is neither a GGUF nor a safetensors file, or it is cut off");
  }
  return file.slice(0, 8 + length);
}
