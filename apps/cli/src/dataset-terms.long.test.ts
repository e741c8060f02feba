import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { finished, runNexus, startNexus } from "./testing/nexus-process.ts";

const SPEC = `
version: 1
name: visits
seed: 7
data: { dataset: visits, purpose: triage }
model: { kind: mlp, hidden: [4] }
train: { optimiser: { kind: sgd, learningRate: 0.1 } }
protection: { kind: none }
rounds: 2
cohort: { attempts: 1 }
`;

let folder: string;
const at = (...parts: readonly string[]): string => join(folder, ...parts);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nexus-terms-"));
  await chmod(folder, 0o755); // as root, the database runs as another user, who must reach its files
  await writeFile(at("run.yaml"), SPEC);
  await writeFile(
    at("visits.csv"),
    `age,outcome\n${Array.from({ length: 20 }, (_, row) => `${30 + row},${row % 2 === 0 ? "ill" : "well"}`).join("\n")}\n`,
  );
  await writeFile(at("terms.yaml"), "protections: [none]\npurposes: [triage]\nmaxRounds: 2\nexpires: 9999-12-31\n");
  await writeFile(at("wrong.yaml"), "protections: [none]\nmaxRound: 2\n");
});

afterAll(async () => {
  await runNexus(["down", "--home", at("home")]);
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});

const forPeople = (...args: readonly string[]) => runNexus(args, { env: { NEXUS_HOME: at("home") } });

async function nexus(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await forPeople(...args, "--quiet");
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: "" });
  return stdout.trim();
}

it("an owner writes terms, a run is refused, what the refusal says approves it, and it is taken back", { timeout: 120_000 }, async () => {
  const clinic = at("clinic-a");
  const url = await nexus("up", "--detach", "--port", "0");
  await nexus("node", "join", url, "--token", await nexus("node", "token", "--approved"), "--name", "clinic-a", "--folder", clinic);
  const add = ["dataset", "add", "visits", "--folder", clinic, "--csv", at("visits.csv"), "--label", "outcome", "--hold-out", "0.25"];
  await nexus(...add, "--terms", at("terms.yaml"));
  await nexus(...add); // described anew: the terms outlive it
  expect(await nexus("dataset", "terms", "visits", "--folder", clinic)).toBe("runs\npurposes\nprotections\nmaxRounds\nexpires");
  expect(await forPeople("dataset", "terms", "visits", "--folder", clinic, "--set", at("wrong.yaml"))).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Did you mean "maxRounds"?') as string,
  });
  expect(await forPeople("dataset", "terms", "visit", "--folder", clinic)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('is it "visits"?') as string,
  });

  const node = startNexus(["node", "run", "--folder", clinic, "--jsonl"], { env: { NEXUS_HOME: at("home") } });
  const ended = finished(node);
  while ((await nexus("dataset", "list")) === "");
  const run = await nexus("run", "start", at("run.yaml"), "--detach");
  expect((await forPeople("run", "watch", run)).stderr).toMatch(
    /QUORUM_NOT_REACHED.*clinic-a failed \(APPROVAL_REQUIRED: The owner of "visits" at clinic-a/s,
  );

  expect(await nexus("dataset", "approvals", "visits", "--folder", clinic)).toBe("");
  expect((await forPeople("dataset", "approvals", "visits", "--folder", clinic)).stdout).toMatch(
    new RegExp(`No run is approved.*\\n${run} was refused on .*: nexus dataset approve visits`, "s"),
  );
  const specHash = await nexus("dataset", "approve", "visits", "--folder", clinic, "--run", at("run.yaml"), "--until", "9999-12-31");
  expect((await forPeople("dataset", "approvals", "visits", "--folder", clinic)).stdout).toMatch(
    new RegExp(`${specHash} +visits +good +\\d{4}-.* +9999-12-31`),
  );
  await nexus("run", "resume", run);
  expect((await forPeople("run", "watch", run)).code).toBe(0);

  expect(await nexus("dataset", "revoke", "visits", "--folder", clinic, "--run", specHash)).toBe(specHash);
  expect(await forPeople("dataset", "revoke", "visits", "--folder", clinic, "--run", specHash)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("Nothing is revoked") as string,
  });
  expect(await forPeople("dataset", "approve", "visits", "--folder", clinic, "--run", specHash, "--until", "2027-02-30")).toMatchObject({ code: 2 });

  node.kill("SIGTERM");
  const events = (await ended).stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  const refusal = events.find(({ code }) => code === "APPROVAL_REQUIRED")!;
  // The hint, word for word, approves it anew.
  const [, command] = /`nexus ([^`]+)`/.exec(refusal["hint"] as string)!;
  expect(await nexus(...command!.split(" "))).toBe(specHash);
  const log = (await readFile(join(clinic, "decisions.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly act: string });
  expect(log.map(({ act }) => act)).toEqual(["terms-changed", "refused", "approved", "revoked", "approved"]);
});
