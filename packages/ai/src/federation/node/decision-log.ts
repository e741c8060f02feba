import { renameSync, statSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { redactJson } from "@ciphernx/core/identity/redact";

/** Where a node's folder keeps them. */
const FILE = "decisions.jsonl";
/** What was in the log before it was begun anew. */
const OLDER_FILE = "decisions.old.jsonl";
/** Some twenty thousand refusals. */
const MAX_LOG_BYTES = 10_000_000;

/** Something that the owner of a dataset decided, or that the node decided by its terms. */
export interface Decision {
  readonly act: "approved" | "revoked" | "refused" | "terms-changed";
  readonly dataset: string;
  readonly specHash?: string;
  readonly run?: string;
  readonly round?: number;
  /** Last day of an approval. */
  readonly until?: string;
  /** The roster that an approval names. */
  readonly roster?: { readonly version: number; readonly hash: string };
  /** Of a refusal. */
  readonly code?: string;
  readonly reason?: string;
  /** The terms from then on; null: none. */
  readonly terms?: unknown;
}

/** A decision as the log has it. */
export interface LoggedDecision extends Decision {
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** Appends decisions to `decisions.jsonl` in a node's folder, one JSON object a line; each is on the disk when it returns. */
export async function logDecision(nodeFolder: string, decision: Decision): Promise<void> {
  const logged: LoggedDecision = { at: new Date().toISOString(), ...decision };
  const line = redactJson(JSON.stringify(logged)); // a reason may quote what a coordinator sent
  await using file = await open(join(nodeFolder, FILE), "a+", 0o600);
  const { size } = await file.stat();
  const { buffer } = size === 0 ? { buffer: Buffer.from("\n") } : await file.read(Buffer.alloc(1), 0, 1, size - 1);
  // A line that a power cut left unfinished stays alone.
  await file.appendFile(`${buffer.toString() === "\n" ? "" : "\n"}${line}\n`);
  await file.sync();
}

/**
 * Begins the log anew where it has become long, keeping the one before it: a coordinator that asks again and again must not fill the disk.
 * Only the process that holds the node's folder may do so, and it does it in one go, so that no second one moves the new log over the old;
 * a line that a command appends meanwhile goes to whichever file it had opened.
 * @param maxBytes size from which it is long
 */
export function rotateDecisions(nodeFolder: string, maxBytes = MAX_LOG_BYTES): void {
  const path = join(nodeFolder, FILE);
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size >= maxBytes) renameSync(path, join(nodeFolder, OLDER_FILE));
}

/** The decisions of a node's folder, oldest first, those of the log before this one included; lines that are none are passed over. */
export async function readDecisions(nodeFolder: string): Promise<readonly LoggedDecision[]> {
  const [older, current] = [await readLog(join(nodeFolder, OLDER_FILE)), await readLog(join(nodeFolder, FILE))];
  return `${older}\n${current}`.split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line) as LoggedDecision];
    } catch {
      return []; // the end of the file, or a line that a power cut left unfinished
    }
  });
}

async function readLog(path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  });
}
