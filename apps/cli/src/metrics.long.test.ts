import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type Nexus } from "@ciphernx/ai/client";
import { sleep } from "@ciphernx/core/lifecycle";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Finished, finished, NEXUS, runNexus, startNexus } from "./testing/nexus-process.ts";

/** The program of util-linux that runs a command on a terminal of its own. */
const SCRIPT = "/usr/bin/script";

const ROWS = `age,pressure,smoker,outcome
6.1,1.41,yes,ill
3.5,,no,well
4.8,1.33,yes,ill
2.9,1.21,no,well
7.0,1.50,,ill
4.4,1.25,no,well
`;

const spec = (name: string, seed: number, rounds: number): string => `
version: 1
name: ${name}
seed: ${seed}
rounds: ${rounds}
protection: { kind: none }
data: { dataset: visits }
model: { kind: mlp, hidden: [4] }
train: { optimiser: { kind: sgd, learningRate: 0.1 }, batchSize: 4 }
evaluate: { every: 2 }
`;

let folder: string;
let client: Nexus;
let node: ReturnType<typeof startNexus>;
let nodeEnds: Promise<Finished>;
/** Ids of the runs by their names. */
const runs: Record<string, string> = {};
const at = (...parts: readonly string[]): string => join(folder, ...parts);

function nexus(...args: readonly string[]): Promise<Finished> {
  return runNexus(args, { env: { NEXUS_HOME: at("home") } });
}

async function quiet(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await nexus(...args, "--quiet");
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: "" });
  return stdout.trim();
}

async function finishedRun(text: string): Promise<string> {
  const run = await client.runs.start(text);
  await run.result();
  return run.id;
}

async function data(...args: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const { code, stdout, stderr } = await nexus(...args, "--json");
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: "" });
  return (JSON.parse(stdout) as { readonly data: Record<string, unknown> }).data;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nexus-metrics-"));
  await chmod(folder, 0o755); // as root, the database runs as another user, who must reach its files
  await writeFile(at("gappy.csv"), ROWS);
  await writeFile(at("visits.csv"), ROWS.replace(",,no", ",1.18,no").replace(",,ill", ",no,ill"));
  const url = await quiet("up", "--detach", "--port", "0");
  client = connect({ url, token: (await readFile(at("home", "owner.token"), "utf8")).trim() });
  const { token } = await client.nodes.createJoinToken({ approved: true });
  await quiet("node", "join", url, "--token", token, "--name", "clinic-a", "--folder", at("clinic-a"));
  const add = (name: string): Promise<string> =>
    quiet("dataset", "add", name, "--folder", at("clinic-a"), "--csv", at(`${name}.csv`), "--label", "outcome", "--hold-out", "0.34");
  await Promise.all(["visits", "gappy"].map(add));
  node = startNexus(["node", "run", "--folder", at("clinic-a"), "--quiet"]);
  nodeEnds = finished(node);
  while ((await client.datasets.list()).length < 2) await sleep(20);
  runs["first"] = await finishedRun(spec("first", 7, 3));
  runs["second"] = await finishedRun(spec("second", 8, 2));
});

afterAll(async () => {
  node.kill("SIGTERM");
  await nodeEnds;
  await client.close();
  await nexus("down");
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});

it("compares two runs, by their names or the beginnings of their ids", async () => {
  const [compared, itself, { stdout }, unknown, ambiguous] = await Promise.all([
    data("run", "compare", "first", runs["second"]!.slice(0, 12)),
    data("run", "compare", "first", "first", "--all"),
    nexus("run", "compare", "first", "second"),
    nexus("run", "compare", "frist", "second", "--json"),
    nexus("run", "show", "run_", "--json"),
  ]);
  expect(compared).toMatchObject({
    a: { id: runs["first"], name: "first", outcome: "completed" },
    b: { id: runs["second"], name: "second" },
    spec: expect.arrayContaining([
      { path: "seed", a: 7, b: 8, differs: true },
      { path: "rounds", a: 3, b: 2, differs: true },
    ]) as unknown,
    totals: { a: { rounds: 3 }, b: { rounds: 2 } },
    sameModel: false,
  });
  const names = (compared["metrics"] as readonly { readonly name: string }[]).map(({ name }) => name);
  expect(names).toEqual(["fit.loss", "fit.accuracy", "evaluated.loss", "evaluated.accuracy"]);
  expect(JSON.stringify(compared["spec"])).not.toContain("train.batchSize");
  expect(itself["spec"]).toContainEqual({ path: "train.batchSize", a: 4, b: 4, differs: false });
  expect(itself["sameModel"]).toBe(true);

  expect(stdout).toMatch(/^seed +7 +8$/m);
  expect(stdout).toMatch(/^rounds +3 +2$/m);
  expect(stdout).toMatch(/^METRIC +FINAL A +FINAL B +BEST A +BEST B$/m);
  expect(longestLine(stdout)).toBeLessThanOrEqual(80);

  expect({ code: unknown.code, envelope: JSON.parse(unknown.stdout) as unknown }).toMatchObject({
    code: 1,
    envelope: { error: { code: "RUN_NOT_FOUND", details: { nearest: [runs["first"]] } } },
  });
  expect(JSON.parse(ambiguous.stdout)).toMatchObject({ error: { code: "RUN_AMBIGUOUS", details: { candidates: [runs["second"], runs["first"]] } } });
});

