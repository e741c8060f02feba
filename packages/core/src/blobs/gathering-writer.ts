import type { FileHandle } from "node:fs/promises";

/** A socket gives at most 64 KiB at a time, and each write is a trip to another thread: four chunks go in one. */
const BUFFER_BYTES = 256 * 1024;
/** Buffers that wait for the next file; left to the collector they would be garbage by the gigabyte. */
const KEPT_BUFFERS = 16;

const spare: Uint8Array<ArrayBuffer>[] = [];

/** Writes a file from its start, one part after the other. */
export interface GatheringWriter {
  /** Adds bytes; they are the caller's again when it resolves. Rejects when these or earlier ones could not be written. Not twice at a time. */
  write(chunk: Uint8Array): Promise<void>;
  /** Resolves when everything has been handed to the system. */
  flush(): Promise<void>;
}

/** Gathers small chunks in one buffer while the one before is being written; large ones are written as they are. */
export function gatheringWriter(file: FileHandle): GatheringWriter {
  let position = 0;
  let buffer: Uint8Array<ArrayBuffer> | undefined;
  let filled = 0;
  let underway: Promise<void> = Promise.resolve();

  async function send(bytes: Uint8Array): Promise<void> {
    const at = position;
    position += bytes.length;
    await writeFully(file, bytes, at);
  }

  /** Starts to write what was gathered, once the buffer before has been written. */
  async function sendBuffer(): Promise<void> {
    if (buffer === undefined) return;
    const full = buffer;
    const part = full.subarray(0, filled);
    buffer = undefined;
    filled = 0;
    await underway;
    underway = send(part).finally(() => {
      if (spare.length < KEPT_BUFFERS) spare.push(full);
    });
    // Whoever writes or flushes next hears of it.
    underway.catch(() => {});
  }

  return {
    async write(chunk) {
      for (let done = 0; done < chunk.length;) {
        if (filled === 0 && chunk.length - done >= BUFFER_BYTES) {
          await underway;
          await send(chunk.subarray(done));
          return;
        }
        buffer ??= spare.pop() ?? new Uint8Array(Buffer.allocUnsafeSlow(BUFFER_BYTES).buffer);
        const part = chunk.subarray(done, done + BUFFER_BYTES - filled);
        buffer.set(part, filled);
        filled += part.length;
        done += part.length;
        if (filled === BUFFER_BYTES) await sendBuffer();
      }
    },
    async flush() {
      await sendBuffer();
      await underway;
    },
  };
}

/** Writes a whole chunk at a position: one system call may take less than it was given. */
async function writeFully(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < chunk.length;) {
    done += (await file.write(chunk, done, chunk.length - done, position + done)).bytesWritten;
  }
}
