import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { finished, runNexus, startNexus } from "./testing/nexus-process.ts";

const SPEC = {
  version: 1,
  name: "kernels",
  seed: 7,
  protection: { kind: "none" },
  rounds: 1,
  data: { dataset: "digits" },
  model: { kind: "mlp", hidden: [16] },
  train: { batchSize: 32, optimiser: { kind: "sgd", learningRate: 0.1 } },
  simulation: { source: "mnist", parties: 1, partition: { kind: "iid" }, examplesPerParty: 100 },
};

let folder: string;
const at = (...parts: readonly string[]): string => join(folder, ...parts);
const nexus = (...args: readonly string[]) => runNexus([...args, "--json"], { env: { NEXUS_HOME: at("home") } });

interface Printed {
  readonly data: Readonly<Record<string, unknown>>;
  readonly error: { readonly code: string; readonly message: string };
}

const printed = ({ stdout }: { readonly stdout: string }): Printed => JSON.parse(stdout.trim().split("\n").at(-1)!) as Printed;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nexus-kernels-"));
  await chmod(folder, 0o755); // as root, the database runs as another user, who must reach its files
  await writeFile(at("exact.json"), JSON.stringify(SPEC));
  await writeFile(at("any.json"), JSON.stringify({ ...SPEC, reproducibility: "any-kernel" }));
});

afterAll(async () => {
  await nexus("down", "--home", at("home"));
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});

it("simulates with the build fma only where the spec gives up equal bits, and says so in the card", { timeout: 60_000 }, async () => {
  const refused = printed(await nexus("sim", at("exact.json"), "--kernel", "fma"));
  expect(refused.error).toMatchObject({ code: "SPEC_REFUSED", message: expect.stringContaining("reproducibility: ") as string });
  const label = /^Not reproducible across hosts: fma-[0-9a-f]{12} rounds products as each host does\.$/;
  expect(printed(await nexus("sim", at("any.json"), "--kernel", "fma")).data).toMatchObject({
    card: { reproducible: false, labels: [expect.stringMatching(label)] },
  });
  const mistyped = await nexus("sim", at("any.json"), "--kernel", "fam");
  expect([mistyped.code, mistyped.stdout + mistyped.stderr]).toEqual([2, expect.stringContaining("fma")]);
});

it("serves a node with the build fma, which a plan names or refuses", { timeout: 60_000 }, async () => {
  const { url } = printed(await nexus("up", "--detach", "--port", "0")).data as { readonly url: string };
  await nexus("dataset", "split", at("exact.json"), "--output", at("parties"));
  const { token } = printed(await nexus("node", "token", "--approved")).data as { readonly token: string };
  await nexus("node", "join", url, "--token", token, "--name", "party-01", "--folder", at("parties/party-01"));
  const node = startNexus(["node", "run", "--folder", at("parties/party-01"), "--kernel", "fma", "--quiet"], { env: { NEXUS_HOME: at("home") } });
  const end = finished(node);
  const plan = async (file: string): Promise<Printed> => printed(await nexus("run", "plan", at(file)));
  try {
    while (!JSON.stringify(printed(await nexus("dataset", "list")).data).includes("digits"));
    expect((await plan("exact.json")).error).toMatchObject({
      code: "SPEC_REFUSED",
      message: expect.stringMatching(/party-01 \(fma-[0-9a-f]{12}\)\. .*run it without --kernel/) as string,
    });
    expect(JSON.stringify((await plan("any.json")).data)).toMatch(/Other kernel builds than baseline-.*Not reproducible across hosts: fma-/);
  } finally {
    node.kill("SIGTERM");
  }
  expect((await end).code).toBe(0);
});
