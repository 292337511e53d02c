/**
 * What was told, and the address that says it.
 *
 * Values are texts (true for switches) under the names of the flags and of the JSON. Short ones stand in the
 * query, long ones (a configuration, a file of runs) behind the `#`, which never travels to a server.
 */

import { REPEATED } from "./ask.js";
import { fileNames, isGguf, keepName } from "./sent_files.js";

const LONG = 300;
/** The longest address that is written; browsers take 2 MB. */
const MOST = 1.5e6;

/** Values that were told, by `keyOf`; an empty text is one that was cleared. */
export const told = new Map();

/** Return under which name a field's value is told: `own` ones mean something else on other tabs, and stay on theirs. */
export const keyOf = (tab, field) => (field.own ? `${tab.id} ${field.name}` : field.name);

/** Move what an address told a tab's own fields to where they are kept. */
export function keptApart(tab) {
  for (const field of tab.fields.filter((one) => one.own && told.has(one.name))) {
    told.set(keyOf(tab, field), told.get(field.name));
    told.delete(field.name);
  }
}

/** Return the tab that the address names, and take its values over. */
export function readAddress() {
  told.clear();
  for (const part of [location.search.slice(1), location.hash.slice(1)]) {
    for (const [name, value] of new URLSearchParams(part)) {
      told.set(name, told.has(name) && name !== "tab" ? `${told.get(name)}\n${value}` : value);
    }
  }
  const tab = told.get("tab") ?? "";
  told.delete("tab");
  keepName(told.get("model"), told.get("file") ?? "", told.get("kind"));
  told.delete("file");
  told.delete("kind");
  return tab;
}

/** Return the values of a tab's fields: what was told, or where nothing was told for this tab, the defaults. */
export function valuesOf(tab, given) {
  const values = {};
  for (const field of tab.fields) {
    const usual = field.value ?? (field.kind === "switch" ? false : "");
    const missing = given && !field.always ? (field.kind === "switch" ? false : "") : usual;
    const value = told.get(keyOf(tab, field)) ?? missing;
    values[field.name] = field.kind === "switch" ? value === true || value === "true" || value === "1" : value;
  }
  return values;
}

/**
 * Return the address of a tab with these values. Empty ones are left out, but for those in `always`, whose
 * default would count otherwise. The name of a file that was sent stands beside its model.
 */
export function addressOf(tab, values, always = []) {
  const query = new URLSearchParams({ tab });
  const rest = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if ((value === "" && !always.includes(name)) || value === false || value === null || value === undefined) continue;
    const text = String(value);
    const place = text.length > LONG || text.startsWith("{") || name === "runs" ? rest : query;
    for (const one of REPEATED.has(name) ? text.split("\n") : [text]) place.append(name, one);
  }
  if (fileNames.has(values.model)) query.append("file", fileNames.get(values.model));
  if (isGguf(values.model) && !/\.gguf$/i.test(fileNames.get(values.model))) query.append("kind", "gguf");
  const behind = rest.toString();
  const said = query.toString().replace(/%2C/g, ",").replace(/%3A/g, ":").replace(/%2F/g, "/");
  return `${location.pathname}?${said}${behind ? `#${behind}` : ""}`;
}

const EVERY = 100;
let writing = 0;
let written = -Infinity;

/** Write the address, ten times a second at most: browsers refuse to do so as often as a slider moves. */
export function writeAddress(address) {
  forgetAddress();
  document.body.dataset.ready = "0";
  writing = setTimeout(() => {
    writing = 0;
    written = performance.now();
    history.replaceState(null, "", address.length > MOST ? address.split("#")[0] : address);
    settled();
  }, Math.max(0, written + EVERY - performance.now()));
}

/** Leave the address as it is. */
export function forgetAddress() {
  clearTimeout(writing);
  writing = 0;
}

/** Say that the page is at rest (`data-ready` of its body is 1) where no answer and no address is under way. */
export function settled() {
  if (!writing && !document.querySelector("[aria-busy=true]")) document.body.dataset.ready = "1";
}
