import { open, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Where a node's folder keeps them. */
const FILE = "decisions.jsonl";

/** Something that the owner of a dataset decided, or that the node decided by its terms. */
export interface Decision {
  readonly act: "approved" | "revoked" | "refused" | "terms-changed";
  readonly dataset: string;
  readonly specHash?: string;
  readonly run?: string;
  readonly round?: number;
  /** Last day of an approval. */
  readonly until?: string;
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
  await using file = await open(join(nodeFolder, FILE), "a+", 0o600);
  const { size } = await file.stat();
  const { buffer } = size === 0 ? { buffer: Buffer.from("\n") } : await file.read(Buffer.alloc(1), 0, 1, size - 1);
  // A line that a power cut left unfinished stays alone.
  await file.appendFile(`${buffer.toString() === "\n" ? "" : "\n"}${JSON.stringify(logged)}\n`);
  await file.sync();
}

/** The decisions of a node's folder, oldest first; lines that are none are passed over. */
export async function readDecisions(nodeFolder: string): Promise<readonly LoggedDecision[]> {
  const text = await readFile(join(nodeFolder, FILE), "utf8").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  });
  return text.split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line) as LoggedDecision];
    } catch {
      return []; // the end of the file, or a line that a power cut left unfinished
    }
  });
}
