import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { NexusError } from "@ciphernx/core/errors";

/** The most bytes of one file that are held in memory, after unpacking: what a typed array surely holds. */
const MAX_FILE_BYTES = 2 ** 31 - 1;
const CHUNK_BYTES = 262_144;

export interface ReadOptions {
  /** Most bytes after unpacking. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  /** Gives every chunk in the same memory, for readers that are done with one before they ask for the next. Default false. */
  readonly reuse?: boolean;
}

/** DATA_UNREADABLE for what the operating system says about a path. */
export function unreadable(path: string, cause: unknown): NexusError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const reason =
    {
      ENOENT: "does not exist",
      ENOTDIR: "does not exist: a part of its path is a file",
      EACCES: "may not be read",
      EPERM: "may not be read",
      EISDIR: "is a folder",
    }[code] ?? `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new NexusError("DATA_UNREADABLE", `${path} ${reason}.`, { details: { file: path }, cause });
}

/**
 * The bytes of a file in chunks; a gzip file is unpacked, whatever its name.
 * @throws NexusError DATA_UNREADABLE when there is no such regular file or it cannot be read; DATA_INVALID when a gzip file is
 *   damaged or unpacks to more than `maxBytes`.
 */
export async function* readFileChunks(
  path: string,
  { maxBytes = MAX_FILE_BYTES, signal, reuse = false }: ReadOptions = {},
): AsyncGenerator<Uint8Array> {
  await using handle = await openRegular(path);
  let isGzip = false;
  let total = 0;
  try {
    isGzip = await beginsAsGzip(handle);
    // What is being unpacked is read ahead.
    const packed = readHandle(handle, signal, reuse && !isGzip);
    for await (const chunk of isGzip ? unpack(packed) : packed) {
      total += chunk.length;
      if (total > maxBytes) {
        throw new NexusError("DATA_INVALID", `${path} holds more than ${maxBytes} bytes${isGzip ? " once unpacked" : ""}.`, {
          hint: "Split the data into smaller files.",
          details: { file: path, maxBytes },
        });
      }
      yield chunk;
    }
  } catch (error) {
    if (error instanceof NexusError) throw error;
    signal?.throwIfAborted();
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (!code.startsWith("Z_")) throw unreadable(path, error);
    throw new NexusError("DATA_INVALID", `${path} is damaged: it cannot be unpacked (${(error as Error).message}).`, {
      hint: "Get the file again.",
      details: { file: path },
      cause: error,
    });
  }
}

async function beginsAsGzip(handle: FileHandle): Promise<boolean> {
  const head = Buffer.alloc(2);
  const { bytesRead } = await handle.read(head, 0, 2, 0);
  return bytesRead === 2 && head[0] === 0x1f && head[1] === 0x8b;
}

async function* readHandle(handle: FileHandle, signal: AbortSignal | undefined, reuse: boolean): AsyncGenerator<Uint8Array> {
  const shared = reuse ? new Uint8Array(CHUNK_BYTES) : undefined;
  for (let position = 0; ;) {
    signal?.throwIfAborted();
    const { bytesRead, buffer } = await handle.read(shared ?? new Uint8Array(CHUNK_BYTES), 0, CHUNK_BYTES, position);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    position += bytesRead;
  }
}

function unpack(packed: AsyncGenerator<Uint8Array>): AsyncIterable<Uint8Array> {
  // Whatever fails on the way is thrown where the unpacked bytes are read, so the callback has nothing left to do.
  return pipeline(packed, createGunzip({ chunkSize: CHUNK_BYTES }), () => undefined);
}

/** All bytes of a file, with the errors of `readFileChunks`. */
export async function readFileBytes(path: string, options: ReadOptions = {}): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of readFileChunks(path, options)) {
    chunks.push(chunk);
    total += chunk.length;
  }
  const all = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** Opens a file that is neither a folder nor a pipe, which would be waited for without end. */
export async function openRegular(path: string): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    // Without O_NONBLOCK, opening a named pipe waits for a writer. Windows has neither.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw unreadable(path, error);
  }
  const stat = await handle.stat();
  if (stat.isFile()) return handle;
  await handle.close();
  throw new NexusError("DATA_UNREADABLE", `${path} is ${stat.isDirectory() ? "a folder" : "not a regular file"}.`, { details: { file: path } });
}
