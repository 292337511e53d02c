/** Questions to the service: the command line's verbs under /api, answered in its JSON. */

import { binary, gib, large, short } from "./numbers.js";
import { namesIn } from "./words.js";

/** Names of values that stand on a command line without a flag, in their order. */
const PLACED = ["subject", "name", "words", "laws", "runs", "model"];
const ADDRESS_LIMIT = 4000;

/** An error that the service told: its status, its code, one line of text, and after how many seconds to ask again. */
export class Problem extends Error {
  constructor(status, document, retryAfter = null) {
    super(document.detail || document.title || `the service answered ${status}`);
    this.status = status;
    this.code = String(document.type ?? "").split(":").pop();
    this.field = document.field ?? "";
    this.retryAfter = Number(retryAfter) || 0;
  }

  /** Return the name of the value that it is about: the one it names, quotes, or whose option it offers; or "". */
  fieldOf(values) {
    const begins = /^([a-z][a-z_]*)(?:[:.]| [^\s:]+:)/.exec(this.message)?.[1];
    const quoted = [...this.message.matchAll(/'([^']+)'/g)].map((found) => found[1]);
    const holds = ([name, value]) => typeof value === "string" && name !== "set" && !configuration(value)
      && [value, ...value.split(/[,:]/)].some((part) => quoted.includes(part.trim()));
    return this.field || [begins, Object.entries(values).find(holds)?.[0], FIELDS_OF_CODES[this.code], ...namesIn(this.message)]
      .find((name) => name in values) || "";
  }
}

const FIELDS_OF_CODES = { unknown_device: "on", ...Object.fromEntries(["bad_reference", "not_found", "bad_config", "bad_json",
  "unsupported_architecture", "missing_field"].map((code) => [code, "model"])) };

/** Values that may be given several times: each line of their text is one. */
export const REPEATED = new Set(["set", "column", "units", "where", "size_of", "drop", "target", "freeze", "task"]);

/** Return values without the empty ones, those that may be given several times as lists. */
export function told(values) {
  const kept = Object.entries(values).filter(([, value]) =>
    value !== "" && value !== false && value !== null && value !== undefined);
  return Object.fromEntries(kept.map(([name, value]) => [name, REPEATED.has(name) && !Array.isArray(value)
    ? String(value).split("\n").map((one) => one.trim()).filter(Boolean) : value]));
}

/** Tell whether a text is a configuration. */
function configuration(text) {
  return typeof text === "string" && text.trimStart().startsWith("{");
}

/** Return the response to a verb and values. Raises Problem; AbortError where `signal` says so. */
export async function response(verb, values, signal) {
  const answer = await sent(verb, values, signal);
  if (answer.ok) return answer;
  if (answer.status === 404 && await sendAgain(values.model)) {
    const second = await sent(verb, values, signal);
    if (second.ok) return second;
  }
  throw await problemOf(answer);
}

async function problemOf(answer) {
  return new Problem(answer.status, await answer.json().catch(() => ({})), answer.headers.get("retry-after"));
}

async function sent(verb, values, signal) {
  const asked = told(values);
  const path = `/api/${verb.replaceAll(" ", "/")}`;
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(asked)) {
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one));
  }
  const long = query.toString().length > ADDRESS_LIMIT || configuration(asked.model) || "runs" in asked;
  return long
    ? fetch(path, { method: "POST", signal, headers: { "content-type": "application/json" },
      body: JSON.stringify(await typed(verb, asked)) })
    : fetch(`${path}?${query}`, { signal });
}

const headers = new Map();

/** Send a file's header; return the value (`header:…`) that names its model. Raises Problem. */
export async function sendHeader(query, body) {
  const answer = await fetch(`/api/header?${query}`, {
    method: "POST", headers: { "content-type": "application/octet-stream" }, body });
  if (!answer.ok) throw await problemOf(answer);
  const { model } = await answer.json();
  headers.set(model, [query, body]);
  return model;
}

/** Send a header again that the service no longer holds; say whether that was done. */
async function sendAgain(model) {
  if (!headers.has(model)) return false;
  return sendHeader(...headers.get(model)).then(() => true, () => false);
}

/** Return the answer to a verb as an object. */
export async function ask(verb, values, signal) {
  return (await response(verb, values, signal)).json();
}

let described = null;

/** Return values as the kinds that the description of the service names: a body is read strictly. */
async function typed(verb, values) {
  described ??= fetch("/api/openapi.json").then((answer) => answer.json()).catch(() => { described = null; return {}; });
  const kinds = kindsOf(await described, verb);
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, cast(value, kinds[name])]));
}

function kindsOf(document, verb) {
  const operation = document.paths?.[`/api/${verb.replaceAll(" ", "/")}`]?.post;
  let schema = operation?.requestBody?.content?.["application/json"]?.schema ?? {};
  if (schema.$ref) schema = document.components?.schemas?.[schema.$ref.split("/").pop()] ?? {};
  const kind = (one) => one.type ?? one.anyOf?.map(kind).find((each) => each !== "null");
  return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, one]) => [name, kind(one)]));
}

function cast(value, kind) {
  if (kind === undefined) return /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
  if (Array.isArray(value)) return value;
  if ((kind === "integer" || kind === "number") && typeof value === "string" && value.trim() !== ""
      && Number.isFinite(Number(value))) return Number(value);
  return value;
}

/** Return a text as one word of a POSIX shell. */
function quoted(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * Return the command line that asks the same. A pasted configuration is read from standard input;
 * a file that was dropped stands under its own name, given in `files` by the names of the values.
 */
export function commandOf(verb, values, files = {}) {
  const asked = told(values);
  const words = ["sizewise", ...verb.split(" ")];
  let input = "";
  for (const [name, value] of Object.entries(asked)) {
    if (PLACED.includes(name)) continue;
    const flag = `--${name.replaceAll("_", "-")}`;
    if (value === true) words.push(flag);
    else for (const one of [value].flat()) words.push(quoted(`${flag}=${one}`));
  }
  for (const name of PLACED.filter((each) => each in asked)) {
    const value = asked[name];
    if (files[name]) words.push(quoted(files[name]));
    else if (name === "runs" || configuration(value)) {
      words.push("-");
      input = `printf %s ${quoted(value)} | `;
    } else words.push(...[value].flat().map((one) => quoted(String(one))));
  }
  return input + words.join(" ");
}

let listed = null;

/**
 * Return the names of a kind (`models`, `devices`, `formats`, `cache_formats`, `runtimes`, `laws`) as
 * [{name, about, also}], asked once they can be had. Empty until then: the field takes any text.
 */
export async function names(kind) {
  listed ??= fetch("/api/names").then((answer) => (answer.ok ? answer.json() : Promise.reject(answer)))
    .catch(() => { listed = null; return {}; });
  return ((await listed)[kind] ?? []).map((row) => (typeof row === "string" ? { name: row, about: "", also: [] } : {
    name: row.id ?? row.name,
    about: aboutOf(kind, row),
    also: row.aliases ?? [],
  }));
}

function aboutOf(kind, row) {
  if (kind === "models") {
    const active = row.active ? `, ${large(row.active)} active` : "";
    return `${large(row.parameters)} parameters${active}${row.context ? `, context ${binary(row.context)}` : ""}`;
  }
  if (kind === "devices") return `${row.name}, ${gib(row.memory)}`;
  return kind === "formats" ? `${short(row.bits)} bits` : row.title ?? "";
}
