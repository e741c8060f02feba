/**
 * JSON Lines: one JSON object a line, its keys the columns. Values are numbers, texts, booleans or null; whatever is nested is
 * refused, since a table has no place for it.
 *
 * Source: https://jsonlines.org; RFC 8259, "The JavaScript Object Notation (JSON) Data Interchange Format", 2017.
 *
 * @module
 */
import { NexusError } from "@ciphernx/core/errors";
import type { ByteChunks } from "../csv/csv-records.ts";
import { readTextLines } from "../table/text-lines.ts";

/** Longest line that is read, in bytes. */
const MAX_LINE_BYTES = 4_194_304;
/** A line that is longer is looked at before it is parsed: deep nesting takes far more memory than its text. */
const MAX_UNSEEN_CHARACTERS = 65_536;
const MAX_DEPTH = 64;

export interface JsonlOptions {
  /** Names the file in errors. */
  readonly source?: string;
  readonly maxLineBytes?: number;
  readonly signal?: AbortSignal;
}

/** One line. */
export interface JsonRow {
  readonly line: number;
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * The objects of a JSONL file, those of each chunk together. Values are as JSON has them: nested ones are for the caller to refuse.
 * @throws NexusError DATA_INVALID naming file and line; the line itself is never quoted.
 */
export async function* readJsonRows(chunks: ByteChunks, options: JsonlOptions = {}): AsyncGenerator<readonly JsonRow[]> {
  const { source = "the file", maxLineBytes = MAX_LINE_BYTES, signal } = options;
  for await (const lines of readTextLines(chunks, { source, maxLineBytes, signal })) {
    yield lines.map(({ line, text }) => ({ line, values: parseRow(text, (what) => invalidLine(source, line, what)) }));
  }
}

/** DATA_INVALID for a line. */
function invalidLine(source: string, line: number, what: string): NexusError {
  return new NexusError("DATA_INVALID", `${source}, line ${line}: ${what}.`, {
    hint: 'A line is one object, such as {"age": 61, "sex": "f"}.',
    details: { file: source, line },
  });
}

function parseRow(text: string, invalid: (what: string) => NexusError): Readonly<Record<string, unknown>> {
  if (text.length > MAX_UNSEEN_CHARACTERS && depthOf(text) > MAX_DEPTH) throw invalid("the values are nested too deeply");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // What the parser says quotes the line.
    throw invalid("the line is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid("the line is JSON, but not an object");
  return value as Readonly<Record<string, unknown>>;
}

/** How deeply brackets are nested outside of texts, at most one more than is allowed. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isText = false;
  for (let i = 0; i < text.length && deepest <= MAX_DEPTH; i += 1) {
    const character = text[i]!;
    if (isText) {
      if (character === "\\") i += 1;
      else if (character === '"') isText = false;
    } else if (character === '"') isText = true;
    else if (character === "[" || character === "{") {
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (character === "]" || character === "}") depth -= 1;
  }
  return deepest;
}

/** What a nested value is called, or undefined for a plain one. */
export function nestedKind(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  return Array.isArray(value) ? "a list" : "an object";
}
