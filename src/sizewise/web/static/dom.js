/** Elements of the page and of pictures; text always goes in as text, never as markup. */

const SVG = "http://www.w3.org/2000/svg";

/** Return an HTML element. `on…` attributes are listeners; true, false and null are attributes set or left out. */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** Return an SVG element. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/**
 * Return a table that scrolls sideways where it is too wide.
 * `columns`: [{title, numeric}], `rows`: lists of texts or elements, `caption`: what it holds.
 */
export function table(caption, columns, rows) {
  const cell = (tag, content, column) => h(tag, { class: column.numeric ? "number" : null }, content);
  const head = h("tr", {}, columns.map((column) => h("th", {
    scope: "col", class: column.numeric ? "number" : null }, column.title)));
  const body = rows.map((row) => h("tr", {}, row.map((content, place) => cell("td", content, columns[place]))));
  return h("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": caption },
    h("table", {}, h("caption", {}, caption), h("thead", {}, head), h("tbody", {}, body)));
}

/** Return a line that opens into more. `key` keeps it open when the answer is drawn again. */
export function more(key, title, ...children) {
  return h("details", { "data-key": key }, h("summary", {}, title), ...children);
}

let numbered = 0;

/** Return an id that no other element has. */
export function newId(stem) {
  numbered += 1;
  return `${stem}-${numbered}`;
}
