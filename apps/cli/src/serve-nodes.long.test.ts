import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { describe, expect, it } from "vitest";
import { runNexus, startNexus } from "./testing/nexus-process.ts";

describe("one process that serves several nodes", () => {
  it(
    "takes part for each of its folders, refuses what needs more memory than it may have, and outlives one that is removed",
    { timeout: 120_000 },
    async () => {
      await using folder = await temporaryFolder();
      const env = { NEXUS_HOME: join(folder.path, "home") };
      const nexus = async (...args: readonly string[]) => JSON.parse((await runNexus([...args, "--json"], { env })).stdout) as Envelope;
      const { data: up } = await nexus("up", "--detach", "--port", "0");
      try {
        const folders: string[] = [];
        for (const name of ["clinic-a", "clinic-b"]) {
          const at = join(folder.path, name);
          folders.push(at);
          const { data } = await nexus("node", "token", "--approved");
          await nexus("node", "join", String(up!["url"]), "--token", String(data!["token"]), "--name", name, "--folder", at);
          const csv = join(folder.path, `${name}.csv`);
          await writeFile(csv, `age,outcome\n${Array.from({ length: 16 }, (_, row) => `${30 + row},${row % 2 === 0 ? "ill" : "well"}\n`).join("")}`);
          await nexus("dataset", "add", "visits", "--folder", at, "--csv", csv, "--label", "outcome");
        }
        const child = startNexus(["node", "run", "--jsonl", "--memory", "700MiB", ...folders.flatMap((at) => ["--folder", at])], { env });
        const events: Record<string, unknown>[] = [];
        const lines = createInterface({ input: child.stdout });
        const until = async (isSo: () => boolean): Promise<void> => {
          while (!isSo()) await once(lines, "line");
        };
        lines.on("line", (line) => events.push(JSON.parse(line) as Record<string, unknown>));
        const of = (type: string) => events.filter((event) => event["type"] === type);
        await until(() => of("connected").length === 2);
        expect(new Set(of("connected").map((event) => event["node"])).size).toBe(2);

        const spec = (...hidden: readonly number[]) =>
          JSON.stringify({
            ...{
              version: 1,
              name: `visits-${hidden[0]}`,
              seed: 1,
              data: { dataset: "visits" },
              model: { kind: "mlp", hidden },
              protection: { kind: "none" },
              rounds: 1,
            },
            ...{ train: { optimiser: { kind: "sgd", learningRate: 0.1 }, batchSize: 4 }, cohort: { deadlineSeconds: 20, attempts: 1 } },
          });
        const small = join(folder.path, "small.json");
        await writeFile(small, spec(4));
        expect(await nexus("run", "start", small)).toMatchObject({ status: "ok" });
        const large = join(folder.path, "large.json");
        await writeFile(large, spec(4000, 4000));
        const refused = await nexus("run", "start", large);
        expect(refused).toMatchObject({ status: "error" });
        await until(() => of("answered").filter((event) => event["code"] === "NODE_LIMIT").length === 2);

        await nexus("node", "remove", "clinic-a", "--yes");
        await until(() => of("ended").length === 1);
        expect(of("ended")).toMatchObject([{ code: "NODE_REMOVED" }]);
        expect(child.exitCode).toBeNull();
        const ended = once(child, "exit");
        child.kill("SIGTERM");
        await ended;
      } finally {
        await nexus("down");
      }
    },
  );
});

interface Envelope {
  readonly status: string;
  readonly data?: Readonly<Record<string, unknown>>;
}
