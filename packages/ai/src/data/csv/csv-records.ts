/**
 * A streaming reader of comma-separated values, strict so that a damaged file is noticed: quotes stand around a whole cell
 * and are doubled inside it; records end in LF or CRLF; text is UTF-8, a byte-order mark is skipped; empty lines are
 * skipped but counted.
 *
 * Source: RFC 4180, "Common Format and MIME Type for Comma-Separated Values (CSV) Files", 2005, §2.
 *
 * @module
 */
import { NexusError } from "@ciphernx/core/errors";

export const CSV_DELIMITERS = [",", ";", "\t", "|"] as const;
export type CsvDelimiter = (typeof CSV_DELIMITERS)[number];

/** Longest record that is read, in characters: a missing quote must not swallow a whole file. */
export const MAX_RECORD_CHARACTERS = 4_194_304;

export interface CsvOptions {
  /** Names the file in errors. */
  readonly source?: string;
  /** Default ",". */
  readonly delimiter?: CsvDelimiter;
  readonly maxRecordCharacters?: number;
  readonly signal?: AbortSignal;
}

/** One record. Rows are counted from 1 as a spreadsheet shows them, a header being row 1. */
export interface CsvRecord {
  readonly row: number;
  readonly cells: readonly string[];
}

/** What bytes come in: a file, a network stream, or an array. */
export type ByteChunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * Reads records from UTF-8 bytes, those of each chunk together.
 * @throws NexusError DATA_INVALID naming file, row and column; the signal's reason when it is aborted.
 */
export async function* readCsvRecords(chunks: ByteChunks, options: CsvOptions = {}): AsyncGenerator<readonly CsvRecord[]> {
  const source = options.source ?? "the file";
  const parser = createCsvParser(options);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch (cause) {
      throw notUtf8(source, parser.row(), cause);
    }
  };
  for await (const bytes of chunks) {
    options.signal?.throwIfAborted();
    const records = parser.push(decode(bytes));
    if (records.length > 0) yield records;
  }
  yield [...parser.push(decode()), ...parser.end()];
}

/** DATA_INVALID for bytes that are no text. */
export function notUtf8(source: string, rowsBefore: number, cause: unknown): NexusError {
  return new NexusError("DATA_INVALID", `${source} is not UTF-8 text, after row ${rowsBefore}.`, {
    hint: "Save the file as CSV in UTF-8.",
    details: { file: source, row: rowsBefore + 1 },
    cause,
  });
}

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;

/** Where the reader is: before a cell, in a bare one, in a quoted one, after a quote in a quoted one, or after a CR. */
type State = "start" | "bare" | "quoted" | "closing" | "cr";

export interface CsvParser {
  /** The records that this text ends. */
  push(text: string): CsvRecord[];
  /** The last record, where the file does not end in a line break. */
  end(): CsvRecord[];
  /** Records read so far. */
  row(): number;
}

/** @param rowsBefore Rows of the file that lie before the text. */
export function createCsvParser(
  { source = "the file", delimiter = ",", maxRecordCharacters = MAX_RECORD_CHARACTERS }: CsvOptions,
  rowsBefore = 0,
): CsvParser {
  const separator = delimiter.charCodeAt(0);
  let state: State = "start";
  let cells: string[] = [];
  /** The part of the open cell that lies before the text at hand. */
  let pending = "";
  let wasQuoted = false;
  let rows = rowsBefore;
  let recordCharacters = 0;

  function invalid(what: string): NexusError {
    const at = { row: rows + 1, column: cells.length + 1 };
    return new NexusError("DATA_INVALID", `${source}, row ${at.row}, column ${at.column}: ${what}.`, { details: { file: source, ...at } });
  }

  function endCell(rest: string): void {
    cells.push(pending + rest);
    pending = "";
  }

  function endRecord(records: CsvRecord[]): void {
    rows += 1;
    if (cells.length > 1 || cells[0] !== "" || wasQuoted) records.push({ row: rows, cells });
    cells = [];
    wasQuoted = false;
    recordCharacters = 0;
    state = "start";
  }

  function push(text: string): CsvRecord[] {
    const records: CsvRecord[] = [];
    let from = 0;
    let counted = 0;
    const countTo = (end: number): void => {
      recordCharacters += end - counted;
      counted = end;
      if (recordCharacters > maxRecordCharacters)
        throw invalid(`the record is longer than ${maxRecordCharacters} characters; a closing quote may be missing`);
    };
    for (let i = 0; i < text.length; i += 1) {
      const code = text.charCodeAt(i);
      if (code === 0) throw invalid("a NUL byte; this is not a text file");
      if (state === "quoted") {
        if (code !== QUOTE) continue;
        pending += text.slice(from, i);
        state = "closing";
      } else if (state === "closing" && code === QUOTE) {
        from = i;
        state = "quoted";
      } else if (state === "cr" && code !== LF) {
        throw invalid("a carriage return that no line feed follows");
      } else if (code === separator) {
        endCell(state === "bare" ? text.slice(from, i) : "");
        state = "start";
      } else if (code === LF || code === CR) {
        if (state !== "cr") endCell(state === "bare" ? text.slice(from, i) : "");
        state = "cr";
        if (code === LF) {
          countTo(i);
          endRecord(records);
          counted = i + 1;
        }
      } else if (state === "start" && code === QUOTE) {
        state = "quoted";
        wasQuoted = true;
        from = i + 1;
      } else if (state === "start") {
        state = "bare";
        from = i;
      } else if (state === "closing") {
        throw invalid("text after a closing quote");
      } else if (code === QUOTE) {
        throw invalid("a quote within a cell that does not begin with one");
      }
    }
    if (state === "bare" || state === "quoted") pending += text.slice(from);
    countTo(text.length);
    return records;
  }

  function end(): CsvRecord[] {
    if (state === "quoted") throw invalid("the file ends within a quoted cell");
    if (state === "cr") throw invalid("a carriage return that no line feed follows");
    if (state === "start" && cells.length === 0) return [];
    const records: CsvRecord[] = [];
    endCell("");
    endRecord(records);
    return records;
  }

  return { push, end, row: () => rows };
}
