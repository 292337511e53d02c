/** Texts of the service in the words of the page: fields by their labels, not by names of values or flags. */

import { fileNames } from "./sent_files.js";

const CATALOG = "(?:sizewise catalog|catalog, subject)";
const LISTS = new RegExp(`; (?:see: )?${CATALOG} \\w+(?: lists them)?`, "g");
const PRICES = new RegExp(`; list them: ${CATALOG} prices(, or give)?`, "g");
const SHORT = { "-q": "quant", "-c": "context", "-np": "sequences" };
const LETTER = /(?<=\b(?:with|use|give) )-[a-z]+\b/g;
const FLAG = /(?<=^|[\s(/'])--([a-z][a-z0-9-]*)/g;
const SUBJECT = /^([a-z][a-z_]*)(?:( and | or )([a-z][a-z_]*))?(?=:| (?:is|are|has|have|needs?|takes?)\b)/;
const OBJECT = /(?<=\b(?:use|give|load:|needs?|than) )([a-z][a-z_]*)(?= |$)/g;
const JOINED = /\b[a-z]+(?:_[a-z]+)+\b/g;

/** Return what may be the names of values in a message, the likeliest first. */
export function namesIn(text) {
  const [, first, , second] = SUBJECT.exec(text) ?? [];
  const flags = [...text.matchAll(FLAG)].map((found) => found[1].replaceAll("-", "_"));
  return [first, second, ...flags, ...(text.match(OBJECT) ?? []), ...(text.match(JOINED) ?? [])].filter(Boolean);
}

/** Return a text with the labels of fields; `labelOf(name)` is "" for what the form lacks. */
export function inPageWords(text, labelOf) {
  const label = (name, otherwise = name) => (name && labelOf(name) ? `“${labelOf(name)}”` : otherwise);
  return text
    .replace(PRICES, (whole, other) => (other ? "; give" : ""))
    .replace(LISTS, "; the field lists them as you type")
    .replace(/header:[0-9a-f]+/g, (value) => fileNames.get(value) ?? "the header of this file")
    .replace(SUBJECT, (whole, first, and = "", second = "") => `${label(first)}${and}${label(second)}`)
    .replace(OBJECT, (name) => label(name))
    .replace(JOINED, (name) => label(name))
    .replace(LETTER, (flag) => label(SHORT[flag], flag))
    .replace(FLAG, (flag, name) => label(name.replaceAll("-", "_"), flag));
}
