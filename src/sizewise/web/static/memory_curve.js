/** Memory against context: a line for each cache format, the devices' memory, and where they cross. */

import { h } from "./dom.js";
import { fitted, lines } from "./charts.js";
import { binary, count, gib, GIB } from "./numbers.js";

const BETWEEN = 6;

/** Return the picture of an answer's `curve`, or nothing where it has none. */
export function curve(answer) {
  const found = answer.curve;
  if (!found) return null;
  const held = found.devices[0].device;
  return [h("h3", {}, "Memory against context"), fitted((width) => picture(answer, found, width)),
    h("p", { class: "note" }, 
      [`what ${held} holds, for each format of the cache`, ...crossings(found).map((one) =>
        `a cache in ${one.format} fills ${one.device} at about ${count(one.x)} tokens`)].join("; "))];
}

function picture(answer, found, width) {
  const asked = found.formats[0].points.length ? own(answer, found).points.find((one) => one.context === found.context) : null;
  return lines({
    width, height: 340, title: `Memory of ${answer.model.name} against context`,
    series: found.formats.map((one) => ({ name: `${cacheName(one)} cache`, points: dense(one.points) })),
    levels: found.devices.map((one) => ({ value: one.usable, label: `${one.device}: ${gib(one.usable)}` })),
    marks: [...(asked ? [{ x: asked.context, y: asked.needed, label: gib(asked.needed), title: "as asked" }] : []),
      ...crossings(found).map((one) => ({ ...one, label: `${binary(rounded(one.x))}`, title: `${one.format} fills ${one.device}` }))],
    x: { kind: "log2", label: "context, tokens", format: binary },
    y: { kind: "linear", label: `GiB on ${found.devices[0].device}`, format: (value) => String(Math.round((value / GIB) * 100) / 100),
      unit: GIB },
  });
}

const cacheName = ({ kv_cache_dtype: keys, value_cache_dtype: values }) => (keys === values ? keys : `${keys}/${values}`);

function own(answer, found) {
  const { kv_cache_dtype: keys, value_cache_dtype: values } = answer.scenario;
  return found.formats.find((one) => one.kv_cache_dtype === keys && one.value_cache_dtype === values) ?? found.formats[0];
}

/** Return points with others between them: memory grows evenly with tokens, so a straight line bends on a log axis. */
function dense(points) {
  return points.flatMap((point, place) => {
    const next = points[place + 1];
    if (!next) return [[point.context, point.needed]];
    return Array.from({ length: BETWEEN }, (_, step) => {
      const part = step / BETWEEN;
      return [point.context + part * (next.context - point.context), point.needed + part * (next.needed - point.needed)];
    });
  });
}

/** Return where each format fills each device: {x, y, format, device}, read between the points. */
function crossings(found) {
  return found.devices.flatMap((device) => found.formats.flatMap((format) => {
    const at = format.points.findIndex((point) => point.needed > device.usable);
    if (at < 1) return [];
    const [before, after] = [format.points[at - 1], format.points[at]];
    const part = (device.usable - before.needed) / (after.needed - before.needed);
    return [{ x: before.context + part * (after.context - before.context), y: device.usable, format: cacheName(format), device: device.device }];
  }));
}

const rounded = (tokens) => (tokens > 16384 ? Math.round(tokens / 1024) * 1024 : Math.round(tokens / 128) * 128);
