import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { NexusError } from "@ciphernx/core/errors";
import { decodeParameters, encodeSafetensors } from "../../tensor/index.ts";
import { isBefore, type KeptAfter, type KeptValues, keyOf } from "./kept-values.ts";

const FILE = /^([0-9]+)\.([0-9]+)\.safetensors$/;

/**
 * Values in a node's folder: `kept/RUN/ROUND.ATTEMPT.safetensors`, readable for the owner alone. The last file of a run stays: it is
 * the party's own part of the run's model.
 */
export function folderKeptValues(nodeFolder: string): KeptValues {
  const folderOf = (runId: string) => join(nodeFolder, "kept", folderName(runId));
  return {
    async read(runId, after) {
      const path = join(folderOf(runId), fileName(after));
      try {
        return { values: decodeParameters(await readFile(path)) };
      } catch (error) {
        if (isMissing(error)) return { lost: `there is no ${path}` };
        if (error instanceof NexusError) return { lost: `${path} cannot be used: ${error.message}` };
        throw error;
      }
    },
    async write(runId, after, values) {
      const folder = folderOf(runId);
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeDurably(folder, fileName(after), encodeSafetensors(values));
      } catch (cause) {
        throw new NexusError("TRAINER_FAILED", `What the party keeps to itself cannot be written to ${folder}: ${String(cause)}`, {
          hint: "Make room, or let the node write to its folder; it keeps its own values there from round to round.",
          cause,
        });
      }
    },
    async forgetBefore(runId, after) {
      const folder = folderOf(runId);
      for (const { name, kept } of await filesOf(folder)) if (isBefore(kept, after)) await rm(join(folder, name), { force: true });
    },
  };
}

function fileName(after: KeptAfter): string {
  return `${keyOf(after)}.safetensors`;
}

/** A run's id names a folder; one that a coordinator made up to lead elsewhere does not. */
function folderName(runId: string): string {
  if (/^[A-Za-z0-9_-]{1,128}$/.test(runId)) return runId;
  throw new NexusError("MESSAGE_INVALID", `The task names the run ${JSON.stringify(runId.slice(0, 128))}, which is no id.`);
}

async function filesOf(folder: string): Promise<readonly { readonly name: string; readonly kept: KeptAfter }[]> {
  let names: readonly string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  return names.flatMap((name) => {
    const [, round, attempt] = FILE.exec(name) ?? [];
    return round === undefined ? [] : [{ name, kept: { round: Number(round), attempt: Number(attempt) } }];
  });
}

/** Either the old or the new file is there after a crash, never half of one. */
async function writeDurably(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const draft = join(folder, `${name}.draft`);
  {
    await using file = await open(draft, "w", 0o600);
    await file.writeFile(bytes);
    await file.sync();
  }
  await rename(draft, join(folder, name));
  await using directory = await open(folder, "r");
  await directory.sync();
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
