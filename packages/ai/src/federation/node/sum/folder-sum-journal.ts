import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { NexusError } from "@ciphernx/core/errors";
import { isMissing } from "../durable-file.ts";
import { type JournalEntry, type SumJournal, sumName, unfinished } from "./sum-journal.ts";

const PART = /^[A-Za-z0-9_-]{1,128}$/;
const ENTRIES = ".jsonl";
const VECTOR = ".masked";

/** A journal in a node's folder: `sums/RUN.jsonl` and the last masked vector of each run, readable for the owner alone. */
export function folderSumJournal(nodeFolder: string): SumJournal {
  const folder = join(nodeFolder, "sums");
  const pathOf = (name: string, ending: string) => join(folder, `${checked(name)}${ending}`);

  async function syncFolder(): Promise<void> {
    await using directory = await open(folder, "r");
    await directory.sync();
  }

  async function names(ending: string): Promise<readonly string[]> {
    const all = await readdir(folder).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
    return all.filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length));
  }

  async function entries(run: string): Promise<readonly JournalEntry[]> {
    const text = await readFile(pathOf(run, ENTRIES), "utf8").catch((error: unknown) => {
      if (isMissing(error)) return "";
      throw error;
    });
    // A line that is none is one that a power cut left unfinished: what it speaks of had not left yet.
    return text.split("\n").flatMap((line) => parsed(line) ?? []);
  }

  return {
    entries,

    async append(entry) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await using file = await open(pathOf(entry.run, ENTRIES), "a", 0o600);
      const isNew = (await file.stat()).size === 0;
      // A line that a power cut left unfinished stays alone.
      await file.appendFile(
        `\n${JSON.stringify(entry.step === "answered" ? { ...entry, message: Buffer.from(entry.message).toString("base64") } : entry)}`,
      );
      if (isNew) await syncFolder();
      if (entry.step === "answered") await file.sync();
    },

    async keepVector(sum, bytes) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const before = (await names(VECTOR)).filter((name) => name.startsWith(`${sum.run}.`) && name !== sumName(sum));
      const path = pathOf(sumName(sum), VECTOR);
      {
        await using file = await open(`${path}.draft`, "w", 0o600);
        await file.writeFile(bytes);
        await file.sync();
      }
      await rename(`${path}.draft`, path);
      for (const name of before) await rm(join(folder, `${name}${VECTOR}`), { force: true });
      await syncFolder();
    },

    async vector(sum) {
      return readFile(pathOf(sumName(sum), VECTOR)).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw error;
      });
    },

    async unfinished() {
      const runs = await names(ENTRIES);
      return (await Promise.all(runs.map(entries))).flatMap(unfinished);
    },
  };
}

function parsed(line: string): JournalEntry | undefined {
  try {
    const entry = JSON.parse(line) as JournalEntry & { readonly message?: unknown };
    return typeof entry.message === "string" ? ({ ...entry, message: Uint8Array.from(Buffer.from(entry.message, "base64")) } as JournalEntry) : entry;
  } catch {
    return undefined;
  }
}

/** An id names a file; one that a coordinator made up to lead elsewhere does not. */
function checked(name: string): string {
  if (name.split(".").every((part) => PART.test(part))) return name;
  throw new NexusError("MESSAGE_INVALID", `The task names ${JSON.stringify(name.slice(0, 128))}, which is no id.`);
}
