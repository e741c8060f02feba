import { type ByteChunks, createCsvParser, type CsvOptions, type CsvRecord, MAX_RECORD_CHARACTERS, notUtf8 } from "./csv-records.ts";
import type { CsvRowReader } from "./csv-rows.ts";

export interface CsvByteOptions extends CsvOptions {
  readonly source: string;
  /** Takes a record that the short way has left alone. */
  onRecord(record: CsvRecord): void;
  /** The short way, as soon as there is one. */
  fast(): CsvRowReader | undefined;
}

const LF = 0x0a;
const QUOTE = 0x22;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
/** Fewer bytes are gathered first, so that a record that goes on through many small chunks is not looked at again with each. */
const FEWEST_BYTES = 65_536;

/**
 * Reads the records of a file, those that can be by the short way, each of the others over its text.
 * @throws NexusError DATA_INVALID as `readCsvRecords`; the signal's reason when it is aborted.
 */
export async function readRecordsByBytes(chunks: ByteChunks, options: CsvByteOptions): Promise<void> {
  const { source, onRecord, fast, maxRecordCharacters = MAX_RECORD_CHARACTERS, signal } = options;
  let buffer = new Uint8Array(2 * FEWEST_BYTES);
  let filled = 0;
  let row = 0;
  let isFirst = true;

  function append(chunk: Uint8Array): void {
    if (filled + chunk.length > buffer.length) {
      const grown = new Uint8Array(Math.max(filled + chunk.length, Math.min(2 * buffer.length, filled + 4 * chunk.length)));
      grown.set(buffer.subarray(0, filled));
      buffer = grown;
    }
    buffer.set(chunk, filled);
    filled += chunk.length;
  }

  function skipMark(): number {
    if (!isFirst) return 0;
    isFirst = false;
    return BYTE_ORDER_MARK.every((byte, i) => i < filled && buffer[i] === byte) ? BYTE_ORDER_MARK.length : 0;
  }

  /** Reads a record, or what is there of the last one, over its text. */
  function readSlowly(bytes: Uint8Array, isLast: boolean): void {
    const parser = createCsvParser(options, row);
    let text: string;
    try {
      text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (cause) {
      throw notUtf8(source, row, cause);
    }
    const records = [...parser.push(text), ...(isLast ? parser.end() : [])];
    row = parser.row();
    records.forEach(onRecord);
  }

  /** Says what is wrong with a record that does not end, if it is too long already. */
  function refuseEndless(bytes: Uint8Array): void {
    if (bytes.length <= maxRecordCharacters) return;
    createCsvParser(options, row).push(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes, { stream: true }));
  }

  /** Reads all records that are whole; what is left of the last one stays at the buffer's beginning. */
  function drain(): void {
    let at = skipMark();
    const end = buffer.lastIndexOf(LF, filled - 1) + 1;
    while (at < end) {
      const reader = fast();
      if (reader !== undefined) {
        at = reader.read(buffer, at, end);
        row += reader.passed;
        if (at >= end) break;
      }
      const next = endOfRecord(buffer, at, end);
      if (next === undefined) break;
      readSlowly(buffer.subarray(at, next), false);
      at = next;
    }
    buffer.copyWithin(0, at, filled);
    filled -= at;
    refuseEndless(buffer.subarray(0, filled));
  }

  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    append(chunk);
    if (filled >= FEWEST_BYTES) drain();
  }
  if (filled > 0) drain();
  if (filled > 0) readSlowly(buffer.subarray(0, filled), true);
}

/** Where the record ends that begins at `start`: after the first line feed outside quotes; undefined when it goes on. */
function endOfRecord(bytes: Uint8Array, start: number, end: number): number | undefined {
  let isQuoted = false;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) isQuoted = !isQuoted;
    else if (byte === LF && !isQuoted) return at + 1;
  }
  return undefined;
}
