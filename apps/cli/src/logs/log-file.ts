import { open } from "node:fs/promises";
import { join } from "node:path";
import { NexusError } from "@ciphernx/core/errors";
import { sleep } from "@ciphernx/core/lifecycle";

/** The coordinator's log in its data folder: a JSON object a line, as pino writes them. */
export function coordinatorLog(home: string): string {
  return join(home, "coordinator.log");
}

const LOOK_EVERY_MS = 250;
/** As much of a long log is read for its last lines. */
const TAIL_BYTES = 4 * 2 ** 20;
const CHUNK_BYTES = 64 * 2 ** 10;

/** What of a log is wanted. */
export interface ReadLogOptions {
  /** The last lines to begin with. */
  readonly lines: number;
  /** Waits for further lines until the signal aborts. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** Yields the last lines of a log file, then, on demand, those that come; goes on when the file is cut or replaced. @throws NexusError FILE_UNUSABLE */
export async function* readLog(path: string, { lines, follow, signal }: ReadLogOptions): AsyncGenerator<string> {
  const text = await readFrom(path, -TAIL_BYTES);
  if (text === undefined) {
    throw new NexusError("FILE_UNUSABLE", `There is no log ${path}.`, {
      hint: "A coordinator writes it when it starts; name its data folder with --home.",
    });
  }
  const all = text.bytes.toString("utf8").split("\n");
  const unended = all.pop() ?? "";
  // The first may be the end of a line that began before what was read.
  if (text.from > 0) all.shift();
  yield* lines === 0 ? [] : all.filter((line) => line !== "").slice(-lines);
  let [position, inode] = [text.from + text.bytes.length - Buffer.byteLength(unended), text.inode];
  if (!follow) return;
  while (!signal.aborted) {
    const more = await readFrom(path, position);
    if (more !== undefined && (more.inode !== inode || more.sizeBytes < position)) {
      [position, inode] = [0, more.inode];
      continue;
    }
    if (more !== undefined && more.bytes.length > 0) {
      const end = more.bytes.lastIndexOf(0x0a) + 1;
      position += end;
      yield* more.bytes
        .subarray(0, end)
        .toString("utf8")
        .split("\n")
        .filter((line) => line !== "");
      if (end > 0) continue;
    }
    await sleep(LOOK_EVERY_MS, { signal }).catch(() => {}); // the loop ends when it aborts
  }
}

/** @param from where to begin; negative: so many bytes before the end */
async function readFrom(path: string, from: number) {
  let file;
  try {
    file = await open(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const { size: sizeBytes, ino: inode } = await file.stat();
    const start = from < 0 ? Math.max(0, sizeBytes + from) : from;
    const length = from < 0 ? sizeBytes - start : Math.min(CHUNK_BYTES * 16, Math.max(0, sizeBytes - start));
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, start);
    return { bytes: buffer.subarray(0, bytesRead), from: start, sizeBytes, inode };
  } finally {
    await file.close();
  }
}
