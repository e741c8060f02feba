import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, crc32, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TableSchema, TensorSchema } from "../dataset-schema.ts";
import { STORED_NPZ, fromBase64 } from "../npy/npy.fixture.ts";
import { loadIdx } from "./idx-files.ts";
import { loadImageFolder, inferImageFolder } from "./images/image-folder.ts";
import { loadNpy, loadNpzArray } from "./npy-files.ts";
import { checkPage } from "./parquet/page-check.ts";
import { readParquetInto } from "./parquet/index.ts";
import { PARQUET_FILES } from "./parquet/parquet.fixture.ts";
import { endOfThrift } from "./parquet/thrift-check.ts";
import { unpackPage } from "./parquet/unpack-page.ts";
import { loadTable, readCsvFile, readJsonlFile } from "./table-files.ts";

/** What all of these files together may take beyond what the process has to begin with. */
const MAX_GROWTH_BYTES = 300 * 1024 * 1024;
/** How much the bombs would take: several times that. */
const BOMB_MEMBERS = 24;
const MEMBER_BYTES = 64 * 1024 * 1024;

let folder: string;
let bombEnd: Uint8Array;
let before: number;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ciphernx-hostile-"));
  // Gzip files may be joined, so a bomb takes no more to make than one of its members.
  const member = gzipSync(new Uint8Array(MEMBER_BYTES).fill(0x61), { level: 1 });
  bombEnd = Buffer.concat(Array.from({ length: BOMB_MEMBERS }, () => member));
  before = process.resourceUsage().maxRSS * 1024;
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(bytes: Uint8Array, name = "hostile"): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, bytes);
  return path;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const bomb = (head: Uint8Array): Uint8Array => Buffer.concat([gzipSync(head), bombEnd]);

const table: TableSchema = {
  kind: "table",
  task: "classification",
  columns: [
    { name: "a", role: "feature", type: "number" },
    { name: "y", role: "label", type: "category", categories: ["0", "1"] },
  ],
};

/** An NPY header, version 1.0. */
function npyHeader(shape: string): Uint8Array {
  const dictionary = `{'descr': '|u1', 'fortran_order': False, 'shape': ${shape}, }\n`;
  return Buffer.concat([
    Buffer.from("\x93NUMPY\x01\x00", "latin1"),
    Uint8Array.of(dictionary.length & 255, dictionary.length >> 8),
    text(dictionary),
  ]);
}

/** A ZIP archive of one deflated member that declares these sizes. */
function zip(member: Uint8Array, declaredBytes: number): Uint8Array {
  const name = text("x.npy");
  const packed = deflateRawSync(member);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50);
  local.writeUInt16LE(8, 8);
  local.writeUInt16LE(name.length, 26);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50);
  entry.writeUInt16LE(8, 10);
  entry.writeUInt32LE(crc32(member), 16);
  entry.writeUInt32LE(packed.length, 20);
  entry.writeUInt32LE(declaredBytes, 24);
  entry.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(46 + name.length, 12);
  end.writeUInt32LE(30 + name.length + packed.length, 16);
  return Buffer.concat([local, name, packed, entry, name, end]);
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/** A grey PNG of this size with this unpacked data, and chunks before it. */
function png(width: number, height: number, data: Uint8Array, ...extra: readonly Uint8Array[]): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  const mark = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  return Buffer.concat([mark, chunk("IHDR", header), ...extra, chunk("IDAT", deflateSync(data)), chunk("IEND", new Uint8Array(0))]);
}

const images: TensorSchema = { kind: "tensor", shape: [1, 2, 3], element: "u8", scale: 1 / 255, task: "classification", classes: 2 };

interface Case {
  readonly reader: string;
  readonly what: string;
  readonly bytes: () => Uint8Array;
}

const READERS: Readonly<Record<string, (bytes: Uint8Array) => Promise<unknown>>> = {
  csv: async (bytes) => loadTable(table, [await file(bytes)], readCsvFile({})),
  jsonl: async (bytes) => loadTable(table, [await file(bytes)], readJsonlFile),
  parquet: async (bytes) => loadTable(table, [await file(bytes)], readParquetInto),
  idx: async (bytes) => loadIdx(await file(bytes)),
  npy: async (bytes) => loadNpy(await file(bytes)),
  npz: async (bytes) => loadNpzArray(await file(bytes), "x"),
  images: async (bytes) => {
    await file(bytes, "images/cat/a.png");
    return loadImageFolder(images, join(folder, "images"), ["cat", "dog"]);
  },
  "images without a schema": async (bytes) => {
    await file(bytes, "images/cat/a.png");
    return loadImageFolder(await inferImageFolder(join(folder, "images"), ["cat", "dog"]), join(folder, "images"), ["cat", "dog"]);
  },
};

const parquet = fromBase64(PARQUET_FILES.snappy);
const npz = fromBase64(STORED_NPZ);

