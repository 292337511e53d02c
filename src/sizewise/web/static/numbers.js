/** Numbers as people read them: GiB are 2^30 bytes, GB are 10^9, and both are always named. */

export const GIB = 2 ** 30;
export const GB = 1e9;

/** Return a format that says of what is no number that it is not known. */
const known = (format) => (value, ...rest) => (Number.isFinite(value) ? format(value, ...rest) : "unknown");

/** Return digits with grouped thousands; `toLocaleString` takes 20 ms when it is called first. */
const grouped = (digits) => {
  const [whole, part] = digits.split(".");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (part ? `.${part}` : "");
};

/** Return a number with three significant digits and grouped thousands. */
export const short = known((value, digits = 3) => {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e15 || size < 1e-4) return value.toExponential(digits - 1).replace("e+", "e");
  const places = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
  return grouped(String(Number(value.toFixed(places))));
});

/** Return a whole number with grouped thousands. */
export const count = known((value) => grouped(BigInt(Math.round(value)).toString()));

/** Return bytes in GiB: `9.16 GiB`; small amounts in MiB. */
export const gib = known((bytes) => {
  if (bytes !== 0 && Math.abs(bytes) < 0.1 * GIB) return `${short(bytes / 2 ** 20)} MiB`;
  return `${grouped((bytes / GIB).toFixed(2))} GiB`;
});

/** Return bytes in both units: `9.16 GiB (9.83 GB)`. */
export const bytes = known((value) => `${gib(value)} (${grouped((value / GB).toFixed(2))} GB)`);

/** Return a large number with a letter: `8.03 B`, `1.2 T`. */
export const large = known((value) => {
  const steps = [[1e15, "e15"], [1e12, " T"], [1e9, " B"], [1e6, " M"], [1e3, " k"]];
  const step = steps.find(([size]) => Math.abs(value) >= 0.9995 * size && Math.abs(value) < 0.9995e15);
  return step ? `${short(value / step[0])}${step[1]}` : short(value);
});

/** Return a context as people write it: `32k`, `1M`, of 1,024 each; others in full. */
export const binary = known((tokens) => {
  if (tokens >= 2 ** 20 && tokens % 2 ** 18 === 0) return `${tokens / 2 ** 20}M`;
  if (tokens >= 1024 && tokens % 128 === 0) return `${tokens / 1024}k`;
  return count(tokens);
});

/** Return seconds in the unit that suits: `7.84 ms`. */
export const seconds = known((value) => {
  if (value >= 86400 * 2) return `${short(value / 86400)} days`;
  if (value >= 7200) return `${short(value / 3600)} h`;
  if (value >= 120) return `${short(value / 60)} min`;
  if (value >= 1) return `${short(value)} s`;
  return value >= 1e-3 ? `${short(value * 1e3)} ms` : `${short(value * 1e6)} µs`;
});

/** Return dollars: `$1.55`, `$12,300`. */
export const dollars = known((value) => {
  return `$${value >= 100 || (value >= 1 && Number.isInteger(value)) ? count(value) : value >= 0.1 ? value.toFixed(2) : short(value)}`;
});

/** Return a part as per cent; parts that are next to nothing as `< 0.01 %`. */
export const percent = known((share) => (share > 0 && share < 1e-4 ? "< 0.01 %" : `${short(100 * share, 2)} %`));

/** Return `low to high` of an estimate {value, low, high}, written by `format`. */
export const between = (estimate, format) => (estimate ? `${format(estimate.low)} to ${format(estimate.high)}` : "");

/** Return tokens that a text names, as the command line reads it (`32k` is 32,768); NaN for other texts. */
export function tokensOf(text) {
  const found = /^\s*([\d][\d,_]*(?:\.\d+)?)\s*([kKmM]?)\s*$/.exec(String(text));
  if (!found) return NaN;
  const factor = { "": 1, k: 1024, m: 2 ** 20 }[found[2].toLowerCase()];
  return Math.round(Number(found[1].replace(/[,_]/g, "")) * factor);
}
