/**
 * Single members of a ZIP archive, read where they lie: the directory at the end is parsed strictly, a member is unpacked in a
 * stream, and its bytes are counted and summed up on the way. Stored and deflated members, with or without 64-bit sizes, are read;
 * encrypted ones, other methods and archives in several parts are refused.
 *
 * Source: PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", version 6.3.10, §4.3 and §4.5.3.
 *
 * @module
 */
import type { FileHandle } from "node:fs/promises";
import { pipeline } from "node:stream";
import { crc32, createInflateRaw } from "node:zlib";
import { NexusError } from "@ciphernx/core/errors";
import { openRegular } from "./read-file.ts";

/** A member as the directory describes it. */
export interface ZipEntry {
  readonly name: string;
  readonly sizeBytes: number;
}

/** An open archive. */
export interface ZipFile extends AsyncDisposable {
  readonly entries: readonly ZipEntry[];
  /**
   * The bytes of a member.
   * @throws NexusError DATA_INVALID when there is no such member, or it is not as long as the directory says or not what was stored.
   */
  read(name: string, options?: { readonly signal?: AbortSignal | undefined }): AsyncGenerator<Uint8Array>;
}

const CHUNK_BYTES = 65_536;
const MAX_ENTRIES = 10_000;
const MAX_DIRECTORY_BYTES = 16 * 1024 * 1024;

const END_SIGNATURE = 0x0605_4b50;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 65_535;
const END64_SIGNATURE = 0x0606_4b50;
const LOCATOR64_SIGNATURE = 0x0706_4b50;
const LOCATOR64_BYTES = 20;
const DIRECTORY_SIGNATURE = 0x0201_4b50;
const LOCAL_SIGNATURE = 0x0403_4b50;
const LOCAL_BYTES = 30;
const EXTRA_64_BIT = 0x0001;

const STORED = 0;
const DEFLATED = 8;

interface Member extends ZipEntry {
  readonly method: number;
  readonly packedBytes: number;
  readonly crc: number;
  readonly start: number;
}

type Invalid = (what: string) => NexusError;

/** Opens an archive. @throws NexusError DATA_UNREADABLE as `readFileChunks`; DATA_INVALID when it is no ZIP archive, damaged or refused. */
export async function openZip(path: string): Promise<ZipFile> {
  const invalid: Invalid = (what) =>
    new NexusError("DATA_INVALID", `${path} ${what}.`, { hint: "Get the file again, or write it anew.", details: { file: path } });
  const handle = await openRegular(path);
  try {
    const { size } = await handle.stat();
    const members = await readDirectory(handle, size, invalid);
    return {
      entries: [...members.values()].map(({ name, sizeBytes }) => ({ name, sizeBytes })),
      async *read(name, { signal } = {}) {
        const member = members.get(name);
        if (member === undefined) throw invalid(`has no member "${name}"; it has: ${[...members.keys()].slice(0, 20).join(", ")}`);
        yield* readMember(handle, member, size, { invalid, signal });
      },
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Reads exactly so many bytes. */
async function readAt(handle: FileHandle, position: number, length: number, invalid: Invalid): Promise<DataView> {
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) throw invalid("is truncated");
    filled += bytesRead;
  }
  return new DataView(bytes.buffer);
}

async function readDirectory(handle: FileHandle, size: number, invalid: Invalid): Promise<ReadonlyMap<string, Member>> {
  const tailBytes = Math.min(size, END_BYTES + MAX_COMMENT_BYTES + LOCATOR64_BYTES);
  const tail = await readAt(handle, size - tailBytes, tailBytes, invalid);
  let end = tailBytes - END_BYTES;
  while (end >= 0 && !(tail.getUint32(end, true) === END_SIGNATURE && tail.getUint16(end + 20, true) === tailBytes - end - END_BYTES)) end -= 1;
  if (end < 0) throw invalid("is not a ZIP archive, or is truncated: it has no directory at its end");
  if (tail.getUint16(end + 4, true) !== 0 || tail.getUint16(end + 6, true) !== 0) throw invalid("is one part of an archive in several");
  let count = tail.getUint16(end + 10, true);
  let bytes = tail.getUint32(end + 12, true);
  let start = tail.getUint32(end + 16, true);
  const locator = end - LOCATOR64_BYTES;
  if (locator >= 0 && tail.getUint32(locator, true) === LOCATOR64_SIGNATURE) {
    const at = toNumber(tail.getBigUint64(locator + 8, true), invalid);
    if (at > size - 56) throw invalid("has a directory beyond its end");
    const end64 = await readAt(handle, at, 56, invalid);
    if (end64.getUint32(0, true) !== END64_SIGNATURE) throw invalid("has a damaged directory");
    count = toNumber(end64.getBigUint64(32, true), invalid);
    bytes = toNumber(end64.getBigUint64(40, true), invalid);
    start = toNumber(end64.getBigUint64(48, true), invalid);
  }
  if (count > MAX_ENTRIES || bytes > MAX_DIRECTORY_BYTES)
    throw invalid(`declares ${count} members in ${bytes} bytes; at most ${MAX_ENTRIES} are read`);
  if (start + bytes > size) throw invalid("has a directory beyond its end");
  return parseDirectory(await readAt(handle, start, bytes, invalid), count, invalid);
}

function toNumber(value: bigint, invalid: Invalid): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid("declares a size beyond all files");
  return Number(value);
}

