import { mkdir, readdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import type { Run } from "@ciphernx/protocol/proto";
import type { RoundRow } from "../runs/round-row.ts";
import type { ExportFormat } from "./formats.ts";
import { exportedRows, formatCsv, formatJsonLines } from "./rows.ts";
import { encodeEventFile, EVENT_FILE_PREFIX, eventFileName, roundEvent } from "./tensorboard.ts";

export interface ExportOptions {
  readonly run: Pick<Run, "id" | "createdAt">;
  /** In the order of the rounds. */
  readonly rows: readonly RoundRow[];
  readonly format: ExportFormat;
  /** The file; for TensorBoard the folder, which is made. */
  readonly path: string;
}

/** What was written. */
export interface WrittenExport {
  /** Absolute. */
  readonly file: string;
  readonly sizeBytes: number;
  /** Event files of other runs in the folder: TensorBoard draws all of a folder as one run. */
  readonly strangers: readonly string[];
}

/** Writes a run's rounds to a file, over what was there. */
export async function writeExport({ run, rows, format, path }: ExportOptions): Promise<WrittenExport> {
  if (format !== "tensorboard") {
    const exported = exportedRows(run.id, rows);
    const bytes = Buffer.from(format === "csv" ? formatCsv(exported) : formatJsonLines(exported));
    return write(resolve(path), bytes, []);
  }
  const folder = resolve(path);
  await mkdir(folder, { recursive: true });
  const startedAt = new Date(run.createdAt);
  const name = eventFileName({ id: run.id, startedAt }, hostname());
  const strangers = (await readdir(folder)).filter((other) => other.startsWith(EVENT_FILE_PREFIX) && other !== name);
  return write(join(folder, name), encodeEventFile(startedAt, rows.map(roundEvent)), strangers);
}

async function write(file: string, bytes: Uint8Array, strangers: readonly string[]): Promise<WrittenExport> {
  await writeFile(file, bytes);
  return { file, sizeBytes: bytes.length, strangers };
}
