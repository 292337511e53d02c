/** Which devices hold an answer. */

import { h, more, table } from "./dom.js";
import { gib } from "./numbers.js";
import { verdict } from "./verdict.js";

const SHOWN = 10;
const COLUMNS = [{ title: "device" }, { title: "usable", numeric: true }, { title: "needed", numeric: true },
  { title: "spare", numeric: true }, { title: "fits" }];

/** Return the table of devices: those that were asked, or the smallest that hold it. */
export function fitsTable(answer, tools) {
  if (answer.scenario.on.length > 0) {
    return answer.fits.length > 1 ? table("Each device", COLUMNS, answer.fits.map((fit) => row(fit, null))) : null;
  }
  const holding = answer.fits.filter((fit) => fit.fits).sort((left, right) => left.usable - right.usable);
  if (holding.length === 0) return h("p", { class: "no" }, "No single device of the catalogue holds it.");
  const rows = holding.map((fit) => row(fit, tools));
  return [table("Smallest devices that hold it", COLUMNS, rows.slice(0, SHOWN)),
    rows.length > SHOWN ? more("fits", `${rows.length - SHOWN} larger ones`, table("Larger devices", COLUMNS, rows.slice(SHOWN))) : null];
}

function row(fit, tools) {
  const name = `${fit.device}${fit.count > 1 ? `:${fit.count}` : ""}`;
  const use = tools ? h("button", { type: "button", onclick: () => tools.set("on", name) }, name) : name;
  const usable = fit.usable_status === "assumed" ? `${gib(fit.usable)} (assumed)` : gib(fit.usable);
  return [use, usable, gib(fit.needed), gib(fit.usable - fit.needed),
    verdict([fit], { fits: "yes", "fits tightly": "tight", "does not fit": "no" })];
}
