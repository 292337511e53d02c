/** What one does with an answer: copy its link or command, download it, take its picture. */

import { commandOf, response } from "./ask.js";
import { h } from "./dom.js";

const FORMATS = [["JSON", "json"], ["CSV", "csv"], ["Markdown", "md"]];
const DRAWN = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "fill-opacity", "opacity",
  "font-size", "font-family", "font-weight", "text-anchor", "dominant-baseline", "paint-order"];

/**
 * Return the row of buttons of a question. `now()` returns {verb, values, files} as they are when one is pressed;
 * `section()` holds the pictures; `tell(text)` says what happened.
 */
export function actions(now, section, tell) {
  const button = (label, press) => h("button", { type: "button", onclick: press }, label);
  return h("div", { class: "actions", role: "group", "aria-label": "Share and download" },
    button("Copy link", () => copy(location.href, tell, "link")),
    button("Copy command", () => {
      const { verb, values, files } = now();
      copy(commandOf(verb, values, files), tell, "command");
    }),
    FORMATS.map(([label, format]) => button(label, () => download(now(), format, tell))),
    button("Picture", () => picture(section(), now().verb, tell)));
}

async function copy(text, tell, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h("textarea", { class: "hidden", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  tell(`copied the ${what}: ${text.length > 300 ? `${text.slice(0, 300)}…` : text}`);
}

function save(name, blob) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

const fileName = (verb, ending) => `sizewise-${verb.replaceAll(" ", "-")}.${ending}`;

async function download({ verb, values }, format, tell) {
  try {
    save(fileName(verb, format), await (await response(verb, { ...values, format })).blob());
  } catch (error) {
    tell(error.message);
  }
}

/** Save the first picture of a section as an SVG file that needs no style sheet. */
function picture(section, verb, tell) {
  const drawn = section.querySelector("svg.chart");
  if (!drawn) return tell("there is no picture of this answer");
  const copied = drawn.cloneNode(true);
  const copies = [copied, ...copied.querySelectorAll("*")];
  [drawn, ...drawn.querySelectorAll("*")].forEach((original, place) => {
    const style = getComputedStyle(original);
    for (const name of DRAWN) copies[place].setAttribute(name, style.getPropertyValue(name));
    copies[place].removeAttribute("class");
  });
  const background = getComputedStyle(document.body).backgroundColor;
  const behind = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of [["width", "100%"], ["height", "100%"], ["fill", background]]) behind.setAttribute(name, value);
  copied.prepend(behind);
  copied.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  save(fileName(verb, "svg"), new Blob([new XMLSerializer().serializeToString(copied)], { type: "image/svg+xml" }));
}
