import { join } from "node:path";
import { NexusError } from "@ciphernx/core/errors";
import { publicKeySchema, readRoster, type Roster } from "@ciphernx/core/roster";
import { nameSchema } from "@ciphernx/core/spec";
import { z } from "zod";
import { readIfThere, writeDurably } from "./durable-file.ts";
import type { RosterAnchor } from "./follow-roster.ts";

const ANCHOR_FILE = "organisation.json";
const ROSTER_FILE = "roster.json";

const anchorSchema = z.strictObject({
  formatVersion: z.literal(1),
  /** The organisation whose node this is. */
  organisation: nameSchema,
  /** A key that it has or had; what the roster says of it has to begin there. */
  key: publicKeySchema,
  project: z.string().min(1),
});

/** Undefined when nobody said whose node it is. @throws NexusError NODE_FOLDER_INVALID */
export async function readAnchor(nodeFolder: string): Promise<RosterAnchor | undefined> {
  const path = join(nodeFolder, ANCHOR_FILE);
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  try {
    const { formatVersion: _, ...anchor } = anchorSchema.parse(JSON.parse(text));
    return anchor;
  } catch (cause) {
    throw damaged(path, "whose node this is", cause);
  }
}

export async function writeAnchor(nodeFolder: string, anchor: RosterAnchor): Promise<void> {
  await writeDurably(join(nodeFolder, ANCHOR_FILE), `${JSON.stringify({ formatVersion: 1, ...anchor }, null, 2)}\n`, 0o644);
}

/** The roster as the node saw it last, verified; undefined before it saw any. @throws NexusError NODE_FOLDER_INVALID */
export async function readKeptRoster(nodeFolder: string): Promise<Roster | undefined> {
  const path = join(nodeFolder, ROSTER_FILE);
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  try {
    return await readRoster(z.array(z.unknown()).parse(JSON.parse(text)));
  } catch (cause) {
    throw damaged(path, "who is on the roster", cause);
  }
}

export async function keepRoster(nodeFolder: string, { entries }: Roster): Promise<void> {
  await writeDurably(join(nodeFolder, ROSTER_FILE), `[\n${entries.map((entry) => JSON.stringify(entry)).join(",\n")}\n]\n`, 0o644);
}

function damaged(path: string, what: string, cause: unknown): NexusError {
  return new NexusError("NODE_FOLDER_INVALID", `${path} does not say ${what}.`, {
    hint: "Restore the file, or have the organisation sign for the node again: `nexus node approve NAME --org FOLDER --folder DIR`.",
    cause,
  });
}
