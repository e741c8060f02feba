import { cp, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { event, expectWhole, type Federation, startFederation, undisturbedHash } from "./federation.ts";
import { runSpec } from "./parties.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
let federation: Federation;

beforeAll(async () => {
  federation = await startFederation();
});

afterAll(() => federation[Symbol.asyncDispose]());

describe("an upgrade of the coordinator's code", () => {
  it("between two rounds, and in the middle of one, lets the run go on to the hash of the undisturbed run", { timeout: 180_000 }, async () => {
    const expected = await undisturbedHash(federation, 4);
    await using checkout = await temporaryFolder();
    await copyCheckout(checkout.path);
    await upgrade(checkout.path);

    const held = Promise.withResolvers<void>();
    const heldAgain = Promise.withResolvers<void>();
    federation.pace = {
      before: (_party, { round }, kind) => (kind !== "fit" ? undefined : round === 2 ? held.promise : round === 3 ? heldAgain.promise : undefined),
    };
    const run = await federation.nexus.runs.start(runSpec(4));
    // Round 1 is committed, and of round 2 nothing has come.
    await event(run, ({ type, payload }) => type === "round-opened" && payload.round === 2);
    await federation.restartCoordinator(checkout.path);
    expect((await federation.nexus.status()).version).toBe("0.2.0");
    held.resolve();
    await event(run, ({ type, payload }) => type === "round-opened" && payload.round === 3);
    await federation.restartCoordinator();
    heldAgain.resolve();
    expect((await run.result()).modelHash).toBe(expected);
    await expectWhole(federation, run, 4);
  });
});

/** The sources of this checkout as packages of their own, with the same dependencies. */
async function copyCheckout(target: string): Promise<void> {
  const isSource = (path: string): boolean => !/\/(node_modules|dist)(\/|$)/.test(path);
  for (const folder of ["packages", "apps", "tests"]) await cp(join(ROOT, folder), join(target, folder), { recursive: true, filter: isSource });
  const modules = join(target, "node_modules");
  await mkdir(join(modules, "@ciphernx"), { recursive: true });
  for (const name of await readdir(join(ROOT, "node_modules")))
    if (name !== "@ciphernx") await symlink(join(ROOT, "node_modules", name), join(modules, name));
  for (const name of await readdir(join(target, "packages"))) await symlink(join(target, "packages", name), join(modules, "@ciphernx", name));
  await symlink(join(target, "apps/coordinator"), join(modules, "@ciphernx/coordinator"));
}

/** Another version of the package, and of the code whose text DBOS would take for a version. */
async function upgrade(checkout: string): Promise<void> {
  const manifest = join(checkout, "apps/coordinator/package.json");
  await writeFile(manifest, (await readFile(manifest, "utf8")).replace(/"version": "[^"]+"/, '"version": "0.2.0"'));
  const engine = join(checkout, "packages/ai/src/federation/coordinator/engine.ts");
  const text = await readFile(engine, "utf8");
  const upgraded = text.replace(/async function roundOfRun\(.*\{\n/, "$&  // Another version of this function.\n");
  expect(upgraded).not.toBe(text);
  await writeFile(engine, upgraded);
}