const CASES: readonly Case[] = [
  ...Object.keys(READERS).flatMap((reader) => [
    { reader, what: "an empty file", bytes: () => new Uint8Array(0) },
    { reader, what: "a megabyte of zeros", bytes: () => new Uint8Array(1_048_576) },
    { reader, what: "an executable", bytes: () => Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, ...new Uint8Array(500).fill(0xff)]) },
    { reader, what: "packed zeros", bytes: () => gzipSync(new Uint8Array(10)) },
    { reader, what: "half of a packed file", bytes: () => gzipSync(text("a,y\n1,0\n".repeat(1_000))).subarray(0, 40) },
  ]),
  { reader: "csv", what: "a gzip bomb in one cell", bytes: () => bomb(text("a,y\n1,")) },
  { reader: "csv", what: "a gzip bomb within quotes", bytes: () => bomb(text('a,y\n1,"')) },
  { reader: "csv", what: "a header of a million columns", bytes: () => text(`${"a,".repeat(1_000_000)}y\n`) },
  { reader: "jsonl", what: "a gzip bomb in one line", bytes: () => bomb(text('{"a": "')) },
  { reader: "jsonl", what: "lists within lists", bytes: () => text(`{"a": ${"[".repeat(4_000_000)}`) },
  { reader: "jsonl", what: "objects within objects", bytes: () => text('{"a":'.repeat(800_000)) },
  { reader: "idx", what: "a gzip bomb", bytes: () => bomb(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 5)) },
  { reader: "idx", what: "two thousand million values", bytes: () => Uint8Array.of(0, 0, 8, 1, 0x7f, 0xff, 0xff, 0xff) },
  { reader: "npy", what: "a gzip bomb", bytes: () => bomb(npyHeader("(5,)")) },
  { reader: "npy", what: "two thousand million values", bytes: () => npyHeader("(2147483000,)") },
  {
    reader: "npz",
    what: "a member of more bytes than it declares",
    bytes: () => zip(Buffer.concat([npyHeader("(5,)"), new Uint8Array(MEMBER_BYTES)]), 100),
  },
  { reader: "npz", what: "a member that declares four gigabytes", bytes: () => zip(npyHeader("(2147483000,)"), 0xffff_fffe) },
  {
    reader: "npz",
    what: "a member of more bytes than its array",
    bytes: () => zip(Buffer.concat([npyHeader("(5,)"), new Uint8Array(MEMBER_BYTES)]), 5),
  },
  { reader: "npz", what: "its first half", bytes: () => npz.subarray(0, npz.length / 2) },
  { reader: "parquet", what: "its last half", bytes: () => parquet.subarray(parquet.length / 2) },
  {
    reader: "parquet",
    what: "a footer of two gigabytes",
    bytes: () => Uint8Array.from([...parquet.subarray(0, -8), 255, 255, 255, 127, ...parquet.subarray(-4)]),
  },
  { reader: "images", what: "more pixels than are declared", bytes: () => png(20_000, 20_000, new Uint8Array(1_000)) },
  { reader: "images", what: "pixels that unpack to far more", bytes: () => png(3, 2, new Uint8Array(MEMBER_BYTES)).subarray(0, 20_000) },
  { reader: "images without a schema", what: "four hundred million pixels", bytes: () => png(20_000, 20_000, new Uint8Array(MEMBER_BYTES)) },
  {
    reader: "images without a schema",
    what: "a text that unpacks to far more, before truncated pixels",
    bytes: () => png(3, 2, new Uint8Array(4), chunk("zTXt", Buffer.concat([text("k\0\0"), deflateSync(new Uint8Array(MEMBER_BYTES))]))),
  },
];

describe("hostile files", () => {
  it.each(CASES.map(({ reader, what, bytes }) => [reader, what, bytes] as const))("%s: %s gives a named error", async (reader, _what, bytes) => {
    const outcome: unknown = await READERS[reader]!(bytes()).catch((error: unknown) => error);
    expect(outcome).toMatchObject({ code: "DATA_INVALID", details: { file: expect.stringContaining(folder) as string } });
  });

  it("lengths within Parquet are believed by nobody", () => {
    const header = {
      type: "DATA_PAGE",
      uncompressed_page_size: 11,
      compressed_page_size: 11,
      data_page_header: { num_values: 4, encoding: "PLAIN", definition_level_encoding: "RLE", repetition_level_encoding: "RLE" },
    } as const;
    const run = Uint8Array.of(6, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0x0f, 1, 0);
    expect(() => checkPage({ header, start: 0, end: 11 }, run, undefined, true)).toThrow("a run of more values than its page declares");
    // A list of two thousand million structures in a structure's first field; lists in lists in lists.
    expect(endOfThrift(Uint8Array.of(0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0, 0))).toBeUndefined();
    expect(endOfThrift(Uint8Array.from([0x19, ...new Uint8Array(1_000).fill(0x19), 0]))).toBeUndefined();
    expect(endOfThrift(Uint8Array.of(0x15, 0x02, 0x00))).toBe(3);
    const zeros = new Uint8Array(MEMBER_BYTES);
    const packed = { GZIP: gzipSync(zeros), BROTLI: brotliCompressSync(zeros.subarray(0, 4_000_000)), ZSTD: zstdCompressSync(zeros) } as const;
    for (const codec of ["GZIP", "BROTLI", "ZSTD"] as const) expect(() => unpackPage(codec, packed[codec], 1_000)).toThrow("larger than 1000 bytes");
    const matches = Uint8Array.from([0x1f, 0, 1, 0, ...new Uint8Array(1_000_000).fill(255), 0]);
    for (const codec of ["LZ4", "LZ4_RAW"] as const) expect(() => unpackPage(codec, matches, 1_000)).toThrow("does not unpack to its length");
  });

  it("all of them together take little memory", () => {
    expect(process.resourceUsage().maxRSS * 1024 - before).toBeLessThan(MAX_GROWTH_BYTES);
  });
});
