import { chmod, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { finished, runNexus, startNexus } from "../testing/nexus-process.ts";

interface DemoData {
  readonly modelHash: string;
  readonly roster: {
    readonly founder: string;
    readonly organisations: readonly { readonly name: string; readonly key: string; readonly nodes: readonly { name: string; key: string }[] }[];
    readonly invitations: readonly unknown[];
  };
}

const PARTIES = Array.from({ length: 10 }, (_, index) => `party-${String(index + 1).padStart(2, "0")}`);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nexus-show-mnist-"));
  await chmod(folder, 0o755); // as root, the database runs as another user, who must reach its files
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));

const options = () => ({ env: { TMPDIR: folder } });
const stages = async () => (await readdir(folder)).filter((name) => name.startsWith("nexus-demo-"));

/** Processes with a file of the folder in their command line: coordinator, database, nodes. */
async function processesOfFolder(): Promise<readonly string[]> {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, "utf8").catch(() => ""))); // it has ended since
  return lines.filter((line) => line.includes(`${folder}/nexus-demo-`));
}

async function untilNoProcess(): Promise<void> {
  while ((await processesOfFolder()).length > 0) await new Promise((resolve) => setTimeout(resolve, 100));
}

/** A demo that has started all that it starts. */
async function demoInRun() {
  const demo = startNexus(["demo", "--rounds", "200", "--output", join(folder, "unreached")], options());
  demo.stdin.end();
  const lines: string[] = [];
  for await (const line of createInterface({ input: demo.stdout })) {
    lines.push(line);
    if (line.startsWith("round ")) break;
  }
  demo.stdout.resume();
  expect(lines).toContainEqual(expect.stringContaining("10 organisations signed a roster, each with its key in its own folder"));
  // Coordinator, database and ten nodes.
  expect((await processesOfFolder()).length).toBeGreaterThanOrEqual(12);
  return demo;
}

/** Whose the nodes of a demo are, as their folders say, and how many parties each knows from its roster. */
async function nodesOf(stage: string): Promise<readonly (readonly [node: string, organisation: string, nodesOnRoster: number])[]> {
  const parties = join(folder, stage, "parties");
  const read = async (...path: readonly string[]): Promise<unknown> => JSON.parse(await readFile(join(parties, ...path), "utf8"));
  return Promise.all(
    (await readdir(parties)).toSorted().map(async (name) => {
      const { organisation } = (await read(name, "organisation.json")) as { readonly organisation: string };
      const entries = (await read(name, "roster.json")) as readonly { readonly act: { readonly kind: string } }[];
      return [name, organisation, entries.filter(({ act }) => act.kind === "node-added").length] as const;
    }),
  );
}

describe("the demo of ten parties", () => {
  it("has each party sign for its node", { timeout: 240_000 }, async () => {
    const { code, stdout, stderr } = await runNexus(["demo", "--rounds", "1", "--json", "--output", join(folder, "model")], options());
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    const { data } = JSON.parse(stdout) as { readonly data: DemoData };
    expect(data.modelHash).toMatch(/^[0-9a-f]{64}$/);
    const { founder, organisations, invitations } = data.roster;
    expect(founder).toBe("party-01");
    expect(organisations.map(({ name, nodes }) => [name, nodes.map((node) => node.name)])).toEqual(PARTIES.map((name) => [name, [name]]));
    expect(new Set(organisations.flatMap(({ key, nodes }) => [key, ...nodes.map((node) => node.key)])).size).toBe(20);
    expect(invitations).toEqual([]);
    expect(await stages()).toEqual([]);
    await untilNoProcess();
  });

  it("anchors each node to its organisation, and leaves neither processes nor files after an interruption", { timeout: 240_000 }, async () => {
    const demo = await demoInRun();
    const [stage] = await stages();
    expect(await nodesOf(stage!)).toEqual(PARTIES.map((name) => [name, name, 10]));
    const end = finished(demo);
    demo.kill("SIGINT");
    expect(await end).toMatchObject({ code: 130 });
    expect(await stages()).toEqual([]);
    await untilNoProcess();
  });

  it("leaves no process when it is killed, and its files to the next demo", { timeout: 240_000 }, async () => {
    const demo = await demoInRun();
    const end = finished(demo);
    demo.kill("SIGKILL");
    expect(await end).toMatchObject({ signal: "SIGKILL" });
    await untilNoProcess();
    const left = await stages();
    expect(left).toHaveLength(1);
    const next = await demoInRun();
    expect(await stages()).not.toContain(left[0]);
    next.kill("SIGINT");
    await finished(next);
    expect(await stages()).toEqual([]);
  });
});