function parseDirectory(view: DataView, count: number, invalid: Invalid): ReadonlyMap<string, Member> {
  const members = new Map<string, Member>();
  const decoder = new TextDecoder();
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    if (at + 46 > view.byteLength || view.getUint32(at, true) !== DIRECTORY_SIGNATURE) throw invalid("has a damaged directory");
    const nameBytes = view.getUint16(at + 28, true);
    const extraBytes = view.getUint16(at + 30, true);
    const next = at + 46 + nameBytes + extraBytes + view.getUint16(at + 32, true);
    if (next > view.byteLength) throw invalid("has a damaged directory");
    const name = decoder.decode(new Uint8Array(view.buffer, at + 46, nameBytes));
    if ((view.getUint16(at + 8, true) & 1) !== 0) throw invalid(`holds "${name}" encrypted, which is not read`);
    if (members.has(name)) throw invalid(`holds "${name}" twice`);
    const sizes = sizesOf(view, at, at + 46 + nameBytes, extraBytes, invalid);
    members.set(name, { name, method: view.getUint16(at + 10, true), crc: view.getUint32(at + 16, true), ...sizes });
    at = next;
  }
  return members;
}

/** Sizes and place of a member; those that fill their 32 bits stand in the 64-bit extra field instead. */
function sizesOf(
  view: DataView,
  at: number,
  extra: number,
  extraBytes: number,
  invalid: Invalid,
): Pick<Member, "packedBytes" | "sizeBytes" | "start"> {
  const fields = { sizeBytes: view.getUint32(at + 24, true), packedBytes: view.getUint32(at + 20, true), start: view.getUint32(at + 42, true) };
  for (let field = extra; field + 4 <= extra + extraBytes;) {
    const length = view.getUint16(field + 2, true);
    if (view.getUint16(field, true) === EXTRA_64_BIT) {
      let from = field + 4;
      for (const name of ["sizeBytes", "packedBytes", "start"] as const) {
        if (fields[name] !== 0xffff_ffff) continue;
        if (from + 8 > Math.min(field + 4 + length, extra + extraBytes)) throw invalid("has a damaged directory");
        fields[name] = toNumber(view.getBigUint64(from, true), invalid);
        from += 8;
      }
    }
    field += 4 + length;
  }
  return fields;
}

async function* readMember(
  handle: FileHandle,
  member: Member,
  fileBytes: number,
  { invalid, signal }: { readonly invalid: Invalid; readonly signal: AbortSignal | undefined },
): AsyncGenerator<Uint8Array> {
  const { name, method, start, packedBytes, sizeBytes } = member;
  if (method !== STORED && method !== DEFLATED) throw invalid(`holds "${name}" packed by method ${method}; stored and deflated members are read`);
  if (start + LOCAL_BYTES > fileBytes) throw invalid(`is truncated: "${name}" lies beyond its end`);
  const local = await readAt(handle, start, LOCAL_BYTES, invalid);
  if (local.getUint32(0, true) !== LOCAL_SIGNATURE) throw invalid(`is damaged: there is no member where "${name}" should begin`);
  const from = start + LOCAL_BYTES + local.getUint16(26, true) + local.getUint16(28, true);
  if (from + packedBytes > fileBytes) throw invalid(`is truncated: "${name}" lies beyond its end`);
  const packed = readRange(handle, from, packedBytes, { invalid, signal });
  let total = 0;
  let crc = 0;
  try {
    for await (const chunk of method === STORED ? packed : inflate(packed)) {
      total += chunk.length;
      if (total > sizeBytes) throw invalid(`holds "${name}", which unpacks to more than the ${sizeBytes} bytes that it declares`);
      crc = crc32(chunk, crc);
      yield chunk;
    }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (!code.startsWith("Z_")) throw error;
    throw Object.assign(invalid(`is damaged: "${name}" cannot be unpacked`), { cause: error });
  }
  if (total !== sizeBytes) throw invalid(`is damaged: "${name}" has ${total} of the ${sizeBytes} bytes that it declares`);
  if (crc !== member.crc) throw invalid(`is damaged: "${name}" is not what was stored (its checksum differs)`);
}

async function* readRange(
  handle: FileHandle,
  start: number,
  length: number,
  { invalid, signal }: { readonly invalid: Invalid; readonly signal: AbortSignal | undefined },
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < length; at += CHUNK_BYTES) {
    signal?.throwIfAborted();
    const view = await readAt(handle, start + at, Math.min(CHUNK_BYTES, length - at), invalid);
    yield new Uint8Array(view.buffer);
  }
}

function inflate(packed: AsyncGenerator<Uint8Array>): AsyncIterable<Uint8Array> {
  // Whatever fails on the way is thrown where the unpacked bytes are read, so the callback has nothing left to do.
  return pipeline(packed, createInflateRaw({ chunkSize: CHUNK_BYTES }), () => undefined);
}
