import { mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { NexusError } from "@ciphernx/core/errors";
import { nameSchema, sha256Schema } from "@ciphernx/core/spec";
import { z } from "zod";
import { daySchema } from "../../data/terms.ts";

const SUFFIX = ".json";

const approvalSchema = z.strictObject({
  formatVersion: z.literal(1),
  dataset: nameSchema,
  /** What was approved: this spec, whole. */
  specHash: sha256Schema,
  /** The run's name, when the spec was at hand. */
  name: nameSchema.optional(),
  approvedAt: z.iso.datetime(),
  /** The last day (UTC) on which it holds. */
  until: daySchema.optional(),
  /** The roster as the node had seen it: whoever was not on it then is not approved. */
  roster: z.strictObject({ version: z.int().min(1), hash: sha256Schema }).optional(),
});

/** That the owner of a dataset lets a run learn from it. */
export type Approval = Omit<z.output<typeof approvalSchema>, "formatVersion">;

/**
 * Approvals in a node's folder: `approvals/DATASET/SPECHASH.json`, one file each, so that no act can lose another. Written and removed
 * durably: what was told to be done holds after a power cut.
 */
export interface Approvals {
  /** Undefined when there is none. @throws NexusError NODE_FOLDER_INVALID when the file is damaged */
  read(dataset: string, specHash: string): Promise<Approval | undefined>;
  /** All of a dataset, by when they were made. */
  list(dataset: string): Promise<readonly Approval[]>;
  /** Replaces an earlier approval of the same spec. */
  write(approval: Approval): Promise<void>;
  /** @returns whether there was one */
  remove(dataset: string, specHash: string): Promise<boolean>;
}

export function folderApprovals(nodeFolder: string): Approvals {
  const folderOf = (dataset: string) => join(nodeFolder, "approvals", nameSchema.parse(dataset));
  const pathOf = (dataset: string, specHash: string) => join(folderOf(dataset), sha256Schema.parse(specHash) + SUFFIX);

  async function read(dataset: string, specHash: string): Promise<Approval | undefined> {
    const path = pathOf(dataset, specHash);
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw damaged(path, error);
    }
    const { formatVersion: _, ...approval } = parse(text, path);
    if (approval.dataset !== dataset || approval.specHash !== specHash) throw damaged(path, new Error("It approves something else."));
    return approval;
  }

  return {
    read,
    async list(dataset) {
      const names = await readdir(folderOf(dataset)).catch((error: unknown) => {
        if (isMissing(error)) return [];
        throw damaged(folderOf(dataset), error);
      });
      const hashes = names.filter((name) => name.endsWith(SUFFIX)).map((name) => name.slice(0, -SUFFIX.length));
      const found = await Promise.all(hashes.filter((hash) => sha256Schema.safeParse(hash).success).map((hash) => read(dataset, hash)));
      return found.filter((approval) => approval !== undefined).toSorted((a, b) => (a.approvedAt < b.approvedAt ? -1 : 1));
    },
    async write(approval) {
      const folder = folderOf(approval.dataset);
      const path = pathOf(approval.dataset, approval.specHash);
      const draft = `${path}.${process.pid}.draft`;
      const made = await mkdir(folder, { recursive: true, mode: 0o700 });
      try {
        await writeFile(draft, `${JSON.stringify({ formatVersion: 1, ...approval }, null, 2)}\n`, { mode: 0o600, flush: true });
        await rename(draft, path);
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
      await syncFolder(folder);
      if (made === undefined) return;
      await syncFolder(join(folder, ".."));
      await syncFolder(nodeFolder);
    },
    async remove(dataset, specHash) {
      try {
        await rm(pathOf(dataset, specHash));
      } catch (error) {
        if (isMissing(error)) return false;
        throw error;
      }
      await syncFolder(folderOf(dataset));
      return true;
    },
  };
}

function parse(text: string, path: string): z.output<typeof approvalSchema> {
  try {
    return approvalSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw damaged(path, cause);
  }
}

function damaged(path: string, cause: unknown): NexusError {
  return new NexusError("NODE_FOLDER_INVALID", `${path} cannot be read as an approval.`, {
    hint: "Remove the file, then approve the run again with `nexus dataset approve`.",
    details: { file: path },
    cause,
  });
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}
