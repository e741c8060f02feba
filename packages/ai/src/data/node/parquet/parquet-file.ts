/**
 * Parquet files, one column of one row group at a time. The file is decoded by `hyparquet`, which believes the lengths that it reads;
 * so footer, page headers and runs are checked before it sees them, and pages are unpacked to no more than they declare.
 *
 * @module
 */
import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { NexusError } from "@ciphernx/core/errors";
import {
  type AsyncBuffer,
  type ColumnMetaData,
  type CompressionCodec,
  type Compressors,
  type DecodedArray,
  type FileMetaData,
  parquetMetadata,
  parquetRead,
  type ParquetParsers,
  type RowGroup,
  type SchemaElement,
} from "hyparquet";
import { openRegular } from "../read-file.ts";
import { type CheckedPage, checkPage, checkPages, PageMistake } from "./page-check.ts";
import { endOfThrift } from "./thrift-check.ts";
import { CODECS, unpackPage } from "./unpack-page.ts";

/** A column, as far as a table has a place for it. */
export interface ParquetColumn {
  readonly name: string;
  /** What it is where it is no plain column, for example "a list". */
  readonly nested?: string;
}

/** An open file. */
export interface ParquetFile extends AsyncDisposable {
  readonly columns: readonly ParquetColumn[];
  readonly rowGroups: readonly { readonly rows: number; readonly firstRow: number }[];
  /**
   * The values of a plain column in a row group: numbers, bigints, booleans, texts, null or undefined where there is none. Dates and
   * times are texts as ISO 8601 has them.
   * @throws NexusError DATA_INVALID when the file is damaged, or packed or encoded in a way that is not read.
   */
  readColumn(rowGroup: number, name: string): Promise<readonly ArrayLike<unknown>[]>;
}

const MAGIC = 0x3152_4150;
const ENCRYPTED_MAGIC = 0x4552_4150;
const TAIL_BYTES = 8;
const MAX_FOOTER_BYTES = 32 * 1024 * 1024;
/** A row group is made of whole columns in memory: this many packed bytes of a column, and this many rows, are the most. */
const MAX_CHUNK_BYTES = 512 * 1024 * 1024;
const MAX_GROUP_ROWS = 2 ** 26;

/** Opens a file. @throws NexusError DATA_UNREADABLE as `readFileChunks`; DATA_INVALID when it is not Parquet or its footer is damaged. */
export async function openParquet(path: string): Promise<ParquetFile> {
  const invalid = (what: string): NexusError =>
    new NexusError("DATA_INVALID", `${path} ${what}.`, { hint: "Get the file again, or write it anew.", details: { file: path } });
  const handle = await openRegular(path);
  try {
    const { size } = await handle.stat();
    const metadata = await readFooter(handle, size, invalid);
    const leaves = trusting(() => topLevel(metadata.schema, invalid), invalid);
    const rowGroups = trusting(() => groupsOf(metadata, invalid), invalid);
    return {
      columns: leaves.map(({ name, element, nested }) => ({ name, ...(nested === undefined || element === undefined ? {} : { nested }) })),
      rowGroups,
      async readColumn(index, name) {
        const group = metadata.row_groups[index]!;
        const leaf = leaves.find((one) => one.name === name);
        if (leaf === undefined) throw invalid(`has no column "${name}"`);
        const damaged = (what: string): NexusError => invalid(`column "${name}" ${what}`);
        return readChunk({ handle, size, metadata, group, rows: rowGroups[index]!.rows, name, element: leaf.element, invalid: damaged });
      },
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

type Invalid = (what: string) => NexusError;

async function readAt(handle: FileHandle, position: number, length: number, invalid: Invalid): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) throw invalid("is truncated");
    filled += bytesRead;
  }
  return bytes;
}

