import type { Colours } from "../output/index.ts";

/** One line of a log, read. */
export interface LogEntry {
  readonly level: number;
  readonly time: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Levels of pino, by name. */
export const LEVELS = { debug: 20, info: 30, warn: 40, error: 50 } as const;
export type Level = keyof typeof LEVELS;

/** Reads a line; undefined for one that is no entry, such as what a crash left half written. */
export function parseEntry(line: string): LogEntry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { level, time, msg = "" } = value as Record<string, unknown>;
  return typeof level === "number" && typeof time === "string" && typeof msg === "string" ? { ...value, level, time, msg } : undefined;
}

/** `2026-11-23T16:00:00.000Z  WARN  Stale uploads could not be discarded.  run=run_4kz7`; control characters are shown, not obeyed. */
export function formatEntry({ level, time, msg, ...fields }: LogEntry, { dim, red, yellow, cyan }: Colours): string {
  const name = level >= LEVELS.error ? red("ERROR") : level >= LEVELS.warn ? yellow("WARN ") : level >= LEVELS.info ? cyan("INFO ") : dim("DEBUG");
  const told = Object.entries(fields).map(([key, value]) => dim(`${key}=${shown(value)}`));
  return [dim(time), name, visible(msg), ...told].join("  ");
}

function shown(value: unknown): string {
  if (typeof value === "string") return visible(value);
  // pino writes errors as type, message and stack; the stack is in --json.
  if (typeof value === "object" && value !== null && "message" in value && typeof value.message === "string") return JSON.stringify(value.message);
  return visible(JSON.stringify(value));
}

function visible(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001F\u007F-\u009F]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
