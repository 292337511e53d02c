/** What one does with an answer: copy its link or command, download it, take its picture. */

import { commandOf, response } from "./ask.js";
import { h, svg } from "./dom.js";
import { fileNames, isSent, pathsOf } from "./sent_files.js";

const FORMATS = [["JSON", "json"], ["CSV", "csv"], ["Markdown", "md"]];
const DRAWN = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "fill-opacity", "opacity",
  "font-size", "font-family", "font-weight", "text-anchor", "dominant-baseline", "paint-order"];
const MARGIN = 16;
const GAP = 24;
const SHOWN = 300;

/**
 * Return the row of buttons of a question. `now()` returns {link, verb, values} as they are when one is pressed;
 * `section()` holds the pictures; `tell(text)` says what happened.
 */
export function actions(now, section, tell) {
  const button = (label, press) => h("button", { type: "button", onclick: press }, label);
  return h("div", { class: "actions", role: "group", "aria-label": "Share and download" },
    button("Copy link", () => {
      const { link, values } = now();
      copy(link, tell, isSent(values.model) ? "link (it works here alone, while the file's header is held)" : "link");
    }),
    button("Copy command", () => {
      const { verb, values } = now();
      const unknown = isSent(values.model) && !fileNames.has(values.model);
      if (unknown) tell("the name of the file is not known: drop it again, and the command names it");
      else copy(commandOf(verb, values, pathsOf(values)), tell, "command");
    }),
    FORMATS.map(([label, format]) => button(label, () => download(now(), format, tell))),
    button("Picture", () => picture(section(), now().verb, tell)));
}

/** Copy a text; it is shown at once, and left to be copied by hand where the browser refuses. */
async function copy(text, tell, what) {
  const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  tell(`copied the ${what}: ${shown}`);
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    if (!copiedFromArea(text)) tell(`copy this ${what}: ${text}`);
  }
}

/** Copy as pages without a safe origin may; say whether that was done. */
function copiedFromArea(text) {
  const area = h("textarea", { class: "hidden", "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

function save(name, blob) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

const fileName = (verb, ending) => `sizewise-${verb.replaceAll(" ", "-")}.${ending}`;

async function download({ verb, values }, format, tell) {
  const name = fileName(verb, format);
  tell(`asking for ${name} …`);
  try {
    save(name, await (await response(verb, { ...values, format })).blob());
    tell(`saved ${name}`);
  } catch (error) {
    tell(error.message);
  }
}

/** Save the pictures of a section, one below the other, as an SVG file that needs no style sheet. */
function picture(section, verb, tell) {
  const drawn = [...section.querySelectorAll("svg.chart")];
  if (drawn.length === 0) return tell("there is no picture of this answer");
  const sizes = drawn.map((one) => one.viewBox.baseVal);
  const width = Math.max(...sizes.map((size) => size.width)) + 2 * MARGIN;
  const height = sizes.reduce((sum, size) => sum + size.height + GAP, 2 * MARGIN - GAP);
  const whole = svg("svg", { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${width} ${height}`, width, height },
    svg("rect", { width: "100%", height: "100%", fill: getComputedStyle(document.body).backgroundColor }));
  let y = MARGIN;
  drawn.forEach((one, place) => {
    const copied = styled(one);
    copied.setAttribute("x", MARGIN);
    copied.setAttribute("y", y);
    whole.append(copied);
    y += sizes[place].height + GAP;
  });
  save(fileName(verb, "svg"), new Blob([new XMLSerializer().serializeToString(whole)], { type: "image/svg+xml" }));
}

/** Return a copy of a picture with its styles as attributes. */
function styled(drawn) {
  const copied = drawn.cloneNode(true);
  const copies = [copied, ...copied.querySelectorAll("*")];
  [drawn, ...drawn.querySelectorAll("*")].forEach((original, place) => {
    const style = getComputedStyle(original);
    for (const name of DRAWN) copies[place].setAttribute(name, style.getPropertyValue(name));
    copies[place].removeAttribute("class");
  });
  return copied;
}
