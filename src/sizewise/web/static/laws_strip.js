/** What every law spends the same budget on, a row each. */

import { svg } from "./dom.js";
import { large } from "./numbers.js";
import { picture, scale } from "./scales.js";

const ROW = 21;
const TOP = 36;
const LETTER = 7.4;

/** Return a picture of the answer's `other_laws`: parameters on a common axis, the asked law stands out. */
export function lawStrip({ other_laws: rows, spread, law, optimum }, width) {
  const names = Math.max(...rows.map((one) => one.law.length)) * LETTER + 12;
  const beside = names < width * 0.55;
  const row = beside ? ROW : ROW + 16;
  const left = beside ? names : 8;
  const height = TOP + rows.length * row + 26;
  const all = rows.map((one) => one.params);
  const across = scale("log10", [Math.min(...all) / 1.3, Math.max(...all) * 1.3], [left, width - 60], 5);
  const root = picture(
    width,
    height,
    "Best parameters by law",
    `${large(spread.params.low)} to ${large(spread.params.high)}, ${law} ${large(optimum.params)}`,
  );
  const [from, to] = [across.at(spread.params.low), across.at(spread.params.high)];
  const foot = height - 22;
  root.append(
    svg("rect", {
      class: "band",
      x: from,
      y: TOP - 8,
      width: Math.max(1, to - from),
      height: foot - TOP + 8,
    }),
    svg("line", {
      class: "level",
      x1: across.at(spread.params.median),
      x2: across.at(spread.params.median),
      y1: TOP - 8,
      y2: foot,
    }),
    svg(
      "text",
      { class: "halo", x: across.at(spread.params.median), y: TOP - 13, "text-anchor": "middle" },
      `median ${large(spread.params.median)}`,
    ),
  );
  for (const tick of across.ticks)
    root.append(
      svg(
        "text",
        { class: "faint", x: across.at(tick), y: height - 6, "text-anchor": "middle" },
        large(tick),
      ),
    );
  rows.forEach((one, place) => {
    const y = TOP + place * row + (beside ? 10 : 22);
    const x = across.at(one.params);
    const own = one.law === law;
    root.append(
      svg(
        "text",
        {
          class: own ? "halo strong" : "halo faint",
          x: beside ? left - 8 : left,
          y: beside ? y + 4 : y - 12,
          "text-anchor": beside ? "end" : "start",
        },
        one.law,
      ),
      svg("line", { class: "grid", x1: left, x2: width - 60, y1: y, y2: y }),
      svg(
        "circle",
        {
          class: `mark ${own ? "c1" : one.status === "unverified" ? "c3" : "c0"}`,
          cx: x,
          cy: y,
          r: own ? 6.5 : 5,
        },
        svg(
          "title",
          {},
          `${one.law}: ${large(one.params)} parameters, ${large(one.tokens)} tokens, ${one.status}`,
        ),
      ),
      svg("text", { class: "halo", x: x + 9, y: y + 4 }, large(one.params)),
    );
  });
  return root;
}
