import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { NexusError } from "@ciphernx/core/errors";
import { isMissing } from "../durable-file.ts";
import { type JournalEntry, type SumJournal, sumName } from "./sum-journal.ts";

const NAME = /^[A-Za-z0-9_-]{1,128}$/;
const ANSWER = ".answer";
const VECTOR = ".masked";

/** A journal in a node's folder: `sums/RUN.jsonl`, the last masked vector of each run, and answers that may not have arrived; readable for the owner alone. */
export function folderSumJournal(nodeFolder: string): SumJournal {
  const folder = join(nodeFolder, "sums");
  const pathOf = (name: string, ending: string) => join(folder, `${checked(name)}${ending}`);

  async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const draft = `${path}.draft`;
    {
      await using file = await open(draft, "w", 0o600);
      await file.writeFile(bytes);
      await file.sync();
    }
    await rename(draft, path);
    await syncFolder();
  }

  async function syncFolder(): Promise<void> {
    await using directory = await open(folder, "r");
    await directory.sync();
  }

  async function names(): Promise<readonly string[]> {
    return readdir(folder).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
  }

  return {
    async entries(run) {
      const text = await readFile(pathOf(run, ".jsonl"), "utf8").catch((error: unknown) => {
        if (isMissing(error)) return "";
        throw error;
      });
      return text.split("\n").flatMap((line) => {
        try {
          return [JSON.parse(line) as JournalEntry];
        } catch {
          return []; // the end of the file, or a line that a power cut left unfinished: what it spoke of had not left yet
        }
      });
    },

    async append(entry) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const path = pathOf(entry.run, ".jsonl");
      {
        await using file = await open(path, "a", 0o600);
        // A line that a power cut left unfinished stays alone.
        await file.appendFile(`\n${JSON.stringify(entry)}`);
        await file.sync();
      }
      await syncFolder();
    },

    async keepVector(sum, bytes) {
      const kept = pathOf(sumName(sum), VECTOR);
      await writeDurably(kept, bytes);
      const others = (await names()).filter((name) => name.startsWith(`${sum.run}.`) && name.endsWith(VECTOR) && join(folder, name) !== kept);
      for (const name of others) await rm(join(folder, name), { force: true });
    },

    async vector(sum) {
      return readFile(pathOf(sumName(sum), VECTOR)).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw error;
      });
    },

    async keepAnswer({ taskId, message }) {
      await writeDurably(pathOf(taskId, ANSWER), message);
    },

    async answers() {
      const kept = (await names()).filter((name) => name.endsWith(ANSWER));
      return Promise.all(kept.map(async (name) => ({ taskId: name.slice(0, -ANSWER.length), message: await readFile(join(folder, name)) })));
    },

    async forgetAnswer(taskId) {
      await rm(pathOf(taskId, ANSWER), { force: true });
    },
  };
}

/** An id names a file; one that a coordinator made up to lead elsewhere does not. */
function checked(name: string): string {
  if (name.split(".").every((part) => NAME.test(part))) return name;
  throw new NexusError("MESSAGE_INVALID", `The task names ${JSON.stringify(name.slice(0, 128))}, which is no id.`);
}