async function readFooter(handle: FileHandle, size: number, invalid: Invalid): Promise<FileMetaData> {
  if (size < TAIL_BYTES + 4) throw invalid("is too short for a Parquet file");
  const tail = new DataView((await readAt(handle, size - TAIL_BYTES, TAIL_BYTES, invalid)).buffer);
  const magic = tail.getUint32(4, true);
  if (magic === ENCRYPTED_MAGIC) throw invalid("is encrypted, which is not read");
  if (magic !== MAGIC) throw invalid("is not a Parquet file, or is truncated: it does not end with the format's mark");
  const length = tail.getUint32(0, true);
  if (length > MAX_FOOTER_BYTES || length > size - TAIL_BYTES - 4) throw invalid(`declares a footer of ${length} bytes, which it cannot have`);
  const footer = await readAt(handle, size - TAIL_BYTES - length, length + TAIL_BYTES, invalid);
  if (endOfThrift(footer.subarray(0, length)) === undefined) throw invalid("has a damaged footer");
  try {
    return parquetMetadata(footer, { geoparquet: false, parsers: PARSERS });
  } catch {
    throw invalid("has a damaged footer");
  }
}

/**
 * Reads what a footer says that came through: a field whose number or type was changed is left out or of another type than declared,
 * wherever it is looked at.
 */
function trusting<T>(read: () => T, invalid: Invalid): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw invalid("has a damaged footer");
    throw error;
  }
}

interface TopLevel {
  readonly name: string;
  readonly element: SchemaElement;
  readonly nested?: string;
}

/** The columns below the schema's root; those with something below them are nested. */
function topLevel(schema: readonly SchemaElement[], invalid: Invalid): readonly TopLevel[] {
  const found: TopLevel[] = [];
  const count = schema[0]?.num_children ?? 0;
  let at = 1;
  for (let i = 0; i < count; i += 1) {
    const element = schema[at];
    if (element === undefined || typeof element.name !== "string") throw invalid("has a damaged footer");
    const end = endOfSubtree(schema, at);
    if (end === undefined) throw invalid("has a damaged footer");
    const nested = nestedKind(element);
    if (nested === undefined && element.type === undefined) throw invalid("has a damaged footer");
    found.push({ name: element.name, element, ...(nested === undefined ? {} : { nested }) });
    at = end;
  }
  if (at !== schema.length) throw invalid("has a damaged footer");
  return found;
}

function endOfSubtree(schema: readonly SchemaElement[], start: number): number | undefined {
  let open = 1;
  let at = start;
  for (; open > 0; at += 1) {
    const children = schema[at]?.num_children ?? 0;
    if (at >= schema.length || children < 0) return undefined;
    open += children - 1;
  }
  return at;
}

function nestedKind({ converted_type: converted, logical_type: logical, num_children: children = 0, repetition_type: repetition }: SchemaElement) {
  if (converted === "LIST" || logical?.type === "LIST" || repetition === "REPEATED") return "a list";
  if (converted === "MAP" || converted === "MAP_KEY_VALUE" || logical?.type === "MAP") return "a map";
  return children > 0 ? "a structure" : undefined;
}

function groupsOf(
  { num_rows: total, row_groups: groups }: FileMetaData,
  invalid: Invalid,
): readonly { readonly rows: number; readonly firstRow: number }[] {
  let firstRow = 0;
  const found = groups.map(({ num_rows: declared }) => {
    const rows = Number(declared);
    if (!(rows >= 0)) throw invalid("has a damaged footer");
    if (rows > MAX_GROUP_ROWS) throw invalid(`declares a row group of ${rows} rows; at most ${MAX_GROUP_ROWS} are read`);
    firstRow += rows;
    return { rows, firstRow: firstRow - rows };
  });
  if (firstRow !== Number(total)) throw invalid(`declares ${Number(total)} rows, and its row groups ${firstRow}`);
  return found;
}

interface ChunkRequest {
  readonly handle: FileHandle;
  readonly size: number;
  readonly metadata: FileMetaData;
  readonly group: RowGroup;
  readonly rows: number;
  readonly name: string;
  readonly element: SchemaElement;
  readonly invalid: Invalid;
}

