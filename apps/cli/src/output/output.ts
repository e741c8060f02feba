import type { NexusError } from "@ciphernx/core/errors";
import { redactError, redactJson, redactSecrets } from "@ciphernx/core/identity/redact";
import { type Colours, colours, wantsColours } from "./colours.ts";

/** Who reads: people, or a program that wants one envelope, a line an event, or ids alone. */
export type OutputMode = "people" | "json" | "jsonl" | "quiet";

/** A stream to write to, and whether a person looks at it. */
export interface OutputStream {
  readonly isTTY?: boolean;
  /** Characters of a line and lines, where it is a terminal that tells. */
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

export interface OutputOptions {
  readonly mode: OutputMode;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What a command ends with, in the three ways it may be wanted. */
export interface Result {
  /** For programs: JSON-serialisable; bigints become numbers where exact, else strings. */
  readonly data: unknown;
  /** For people. */
  readonly text: string;
  /** For `--quiet`: one a line. */
  readonly ids: readonly string[];
}

/** A terminal that a person watches. */
export interface Terminal {
  /** Characters of a line, now. */
  columns(): number;
}

/**
 * Everything a command says goes through here, so that the same command serves people and programs. A secret is said by `result` alone, of the
 * commands that make one for whoever asked.
 */
export interface Output {
  readonly mode: OutputMode;
  /** Styles for what goes to stdout. */
  readonly colours: Colours;
  /** Undefined where nothing may be drawn: for programs, pipes, files and dumb terminals. */
  readonly terminal: Terminal | undefined;
  /**
   * Text that stands under all lines that follow until the next such text replaces it; the command's end leaves it where it is. Nothing
   * without a terminal, or in one with too few lines for it.
   * @param block lines that fit into the terminal's width
   */
  stand(block: string): void;
  /** One event of a stream: a JSON line for `--jsonl`; its text, if any, for people; on stderr for `--json`. Never a secret: those are results. */
  event(data: unknown, line?: string): void;
  /** The command's end; once. */
  result(result: Result): void;
  /** What is worth knowing on the way; never on stdout, and never a secret: those are results. */
  note(line: string): void;
  /** The error that ended the command, without the secrets that may have got into it. */
  failure(error: NexusError, debug: boolean): void;
}

const SCHEMA_VERSION = 1;
/** Of a terminal that does not tell its size. */
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
/** Lines that are left above a standing text: a cursor cannot go back to what has scrolled away. */
const SPARE_ROWS = 3;

/** Writes to the given streams in the given mode. */
export function createOutput({ mode, stdout, stderr, env }: OutputOptions): Output {
  const plain = colours(mode === "people" && wantsColours({ isTerminal: stdout.isTTY === true, env }));
  const loud = colours(wantsColours({ isTerminal: stderr.isTTY === true, env }));
  const isJson = mode === "json" || mode === "jsonl";
  const isDrawable = mode === "people" && stdout.isTTY === true && env["TERM"] !== "dumb";
  let standing = "";
  /** Takes the standing text away, so that a line can come where it was. */
  const erase = (): string => (standing === "" ? "" : `\u001B[${lineCount(standing)}A\u001B[J`);
  return {
    mode,
    colours: plain,
    terminal: isDrawable ? { columns: () => stdout.columns ?? DEFAULT_COLUMNS } : undefined,
    stand(block) {
      if (!isDrawable || lineCount(block) + SPARE_ROWS > (stdout.rows ?? DEFAULT_ROWS)) return;
      const text = `${block}\n`;
      stdout.write(`${erase()}${text}`);
      standing = text;
    },
    event(data, line) {
      if (mode === "jsonl") stdout.write(`${redactJson(toJson(data))}\n`);
      else if (mode !== "quiet" && line !== undefined) {
        const safe = redactSecrets(line);
        if (mode === "json") stderr.write(`${safe}\n`);
        else stdout.write(`${erase()}${safe}\n${standing}`);
      }
    },
    result({ data, text, ids }) {
      if (isJson) stdout.write(`${toJson({ schemaVersion: SCHEMA_VERSION, status: "ok", data })}\n`);
      else if (mode === "quiet") stdout.write(ids.map((id) => `${id}\n`).join(""));
      else if (text !== "") stdout.write(`${text}\n`);
    },
    note(line) {
      standing = ""; // stays where it is: the line comes below it, on the other stream
      if (mode !== "quiet") stderr.write(`${redactSecrets(line)}\n`);
    },
    failure(thrown, debug) {
      const error = redactError(thrown);
      if (isJson) {
        const details = Object.keys(error.details).length === 0 ? {} : { details: error.details };
        const body = { code: error.code, message: error.message, hint: error.hint, docs: error.docsPath, ...details };
        stdout.write(`${toJson({ schemaVersion: SCHEMA_VERSION, status: "error", error: body })}\n`);
      } else {
        stderr.write(`${loud.red("error:")} ${error.message}\n`);
        if (error.hint !== "") stderr.write(`${loud.cyan("hint:")} ${error.hint}\n`);
        if (error.code !== "USAGE" && error.code !== "INTERRUPTED") stderr.write(loud.dim(`${error.code}, see ${error.docsPath}\n`));
      }
      if (debug) stderr.write(`${redactSecrets(stackOf(thrown))}\n`);
    },
  };
}

function toJson(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item !== "bigint") return item;
    return item >= BigInt(Number.MIN_SAFE_INTEGER) && item <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(item) : String(item);
  });
}

function lineCount(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

function stackOf(error: Error): string {
  const own = error.stack ?? String(error);
  return error.cause instanceof Error ? `${own}\ncaused by: ${stackOf(error.cause)}` : own;
}
