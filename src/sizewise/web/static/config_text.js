/** The text of a configuration, however it was pasted or saved. */

const FENCE = /```[^\n`]*\n([\s\S]*?)```/;
const COMMENT = /^(?:\/\/[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)\s*/;

/** Return a pasted text without what stands around a configuration: a fence, comments, a byte order mark. */
export function configText(text) {
  const inside = FENCE.exec(text)?.[1];
  let rest = (inside?.includes("{") ? inside : text).replace(/^\uFEFF/, "").trim();
  while (COMMENT.test(rest)) rest = rest.replace(COMMENT, "");
  return rest;
}

/** Return the text of a file in UTF-8 or UTF-16. Raises Error for other bytes. */
export async function textOf(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  try {
    return new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes);
  } catch {
    throw new Error("it is no text in UTF-8 or UTF-16");
  }
}

/** JSON begins with two ASCII characters: one byte of zeros among them tells UTF-16, with or without its mark. */
function encodingOf([first, second]) {
  if ((first === 0xff && second === 0xfe) || (first && second === 0)) return "utf-16le";
  if ((first === 0xfe && second === 0xff) || (first === 0 && second)) return "utf-16be";
  return "utf-8";
}
