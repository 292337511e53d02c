/** Texts of the service in the words of the page: fields by their labels, not by flags of the command line. */

import { fileNames } from "./sent_files.js";

const LISTS = /; (?:see: )?sizewise catalog \w+(?: lists them)?/g;
const PRICES = /; list them: sizewise catalog prices(, or give)?/g;

/** Return a text with the labels of fields; `labelOf(name)` is "" for what the form lacks. */
export function inPageWords(text, labelOf) {
  return text
    .replace(PRICES, (whole, other) => (other ? "; give" : ""))
    .replace(LISTS, "; the field lists them as you type")
    .replace(/header:[0-9a-f]+/g, (value) => fileNames.get(value) ?? "the header of this file")
    .replace(/^[a-z][a-z_]*(?=: )/, (name) => (labelOf(name) ? `“${labelOf(name)}”` : name))
    .replace(/(^|[\s(/'])--([a-z][a-z0-9-]*)/g, (flag, before, name) => {
      const label = labelOf(name.replaceAll("-", "_"));
      return label ? `${before}“${label}”` : flag;
    });
}
