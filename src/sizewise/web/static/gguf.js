/**
 * The header of a GGUF file without its long arrays.
 *
 * The metadata is walked slice by slice; arrays of more than `KEPT` values (tokens, scores, merges of a
 * tokenizer) are left out and no longer counted. What is left, with the tensor infos as they are, is a GGUF
 * header of its own.
 */

const KEPT = 4096;
const CHUNK = 2 ** 20;
const PAIRS_AT = 16;
const SIZES = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };
const TEXT = 8;
const ARRAY = 9;
const LIMIT = 2 ** 53;

/** Bytes of a file in order, read a slice at a time. */
class Reader {
  constructor(file) {
    this.file = file;
    this.at = 0;
    this.begin = 0;
    this.view = new DataView(new ArrayBuffer(0));
  }

  /** Make `length` bytes from the present place available. */
  async need(length) {
    if (this.at + length > this.file.size) throw new Error("the file ends within its header");
    if (this.at >= this.begin && this.at + length <= this.begin + this.view.byteLength) return;
    const end = Math.min(this.file.size, this.at + Math.max(length, CHUNK));
    this.begin = this.at;
    this.view = new DataView(await this.file.slice(this.at, end).arrayBuffer());
  }

  async u32() {
    await this.need(4);
    const value = this.view.getUint32(this.at - this.begin, true);
    this.at += 4;
    return value;
  }

  async u64() {
    await this.need(8);
    const value = Number(this.view.getBigUint64(this.at - this.begin, true));
    if (value >= LIMIT) throw new Error("a length in the header is larger than any file");
    this.at += 8;
    return value;
  }

  skip(length) {
    if (this.at + length > this.file.size) throw new Error("the file ends within its header");
    this.at += length;
  }
}

/**
 * Return {header, end}: the header as a Blob, and where it ends in the file.
 * Raises Error for files that end within it or hold unknown kinds of values.
 */
export async function gguf(file) {
  const reader = new Reader(file);
  reader.skip(4);
  const version = await reader.u32();
  if (version !== 2 && version !== 3) throw new Error(`GGUF version ${version} is not read here`);
  const tensors = await reader.u64();
  const pairs = await reader.u64();
  const kept = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    const begin = reader.at;
    if (await isShort(reader)) kept.push(file.slice(begin, reader.at));
  }
  const infos = reader.at;
  for (let tensor = 0; tensor < tensors; tensor += 1) await skipInfo(reader);
  return { header: new Blob([file.slice(0, PAIRS_AT), number(kept.length), ...kept, file.slice(infos, reader.at)]), end: reader.at };
}

function number(value) {
  const written = new DataView(new ArrayBuffer(8));
  written.setBigUint64(0, BigInt(value), true);
  return written.buffer;
}

/** Walk one pair; say whether it is sent. */
async function isShort(reader) {
  reader.skip(await reader.u64());
  const kind = await reader.u32();
  if (kind !== ARRAY) {
    await skipValue(reader, kind);
    return true;
  }
  const of = await reader.u32();
  const length = await reader.u64();
  if (of in SIZES) reader.skip(SIZES[of] * length);
  else for (let item = 0; item < length; item += 1) await skipValue(reader, of);
  return length <= KEPT;
}

async function skipValue(reader, kind) {
  if (kind in SIZES) reader.skip(SIZES[kind]);
  else if (kind === TEXT) reader.skip(await reader.u64());
  else throw new Error(`a value of the unknown kind ${kind} stands in the header`);
}

async function skipInfo(reader) {
  reader.skip(await reader.u64());
  const dimensions = await reader.u32();
  if (dimensions > 4) throw new Error("a tensor has more than four dimensions");
  reader.skip(8 * dimensions + 12);
}
