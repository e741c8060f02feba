import { NexusError } from "@ciphernx/core/errors";
import type { ByteChunks } from "../csv/csv-records.ts";

export interface TextLine {
  /** Counted from 1, empty lines included. */
  readonly line: number;
  /** Without its line break. */
  readonly text: string;
}

export interface TextLineOptions {
  readonly source: string;
  /** Longest line that is read, in bytes. */
  readonly maxLineBytes: number;
  readonly signal?: AbortSignal | undefined;
}

const LF = 0x0a;

/**
 * Lines of UTF-8 text, those that end in one chunk together; they end in LF or CRLF, a byte-order mark is skipped, and lines of
 * spaces alone are skipped but counted. Memory is bounded by a chunk and a line.
 * @throws NexusError DATA_INVALID when a line is too long or is not UTF-8, naming it.
 */
export async function* readTextLines(chunks: ByteChunks, { source, maxLineBytes, signal }: TextLineOptions): AsyncGenerator<readonly TextLine[]> {
  let line = 0;
  let parts: Uint8Array[] = [];
  let pendingBytes = 0;
  const invalid = (what: string): NexusError =>
    new NexusError("DATA_INVALID", `${source}, line ${line + 1}: ${what}.`, { details: { file: source, line: line + 1 } });

  function decode(bytes: Uint8Array): string {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: line > 0 }).decode(bytes);
    } catch (cause) {
      throw Object.assign(invalid("the text is not UTF-8"), { cause });
    }
  }

  /** The lines of whole lines' bytes. */
  function split(bytes: Uint8Array): readonly TextLine[] {
    const lines: TextLine[] = [];
    for (let from = 0; from < bytes.length;) {
      const found = bytes.indexOf(LF, from);
      const end = found === -1 ? bytes.length : found;
      if (end - from > maxLineBytes) throw invalid(`the line is longer than ${maxLineBytes} bytes`);
      const text = decode(bytes.subarray(from, end)).trim();
      line += 1;
      if (text !== "") lines.push({ line, text });
      from = end + 1;
    }
    return lines;
  }

  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    const last = chunk.lastIndexOf(LF);
    if (last === -1) {
      // A chunk may be used again by whoever gave it.
      parts.push(chunk.slice());
      pendingBytes += chunk.length;
    } else {
      const whole = join([...parts, chunk.subarray(0, last + 1)]);
      const rest = chunk.slice(last + 1);
      parts = rest.length === 0 ? [] : [rest];
      pendingBytes = rest.length;
      const lines = split(whole);
      if (lines.length > 0) yield lines;
    }
    if (pendingBytes > maxLineBytes) throw invalid(`the line is longer than ${maxLineBytes} bytes`);
  }
  const lines = split(join(parts));
  if (lines.length > 0) yield lines;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
