// Reads zip files with zarrita: its ZipFileStore for the keys, its own Zarr for the arrays.
//
//     node zarrita_reader.mjs FOLDER      FOLDER holds node_modules
//
// Requests come on standard input and replies go to file descriptor 3; see protocol.py.

import { readFileSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const MAX_LISTED = 4096;
const MAX_TEXT = 200;
const MAX_VALUE = 64 * 2 ** 20;
const MAX_VALUES = 256 * 2 ** 20; // all of one request
const MAX_ARRAY = 2 ** 20;
const DEADLINE_MS = 10_000;
const BYTES_A_MS = 10_000; // a large file takes longer: its whole directory is read first

const modules = join(process.argv[2], "node_modules");
const load = (path) => import(pathToFileURL(join(modules, path)));
const zarr = await load("zarrita/dist/src/index.js");
const { default: ZipFileStore } = await load("@zarrita/storage/dist/src/zip.js");
const { version } = JSON.parse(readFileSync(join(modules, "zarrita/package.json")));

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, start) => {
  let value = start;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  return value;
});

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

function refusal(error, file) {
  const text = String(error?.message ?? error).replaceAll(file, "<file>");
  return ["refused", error?.name ?? typeof error, text.slice(0, MAX_TEXT).toWellFormed()];
}

function tooLarge(text) {
  return Object.assign(new Error(text), { name: "TooLarge" });
}

function sizeOf(file) {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

// A promise that the library never settles is a refusal too.
async function attempt(file, action) {
  let timer;
  const time = DEADLINE_MS + sizeOf(file) / BYTES_A_MS;
  const deadline = new Promise((_, reject) => {
    const error = Object.assign(new Error("no answer in time"), { name: "Hang" });
    timer = setTimeout(reject, time, error);
  });
  try {
    return await Promise.race([action(), deadline]);
  } catch (error) {
    return refusal(error, file);
  } finally {
    clearTimeout(timer);
  }
}

async function keyAnswer(store, key) {
  const { entries } = await store.info;
  const size = Object.hasOwn(entries, key) ? entries[key].size : 0;
  if (size > MAX_VALUE) throw tooLarge(`a value of ${size} bytes`);
  const value = await store.get(`/${key}`);
  return value === undefined ? ["missing"] : ["value", value.length, crc32(value)];
}

// zarrita says v2:U4 and v2:S4 where numpy says <U4 and |S4.
function numpyName(dtype) {
  return dtype.replace(/^v2:U/, "<U").replace(/^v2:S/, "|S");
}

function itemSize(dtype) {
  const [, kind, number] = /^(?:v2:)?([A-Za-z]+)(\d*)$/.exec(dtype) ?? [];
  if (kind === "bool") return 1;
  if (kind === "U") return 4 * number;
  return kind === "S" ? Number(number) : (number || 64) / 8;
}

// The bytes of the elements, the last index running fastest; zarrita gives arrays of order F, and
// transposed ones, as they lie.
function inOrderC(raw, shape, stride) {
  const count = shape.reduce((product, length) => product * length, 1);
  const size = raw.length / count;
  const ordered = new Uint8Array(raw.length);
  for (let place = 0; place < count; place++) {
    let from = 0;
    for (let axis = shape.length - 1, rest = place; axis >= 0; axis--) {
      from += (rest % shape[axis]) * stride[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    ordered.set(raw.subarray(from * size, (from + 1) * size), place * size);
  }
  return ordered;
}

// zarrita tries version 3 where it cannot take what stands there for version 2, and then finds
// nothing: that is no missing array.
async function isVersion2(store, path) {
  const { entries } = await store.info;
  return Object.hasOwn(entries, path ? `${path}/.zarray` : ".zarray");
}

async function openArray(store, path) {
  const root = zarr.root(store);
  try {
    return await zarr.open(path ? root.resolve(path) : root, { kind: "array" });
  } catch (error) {
    const missing = zarr.isZarritaError(error, "NotFoundError");
    if (missing && !(await isVersion2(store, path))) return undefined;
    throw error;
  }
}

async function arrayAnswer(store, path) {
  const array = await openArray(store, path);
  if (array === undefined) return ["missing"];
  const { shape, chunks, dtype } = array;
  const bytes = (lengths) => lengths.reduce((size, length) => size * length, itemSize(dtype));
  if (bytes(shape) > MAX_ARRAY) throw tooLarge(`an array of ${bytes(shape)} bytes`);
  if (bytes(chunks) > MAX_VALUE) throw tooLarge(`a chunk of ${bytes(chunks)} bytes`);
  const { data, stride } = shape.length ? await zarr.get(array) : await array.getChunk([]);
  if (data.buffer === undefined) {
    const error = new Error(`elements of type ${dtype} have no bytes`);
    throw Object.assign(error, { name: "NoPlainElements" });
  }
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return ["value", numpyName(dtype), shape, raw.length, crc32(inOrderC(raw, shape, stride))];
}

async function each(file, asked, answer) {
  const answers = [];
  for (const one of asked) answers.push([one, await attempt(file, () => answer(one))]);
  return Object.fromEntries(answers);
}

// Until the values are more than MAX_VALUES bytes in all.
function keyAnswers(file, store, keys) {
  let left = MAX_VALUES;
  return each(file, keys, async (key) => {
    if (left <= 0) throw tooLarge(`all values are more than ${MAX_VALUES} bytes`);
    const answer = await keyAnswer(store, key);
    if (answer[0] === "value") left -= answer[1];
    return answer;
  });
}

async function look({ file, keys = [], arrays = [] }) {
  let store;
  const opened = await attempt(file, async () => {
    store = ZipFileStore.fromBlob(new Blob([readFileSync(file)]));
    await store.info;
    return ["value"];
  });
  if (opened[0] === "refused") return { opened, listed: null, keys: {}, arrays: {} };
  const { entries } = await store.info;
  const listed = Object.keys(entries).slice(0, MAX_LISTED);
  return {
    opened,
    listed: listed.map((name) => name.toWellFormed()),
    keys: await keyAnswers(file, store, keys),
    arrays: await each(file, arrays, (path) => arrayAnswer(store, path)),
  };
}

function send(reply) {
  const data = Buffer.from(JSON.stringify(reply));
  const head = Buffer.alloc(4);
  head.writeUInt32LE(data.length);
  const frame = Buffer.concat([head, data]);
  for (let done = 0; done < frame.length; ) done += writeSync(3, frame, done);
}

// What a library leaves behind must not end the reader.
process.on("unhandledRejection", () => {});
process.on("uncaughtException", () => {});

let received = Buffer.alloc(0);
for await (const part of process.stdin) {
  received = Buffer.concat([received, part]);
  while (received.length >= 4) {
    const end = 4 + received.readUInt32LE();
    if (received.length < end) break;
    const request = JSON.parse(received.subarray(4, end));
    received = received.subarray(end);
    const hello = { reader: "zarrita", version, views: ["keys", "arrays"] };
    send(request.hello ? hello : await look(request));
  }
}
process.exit(0);
