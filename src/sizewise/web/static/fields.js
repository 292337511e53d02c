/**
 * The form of a tab, built from its list of fields.
 *
 * A field: {name, label, kind, value, hint, ...}; `name` as the flag and the JSON have it, `value` the default
 * as text. Kinds:
 *   text                a line of text
 *   number              min, max, step
 *   choice              choices: [[value, label], ...]
 *   switch              on or off
 *   slider              stops: numbers to slide over; ticks: those with a label; show(number) → text;
 *                       empty: where it stands without a value;
 *                       read(text) → number (Number by default). The text beside it takes any value.
 *   names               names: "models" | "devices" | "formats" | "laws"; many: several, with commas
 *   model               names and a place to paste a configuration or to drop a file
 *   area                some lines of text; files: ".csv,…" to choose a file from
 * `more: true` puts a field behind "More options"; `always: true` keeps its default in links that lack it;
 * `own: true`: its value is not carried to other tabs, where the name means something else.
 */

import { h, newId } from "./dom.js";
import { combobox } from "./combobox.js";
import { modelField } from "./model.js";
import { slider } from "./slider.js";
import { textOf } from "./config_text.js";

const FILE_LIMIT = 1e6;

/**
 * Return {form, show(values), tellError(name, text, owner), clearErrors(owner), labelOf(name)}; `change(name, value)`
 * hears every change. An error stays until its owner clears it.
 */
export function formOf(fields, change) {
  const built = fields.map((field) => ({ field, ...built_(field, (value) => change(field.name, value)) }));
  const group = (some) => some.map((one) => one.element);
  const rest = built.filter((one) => one.field.more);
  const form = h("form", { class: "fields", onsubmit: (event) => event.preventDefault() },
    group(built.filter((one) => !one.field.more)),
    rest.length ? h("details", { class: "rest" }, h("summary", {}, "More options"), group(rest)) : null);
  return {
    form,
    show(values) {
      for (const one of built) one.show(values[one.field.name]);
      if (rest.some((one) => values[one.field.name])) form.querySelector(".rest").open = true;
    },
    tellError(name, text, owner) {
      const one = built.find((each) => each.field.name === name);
      if (!one) return false;
      one.errors.set(owner, text);
      showErrors(one);
      if (one.field.more) form.querySelector(".rest").open = true;
      return true;
    },
    labelOf: (name) => fields.find((field) => field.name === name)?.label ?? "",
    clearErrors(owner) {
      for (const one of built) if (one.errors.delete(owner)) showErrors(one);
    },
  };
}

function showErrors({ control, error, errors }) {
  error.textContent = [...new Set(errors.values())].join("; ");
  if (errors.size) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
}

function built_(field, change) {
  const id = newId(field.name);
  const error = h("p", { class: "error", id: `${id}-error` });
  const described = [field.hint ? `${id}-hint` : "", `${id}-error`].join(" ").trim();
  const { control, show, around } = CONTROLS[field.kind](field, { id, "aria-describedby": described }, change);
  const label = h("label", { for: id }, field.label);
  const hint = field.hint ? h("p", { class: "hint", id: `${id}-hint` }, field.hint) : null;
  const body = field.kind === "switch" ? [h("div", { class: "switch" }, control, label)] : [label, around ?? control];
  return { element: h("div", { class: `field of-${field.kind}` }, body, hint, error), control, show, error, errors: new Map() };
}

const CONTROLS = {
  text: (field, attributes, change) => line({ type: "text", ...attributes }, change),
  number: ({ min, max, step = "any" }, attributes, change) =>
    line({ type: "number", inputmode: "decimal", min, max, step, ...attributes }, change, "input"),
  choice({ choices }, attributes, change) {
    const control = h("select", { ...attributes, onchange: () => change(control.value) },
      choices.map(([value, label]) => h("option", { value }, label)));
    return {
      control,
      show(value) {
        if (value && ![...control.options].some((one) => one.value === value)) {
          control.append(h("option", { value }, value));
        }
        control.value = value;
      },
    };
  },
  switch(field, attributes, change) {
    const control = h("input", { type: "checkbox", ...attributes, onchange: () => change(control.checked) });
    return { control, show: (value) => { control.checked = value === true; } };
  },
  slider,
  names: combobox,
  model: modelField,
  area(field, attributes, change) {
    const control = h("textarea", { rows: 5, spellcheck: "false", ...attributes, onchange: () => change(control.value) });
    const note = h("p", { class: "error", role: "alert" });
    const take = async (file) => {
      try {
        if (file.size > FILE_LIMIT) throw new Error("a file has at most 1 MB");
        control.value = await textOf(file);
        note.textContent = "";
        change(control.value);
      } catch (error) {
        note.textContent = `${file.name}: ${error.message}`;
      }
    };
    const chosen = field.files ? h("input", { type: "file", accept: field.files, "aria-label": `${field.label}: a file`,
      onclick: () => { chosen.value = ""; }, onchange: () => chosen.files[0] && take(chosen.files[0]) }) : null;
    const around = h("div", { class: "drop", ondragover: (event) => { event.preventDefault(); around.classList.add("over"); },
      ondragleave: () => around.classList.remove("over"),
      ondrop: (event) => {
        around.classList.remove("over");
        if (!field.files || !event.dataTransfer.files[0]) return;
        event.preventDefault();
        take(event.dataTransfer.files[0]);
      } }, control, chosen, note);
    return { control, around, show: (value) => { control.value = value; } };
  },
};

function line(attributes, change, event = "change") {
  const control = h("input", { autocomplete: "off", spellcheck: "false", ...attributes,
    [`on${event}`]: () => change(control.value.trim()) });
  return { control, show: (value) => { if (document.activeElement !== control || event === "change") control.value = value; } };
}
