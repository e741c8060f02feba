/**
 * What a column chunk says of itself, checked before it is decoded: the lengths in page headers, and those of runs within pages, are
 * what a file of a few bytes would take gigabytes with.
 *
 * Source: Apache Parquet, "Parquet encoding definitions" (RLE/bit-packing hybrid, delta encodings) and "Data Pages", format 2.11.
 *
 * @module
 */
import { parquetHeader } from "hyparquet/src/column.js";
import { deltaBinaryUnpack } from "hyparquet/src/delta.js";
import { endOfThrift } from "./thrift-check.ts";

/** Pages are about a megabyte where writers keep their defaults. */
const MAX_PAGE_BYTES = 128 * 1024 * 1024;
/** Values of a dictionary take a bit at least. */
const MAX_VALUES_PER_BYTE = 8;

/** A page as its header describes it. */
export interface CheckedPage {
  readonly header: ReturnType<typeof parquetHeader>;
  /** The bytes of the page within the chunk, packed as the chunk's codec says. */
  readonly start: number;
  readonly end: number;
}

/** Says what is wrong; it is thrown by whoever knows the file. */
export class PageMistake extends Error {}

/** The pages of a chunk of a flat column with so many rows. @throws PageMistake when a header declares what cannot be. */
export function checkPages(chunk: Uint8Array<ArrayBuffer>, rows: number): readonly CheckedPage[] {
  const pages: CheckedPage[] = [];
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  let values = 0;
  for (let at = 0; at < chunk.length && values < rows;) {
    const end = endOfThrift(chunk, at);
    if (end === undefined) throw new PageMistake("has a damaged page header");
    const header = parquetHeader({ view, offset: at });
    const { compressed_page_size: packed, uncompressed_page_size: unpacked } = header;
    if (!isCount(packed) || !isCount(unpacked) || end + packed > chunk.length) throw new PageMistake("has a page that goes beyond its chunk");
    if (unpacked > MAX_PAGE_BYTES) throw new PageMistake(`has a page of ${unpacked} bytes; at most ${MAX_PAGE_BYTES} are read`);
    values += countOf(header, unpacked);
    if (values > rows) throw new PageMistake(`has pages with more values than the ${rows} rows of its row group`);
    pages.push({ header, start: end, end: end + packed });
    at = end + packed;
  }
  if (values < rows) throw new PageMistake(`has pages with ${values} of the ${rows} rows of its row group`);
  return pages;
}

const isCount = (value: unknown): value is number => typeof value === "number" && Number.isInteger(value) && value >= 0;

/** How many rows a page holds; a dictionary holds none. */
function countOf(header: CheckedPage["header"], unpacked: number): number {
  const { type, dictionary_page_header: dictionary, data_page_header: first, data_page_header_v2: second } = header;
  if (type === "DICTIONARY_PAGE") {
    if (!isCount(dictionary?.num_values) || dictionary.num_values > unpacked * MAX_VALUES_PER_BYTE) throw new PageMistake("has a damaged dictionary");
    return 0;
  }
  if (type === "DATA_PAGE" && isCount(first?.num_values) && first.num_values > 0) return first.num_values;
  if (type === "DATA_PAGE_V2" && second !== undefined) {
    const {
      num_values: values,
      num_nulls: nulls,
      num_rows: rows,
      definition_levels_byte_length: defined,
      repetition_levels_byte_length: repeated,
    } = second;
    const isSound = isCount(values) && values > 0 && isCount(nulls) && nulls <= values && rows === values;
    if (isSound && isCount(defined) && repeated === 0 && defined <= unpacked) return values;
  }
  throw new PageMistake("has a damaged page header");
}

/**
 * Checks what a data page holds before it is decoded.
 * @param page The unpacked page; of version 2 without its levels, which are `levels`.
 * @param isOptional Whether values may be missing, and so levels come first.
 * @throws PageMistake when its runs hold more than its header declares.
 */