async function readChunk(request: ChunkRequest): Promise<readonly DecodedArray[]> {
  const { handle, size, metadata, group, rows, name, element, invalid } = request;
  const matching = trusting(() => group.columns.filter(({ meta_data: meta }) => meta?.path_in_schema[0] === name), invalid);
  const chunk = matching[0];
  const meta = chunk?.meta_data;
  if (matching.length !== 1 || meta === undefined) throw invalid("is missing in a row group");
  if (chunk?.file_path !== undefined) throw invalid("lies in another file, which is not read");
  const { start, length } = trusting(() => placeOf(meta, size, invalid), invalid);
  if (!CODECS.has(meta.codec)) throw invalid(`is packed by ${meta.codec}, which is not read`);
  const bytes = await readAt(handle, start, length, invalid);
  const pieces: DecodedArray[] = [];
  const file: AsyncBuffer = {
    byteLength: size,
    slice: (from, to = size) => {
      if (from < start || to > start + length) throw new PageMistake("goes beyond its chunk");
      return bytes.buffer.slice(from - start, to - start);
    },
  };
  try {
    const pages = checkPages(bytes, rows);
    for (const { header, start: from, end } of pages) {
      if (header.crc !== undefined && crc32(bytes.subarray(from, end)) !== header.crc >>> 0)
        throw new PageMistake("is damaged: a page's checksum differs");
    }
    const isOptional = element.repetition_type !== "REQUIRED";
    await parquetRead({
      file,
      metadata: { ...metadata, num_rows: group.num_rows, row_groups: [{ ...group, columns: [chunk!] }] },
      columns: [name],
      compressors: compressorsFor(meta.codec, pages, bytes, isOptional),
      parsers: PARSERS,
      geoparquet: false,
      onChunk: ({ columnData }) => void pieces.push(columnData),
    });
  } catch (error) {
    if (error instanceof PageMistake) throw invalid(error.message);
    // What a decoder says of damaged bytes helps nobody, and may quote them.
    throw invalid("cannot be decoded; the file is damaged");
  }
  const found = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (found !== rows) throw invalid(`holds ${found} of the ${rows} values of a row group`);
  return pieces;
}

function placeOf(meta: ColumnMetaData, size: number, invalid: Invalid): { readonly start: number; readonly length: number } {
  const start = Number(meta.dictionary_page_offset || meta.data_page_offset);
  const length = Number(meta.total_compressed_size);
  if (!(start >= 4 && length > 0 && start + length <= size)) throw invalid("lies beyond the end of the file");
  if (length > MAX_CHUNK_BYTES) throw invalid(`takes ${length} bytes in one row group; at most ${MAX_CHUNK_BYTES} are read`);
  return { start, length };
}

/** Unpacks and checks each page in turn; pages that are not packed are checked at once. */
function compressorsFor(codec: CompressionCodec, pages: readonly CheckedPage[], bytes: Uint8Array<ArrayBuffer>, isOptional: boolean): Compressors {
  const levelsOf = ({ header, start }: CheckedPage): Uint8Array | undefined => {
    const length = header.data_page_header_v2?.definition_levels_byte_length;
    return length === undefined ? undefined : bytes.subarray(start, start + length);
  };
  const unpacked = (page: CheckedPage): Uint8Array => bytes.subarray(page.start + (levelsOf(page)?.length ?? 0), page.end);
  const isPacked = ({ header }: CheckedPage): boolean => codec !== "UNCOMPRESSED" && header.data_page_header_v2?.is_compressed !== false;
  for (const page of pages) if (!isPacked(page)) checkPage(page, unpacked(page), levelsOf(page), isOptional);
  const packed = pages.filter(isPacked);
  let next = 0;
  return {
    [codec]: (input: Uint8Array, length: number) => {
      const page = packed[next];
      next += 1;
      if (page === undefined) throw new PageMistake("has more pages than its row group has rows for");
      const output = unpackPage(codec, input, length);
      checkPage(page, output, levelsOf(page), isOptional);
      return output;
    },
  };
}

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** Dates and times as text; JSON and geometries as they lie, since no table reads them. */
const PARSERS: Partial<ParquetParsers> = {
  timestampFromMilliseconds: (value) => iso(Number(value)),
  timestampFromMicroseconds: (value) => iso(Number(value / 1000n)),
  timestampFromNanoseconds: (value) => iso(Number(value / 1_000_000n)),
  dateFromDays: (days) => iso(days * 86_400_000).slice(0, 10),
  jsonFromBytes: (bytes) => bytes,
  geometryFromBytes: (bytes) => bytes,
  geographyFromBytes: (bytes) => bytes,
};
