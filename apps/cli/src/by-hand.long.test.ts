import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { finished, runNexus, startNexus } from "./testing/nexus-process.ts";

const SPEC = `
version: 1
name: by-hand
seed: 7
rounds: 2
protection: { kind: none }
data: { dataset: digits }
model: { kind: mlp, hidden: [16] }
train: { batchSize: 32, optimiser: { kind: sgd, learningRate: 0.1 } }
evaluate: { every: 0 }
simulation: { source: mnist, parties: 2, partition: { kind: iid }, examplesPerParty: 200 }
`;

let folder: string;
const at = (...parts: readonly string[]): string => join(folder, ...parts);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nexus-by-hand-"));
  await chmod(folder, 0o755); // as root, the database runs as another user, who must reach its files
  await writeFile(at("run.yaml"), SPEC);
});

afterAll(async () => {
  await runNexus(["down", "--home", at("home")]);
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});

async function nexus(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runNexus([...args, "--quiet"], { env: { NEXUS_HOME: at("home") } });
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: "" });
  return stdout.trim();
}

it("makes by hand the model that the simulation makes alone", { timeout: 120_000 }, async () => {
  const url = await nexus("up", "--detach", "--port", "0");
  const parties = (await nexus("dataset", "split", at("run.yaml"), "--output", at("parties"))).split("\n");
  expect(parties).toEqual([at("parties/party-01"), at("parties/party-02")]);
  for (const [index, party] of parties.entries()) {
    const token = await nexus("node", "token", "--approved");
    await nexus("node", "join", url, "--token", token, "--name", `party-0${index + 1}`, "--folder", party);
  }
  const nodes = parties.map((party) => startNexus(["node", "run", "--folder", party, "--quiet"], { env: { NEXUS_HOME: at("home") } }));
  const ends = nodes.map((node) => finished(node));
  while ((await nexus("dataset", "list")).split("\n").filter((id) => id !== "").length < 2);

  const started = await runNexus(["run", "start", at("run.yaml"), "--key", "once", "--jsonl"], { env: { NEXUS_HOME: at("home") } });
  expect(started.code).toBe(0);
  const lines = started.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  expect(lines.slice(0, -1).map(({ number }) => number)).toEqual(lines.slice(0, -1).map((_, index) => index + 1));
  expect(lines.map(({ type }) => type)).toEqual([
    "run-started",
    "round-opened",
    "round-committed",
    "round-opened",
    "round-committed",
    "run-finished",
    undefined,
  ]);
  const { run, modelHash } = lines.at(-1)!["data"] as { readonly run: string; readonly modelHash: string };

  expect(await nexus("run", "start", at("run.yaml"), "--key", "once", "--detach")).toBe(run);
  expect(await nexus("run", "logs", run, "--after", "4")).toBe("5\n6");
  await nexus("run", "pull", run, "--output", at("model.safetensors"));
  expect(
    createHash("sha256")
      .update(await readFile(at("model.safetensors")))
      .digest("hex"),
  ).toBe(modelHash);
  expect(JSON.parse(await readFile(at("model.card.json"), "utf8"))).toMatchObject({ version: 1 });
  const images = (await readdir(parties[0]!, { recursive: true })).find((name) => name.endsWith("train-features.idx"))!;
  await nexus("predict", at("model.safetensors"), "--data", join(parties[0]!, images), "--output", at("judged.csv"));
  const judged = (await readFile(at("judged.csv"), "utf8")).trimEnd().split("\n");
  expect(judged).toHaveLength(1 + 200);
  expect(judged[0]).toMatch(/^row,prediction,probability 0,.*,probability 9$/);
  expect((await nexus("predict", run, "--data", join(parties[0]!, images))).split("\n")).toEqual(judged);
  expect(await nexus("sim", at("run.yaml"), "--workers", "1")).toBe(modelHash);

  await nexus("model", "export", at("model.safetensors"), "--output", at("model.onnx"));
  const onward = await nexus("run", "start", at("run.yaml"), "--checkpoint", at("model.onnx"), "--detach");
  await nexus("run", "watch", onward);
  await nexus("run", "pull", onward, "--output", at("onward.safetensors"));
  expect(JSON.parse(await readFile(at("onward.card.json"), "utf8"))).toMatchObject({ lineage: { initialModelHash: modelHash } });

  for (const node of nodes) node.kill("SIGTERM");
  expect((await Promise.all(ends)).map(({ code }) => code)).toEqual([0, 0]);

  const forPeople = (...args: readonly string[]) => runNexus(args, { env: { NEXUS_HOME: at("home") } });
  const shown = (await forPeople("run", "show", run)).stdout.split("\n");
  const [title, ...rows] = shown.slice(shown.findIndex((line) => line.startsWith("ROUND")));
  expect(title).toMatch(/^ROUND +ATTEMPT +STATE +OK +NOT OK +TRAIN LOSS +TRAIN ACCURACY +UP +DOWN +TIME$/);
  expect(rows[1]).toMatch(/^ +2 +1 +committed +2 +0 +\d\.\d{4} +\d+\.\d\d% /);

  // Nobody is there to answer: plan and run say so, and the run says whom it waits for, and how to go on with it once it is stopped.
  const warned = "Not online now: party-01, party-02. Nobody is there, and a round needs 2: it waits until its deadline.";
  expect((await forPeople("run", "plan", at("run.yaml"))).stdout).toContain(warned);
  const waiting = await nexus("run", "start", at("run.yaml"), "--detach");
  let awaited: string | undefined;
  while (awaited === undefined) awaited = (await forPeople("run", "show", waiting)).stdout.split("\n").find((line) => line.startsWith("awaited"));
  expect(awaited).toMatch(/^awaited +party-01 fit \(not fetched yet\), party-02 fit \(not fetched yet\)$/);
  await nexus("run", "stop", waiting);
  const watched = await forPeople("run", "watch", waiting);
  expect(watched).toMatchObject({ code: 1, stderr: expect.stringContaining(`\`nexus run resume ${waiting}\``) as string });
  expect((await forPeople("run", "show", waiting)).stdout).not.toContain("awaited");
});
