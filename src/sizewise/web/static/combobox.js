/** A field that offers names while one types: the ARIA combobox pattern, by keyboard and by pointer. */

import { h, newId } from "./dom.js";
import { names } from "./ask.js";

const SHOWN = 12;

/** Return the rows of `all` whose name, other names and description hold every word of a text, best first. */
export function matching(all, text) {
  const words = text.toLowerCase().split(/[\s]+/).filter(Boolean);
  const rank = (row) => {
    const own = row.name.toLowerCase();
    const said = [own, ...row.also, row.about].join(" ").toLowerCase();
    if (!words.every((word) => said.includes(word))) return 9;
    const first = words[0] ?? "";
    if (own.startsWith(first) || own.split("/").pop().startsWith(first)) return 0;
    return own.includes(first) ? 1 : 2;
  };
  const ranked = all.map((row) => [rank(row), row]).filter(([place]) => place < 9);
  return ranked.sort((left, right) => left[0] - right[0]).map(([, row]) => row);
}

/** The control of a names field; see fields.js. Of several names it completes the one being typed. */
export function combobox({ names: kind, many = false, placeholder = null }, attributes, change) {
  const list = h("ul", { role: "listbox", id: newId("names"), class: "listed", hidden: true, "aria-label": kind });
  const control = h("input", { type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", placeholder,
    "aria-expanded": "false", "aria-autocomplete": "list", "aria-controls": list.id, ...attributes });
  let rows = [];
  let active = -1;

  const typed = () => (many ? control.value.split(",").pop().trim() : control.value.trim());
  function close() {
    list.hidden = true;
    active = -1;
    control.setAttribute("aria-expanded", "false");
    control.removeAttribute("aria-activedescendant");
  }
  function mark(place) {
    active = place;
    [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === place)));
    if (place < 0) return control.removeAttribute("aria-activedescendant");
    control.setAttribute("aria-activedescendant", list.children[place].id);
    list.children[place].scrollIntoView({ block: "nearest" });
  }
  async function open(text) {
    rows = matching(await names(kind), text.replace(/:.*$/, "")).slice(0, SHOWN);
    if (document.activeElement !== control || rows.length === 0) return close();
    list.replaceChildren(...rows.map((row, place) => h("li", { role: "option", id: `${list.id}-${place}`,
      "aria-selected": "false", onmousedown: (event) => event.preventDefault(), onclick: () => take(place) },
      h("span", { class: "name" }, row.name), h("span", { class: "about" }, row.about === row.name ? "" : row.about))));
    list.hidden = false;
    active = -1;
    control.setAttribute("aria-expanded", "true");
  }
  function take(place) {
    const before = many ? control.value.split(",").slice(0, -1).map((one) => one.trim()) : [];
    control.value = [...before, rows[place].name].join(",");
    close();
    change(control.value);
  }
  const keys = {
    ArrowDown: () => (list.hidden ? open(many ? typed() : "") : mark((active + 1) % rows.length)),
    ArrowUp: () => !list.hidden && mark((active <= 0 ? rows.length : active) - 1),
    Enter: () => (active >= 0 && !list.hidden ? take(active) : (close(), change(control.value.trim()))),
    Escape: () => close(),
  };
  control.addEventListener("keydown", (event) => {
    if (!(event.key in keys)) return;
    if (event.key !== "Escape" || !list.hidden) event.preventDefault();
    keys[event.key]();
  });
  control.addEventListener("input", () => open(typed()));
  control.addEventListener("click", () => { if (list.hidden) open(many ? typed() : ""); });
  control.addEventListener("change", () => { if (list.hidden || active < 0) change(control.value.trim()); });
  control.addEventListener("blur", close);
  return {
    control,
    around: h("div", { class: "combobox" }, control, list),
    show: (value) => { if (document.activeElement !== control) control.value = value; },
  };
}
