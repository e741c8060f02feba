import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { finished, runNexus, startNexus } from "./testing/nexus-process.ts";

const SPEC = `
version: 1
name: visits
seed: 7
data: { dataset: visits }
model: { kind: mlp, hidden: [4] }
train: { optimiser: { kind: sgd, learningRate: 0.1 } }
protection: { kind: none }
rounds: 2
cohort: { attempts: 1 }
`;

/** An address that other machines would use, where there is one. */
const ADDRESS =
  Object.values(networkInterfaces())
    .flatMap((found) => found ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4")?.address ?? "127.0.0.2";

let folder: string;
const at = (...parts: readonly string[]): string => join(folder, ...parts);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nexus-tls-"));
  await chmod(folder, 0o755); // as root, the database runs as another user, who must reach its files
  await writeFile(at("run.yaml"), SPEC);
  for (const [index, name] of ["a.csv", "b.csv"].entries()) {
    const rows = Array.from({ length: 20 }, (_, row) => `${30 + row + index},${row % 2 === 0 ? "ill" : "well"}`);
    await writeFile(at(name), `age,outcome\n${rows.join("\n")}\n`);
  }
});

afterAll(async () => {
  await runNexus(["down", "--home", at("home")]);
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});

const attempt = (...args: readonly string[]) => runNexus([...args, "--json"], { env: { NEXUS_HOME: at("home") } });

async function nexus(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await attempt(...args);
  expect({ args, code, stderr }).toMatchObject({ args, code: 0 });
  return (JSON.parse(stdout) as { readonly data: Record<string, unknown> }).data;
}

const up = (...more: readonly string[]) =>
  nexus("up", "--detach", "--port", "0", ...more) as Promise<{ url: string; tls?: { url: string; certificateFile: string } }>;

/** Runs the spec with both nodes at work and tells the model's hash. */
async function trained(): Promise<string> {
  const nodes = ["a", "b"].map((name) => startNexus(["node", "run", "--folder", at(name), "--jsonl"]));
  try {
    const connected = nodes.map(
      (node) => new Promise<void>((resolve) => node.stdout.on("data", (text: Buffer) => text.includes('"connected"') && resolve())),
    );
    await Promise.all(connected);
    const { stdout, code, stderr } = await attempt("run", "start", at("run.yaml"));
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const hash = /"modelHash":"([0-9a-f]{64})"/.exec(stdout)?.[1];
    expect(hash).toBeDefined();
    return hash!;
  } finally {
    for (const node of nodes) node.kill("SIGTERM");
    await Promise.all(nodes.map(finished));
  }
}

it("nodes on other machines join over TLS, train as in plain, outlive a rotation, and are removed", { timeout: 240_000 }, async () => {
  const { tls } = await up("--listen", `${ADDRESS}:0`);
  expect(tls!.url).toMatch(new RegExp(`^https://${ADDRESS.replaceAll(".", "\\.")}:\\d+$`));
  for (const name of ["a", "b"]) {
    const { token, publicUrl } = await nexus("node", "token", "--approved");
    expect(publicUrl).toBe(tls!.url);
    // One of them is let out by its firewall through nothing but a WebSocket.
    const way = name === "b" ? ["--transport", "websocket"] : [];
    await nexus("node", "join", tls!.url, "--token", String(token), "--name", name, "--folder", at(name), ...way);
    await nexus("dataset", "add", "visits", "--folder", at(name), "--csv", at(`${name}.csv`), "--label", "outcome", "--hold-out", "0.25");
  }
  const hash = await trained();

  // People: with the CA, and not without.
  const owner = (await readFile(at("home", "owner.token"), "utf8")).trim();
  const remote = ["node", "list", "--url", tls!.url, "--token", owner];
  expect(await nexus(...remote, "--ca", tls!.certificateFile)).toMatchObject({ nodes: [{ name: "a" }, { name: "b" }] });
  const untrusted = await attempt(...remote);
  expect(untrusted).toMatchObject({ code: 4, stdout: expect.stringContaining("SERVER_NOT_TRUSTED") as string });

  // A new CA: the nodes, which know the old one alone, come to know it.
  const port = new URL(tls!.url).port;
  const before = await readFile(at("a", "ca.crt"), "utf8");
  await nexus("down");
  const rotated = await up("--listen", `${ADDRESS}:${port}`, "--rotate-ca");
  expect(await readFile(rotated.tls!.certificateFile, "utf8")).not.toBe(before);
  expect(await trained()).toBe(hash);
  expect(await readFile(at("a", "ca.crt"), "utf8")).toContain(await readFile(rotated.tls!.certificateFile, "utf8"));

  // In plain, on the same machine, the same nodes give the same bits.
  const reached = async (url: string) => {
    for (const name of ["a", "b"]) {
      const file = at(name, "node.json");
      await writeFile(file, (await readFile(file, "utf8")).replace(/"url": "[^"]*"/, `"url": "${url}"`));
    }
  };
  await reached(rotated.url);
  expect(await trained()).toBe(hash);
  await reached(rotated.tls!.url);

  await nexus("node", "remove", "a", "--yes");
  const removed = await runNexus(["node", "run", "--folder", at("a"), "--json"]);
  expect(removed).toMatchObject({ code: 4, stdout: expect.stringContaining("NODE_REMOVED") as string });
});