export function checkPage({ header }: CheckedPage, page: Uint8Array, levels: Uint8Array | undefined, isOptional: boolean): void {
  const { type, data_page_header: first, data_page_header_v2: second } = header;
  if (type === "DICTIONARY_PAGE") return;
  const values = (first ?? second)?.num_values ?? 0;
  const encoding = (first ?? second)?.encoding;
  let at = 0;
  let known = values - (second?.num_nulls ?? 0);
  if (type === "DATA_PAGE_V2") {
    if (isOptional && levels !== undefined) checkRuns(levels, 0, levels.length, 1, values);
  } else if (isOptional) {
    const length = uint32(page, 0);
    known = checkRuns(page, 4, 4 + length, 1, values);
    at = 4 + length;
  }
  if (encoding === "RLE_DICTIONARY" || encoding === "PLAIN_DICTIONARY") {
    const width = page[at] ?? 0;
    if (width > 32) throw new PageMistake("has a damaged page");
    if (width > 0) checkRuns(page, at + 1, page.length, width, known);
  } else if (encoding === "RLE") {
    checkRuns(page, at + 4, page.length, 1, known);
  } else if (encoding === "DELTA_BYTE_ARRAY") {
    checkPrefixes(page, at, known);
  } else if (encoding !== undefined && !READ_ENCODINGS.has(encoding)) {
    throw new PageMistake(`is encoded as ${encoding}, which is not read`);
  }
}

const READ_ENCODINGS: ReadonlySet<string> = new Set(["PLAIN", "DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY", "BYTE_STREAM_SPLIT"]);

function uint32(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length) throw new PageMistake("has a page that ends too early");
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}

/**
 * Walks the runs of values of so many bits until all are there; no run may hold more values than are left.
 * @returns Of values of one bit, how many are 1.
 */
function checkRuns(bytes: Uint8Array, start: number, end: number, width: number, values: number): number {
  if (end > bytes.length) throw new PageMistake("has a page that ends too early");
  let at = start;
  let ones = 0;
  for (let seen = 0; seen < values;) {
    let head = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= end || shift > 28) throw new PageMistake("has a page that ends too early");
      const byte = bytes[at]!;
      at += 1;
      head += (byte & 0x7f) * 2 ** shift;
      if ((byte & 0x80) === 0) break;
    }
    const isPacked = (head & 1) === 1;
    const count = isPacked ? Math.floor(head / 2) * 8 : Math.floor(head / 2);
    // Packed values come in eights, so the last ones may be filled up.
    if (count > values - seen + (isPacked ? 511 : 0)) throw new PageMistake("has a run of more values than its page declares");
    if (width === 1) ones += isPacked ? countOnes(bytes, at, Math.min(count, values - seen)) : (bytes[at] ?? 0) & 1 ? count : 0;
    at += isPacked ? (count / 8) * width : (width + 7) >> 3;
    seen += count;
  }
  return ones;
}

function countOnes(bytes: Uint8Array, start: number, values: number): number {
  let ones = 0;
  for (let i = 0; i < values; i += 1) ones += ((bytes[start + (i >> 3)] ?? 0) >> (i & 7)) & 1;
  return ones;
}

/** Values that repeat the beginning of the one before take far more memory than their page. */
function checkPrefixes(page: Uint8Array, at: number, values: number): void {
  const prefixes = new Int32Array(values);
  const reader = { view: new DataView(page.buffer, page.byteOffset, page.byteLength), offset: at };
  if (values > 0) deltaBinaryUnpack(reader, values, prefixes);
  let total = page.length;
  for (const length of prefixes) {
    if (length < 0) throw new PageMistake("has a damaged page");
    total += length;
    if (total > MAX_PAGE_BYTES) throw new PageMistake(`has a page of more than ${MAX_PAGE_BYTES} bytes; at most so many are read`);
  }
}