it("exports a run's rounds as CSV, as lines of JSON and for TensorBoard", async () => {
  const [csv, unusable, board] = await Promise.all([
    data("run", "export", "first", "--output", at("rounds.csv")),
    nexus("run", "export", "first", "--output", at("no", "such", "folder.csv"), "--json"),
    quiet("run", "export", "first", "--format", "tensorboard", "--output", at("logs")),
    quiet("run", "export", "first", "--format", "jsonl", "--output", at("rounds.jsonl")),
  ]);
  expect(csv).toMatchObject({ run: runs["first"], format: "csv", rounds: 3 });
  const [head, ...lines] = (await readFile(at("rounds.csv"), "utf8")).trim().split("\n");
  expect(head).toContain("fit.loss,fit.accuracy,evaluated.loss,evaluated.accuracy");
  expect(lines.map((line) => line.split(",").slice(0, 3))).toEqual([1, 2, 3].map((round) => [runs["first"], String(round), "1"]));
  expect(JSON.parse(unusable.stdout)).toMatchObject({ error: { code: "FILE_UNUSABLE" } });

  const rows = (await readFile(at("rounds.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  const { rounds } = await client.runs.handle(runs["first"]!).show();
  const fits = rounds.map(({ metricsJson }) => (JSON.parse(metricsJson) as { readonly fit: { readonly loss: number } }).fit);
  expect(rows.map((row) => row["fit.loss"])).toEqual(fits.map(({ loss }) => loss));
  // Judged in round 2 and at the end.
  expect(rows.map((row) => row["evaluated.loss"])).toEqual([null, expect.any(Number), expect.any(Number)]);

  expect(await readdir(at("logs"))).toEqual([expect.stringMatching(/^events\.out\.tfevents\.\d{10}\..+\.run_[0-9a-z]{20}$/)]);
  expect((await readFile(board)).includes("brain.Event:2")).toBe(true);
  const other = await nexus("run", "export", "second", "--format", "tensorboard", "--output", at("logs"));
  expect(other).toMatchObject({ code: 0, stderr: expect.stringContaining("1 other event file in the folder") as string });
});

it("shows how much of a dataset is missing, and a model with its lineage", async () => {
  const first = await client.runs.get(runs["first"]!);
  const third = await finishedRun(`${spec("third", 9, 1)}checkpoint: ${first.modelHash}\n`);
  const [dataset, model, descendant] = await Promise.all([
    nexus("dataset", "show", "gappy@clinic-a"),
    nexus("model", "show", first.id),
    nexus("model", "show", third, "--json"),
  ]);
  expect(dataset.stdout).toContain("2 cells of features");
  expect(dataset.stdout).toMatch(/^pressure +feature +number +1, 16\.67%$/m);
  expect(dataset.stdout).toMatch(/^smoker +feature +category +1, 16\.67% +2: no, yes$/m);

  expect(model.stdout).toMatch(new RegExp(`^run +${first.id}$`, "m"));
  expect(model.stdout).toMatch(/^initial model +[0-9a-f]{64}$/m);
  expect(model.stdout).toMatch(/^clinic-a +4 +2 +3\/3 +[0-9a-f]{12}$/m);
  expect(model.stdout).toMatch(/^learnt from 4 training rows of 1 party$/m);
  expect(longestLine(model.stdout)).toBeLessThanOrEqual(80);
  expect(JSON.parse(descendant.stdout)).toMatchObject({
    data: { model: { card: { lineage: { run: third, initialModelHash: first.modelHash } } }, parent: first.modelId },
  });
});

it("says whose rows a run learnt from, and that every party of a plan is online", async () => {
  await writeFile(at("fourth.yaml"), spec("fourth", 10, 1));
  const [shown, told, planned] = await Promise.all([
    nexus("run", "show", "first"),
    data("run", "show", "first"),
    data("run", "plan", at("fourth.yaml")),
  ]);
  expect(shown.stdout).toMatch(/^learnt from +1 party$/m);
  expect(told["learntFrom"]).toEqual([{ party: "clinic-a", rounds: 3 }]);
  expect(planned["offline"]).toEqual([]);
});

it("draws charts for a person at a terminal, and for nobody else", async (context) => {
  for (const { stdout } of await Promise.all([nexus("run", "show", "first"), nexus("run", "watch", "first")])) {
    expect(stdout).toContain("first");
    expect(stdout).not.toMatch(/[\u001B\u2800-\u28FF]/);
  }
  if (process.platform !== "linux" || !existsSync(SCRIPT)) {
    console.log(`not tried on a terminal: there is no ${SCRIPT} of util-linux`);
    context.skip();
  }
  const onTerminal = async (args: string, env: Readonly<Record<string, string>> = {}): Promise<string> => {
    const child = spawn(SCRIPT, ["-qec", `stty cols 80 rows 40 && '${process.execPath}' '${NEXUS}' ${args}`, "/dev/null"], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], NEXUS_HOME: at("home"), TERM: "xterm", ...env },
    });
    const { code, stdout } = await finished(child);
    expect({ args, code }).toEqual({ args, code: 0 });
    return stdout;
  };
  const [shown, watched] = await Promise.all([onTerminal("run show first"), onTerminal("run watch first", { NO_COLOR: "1" })]);
  for (const text of [shown, watched]) expect(text).toMatch(/[\u2801-\u28FF]/);
  expect(shown).toContain("\u001B[36m");
  expect(watched).not.toMatch(/\u001B\[\d+m/);
});

function longestLine(text: string): number {
  return Math.max(...text.split("\n").map(({ length }) => length));
}
