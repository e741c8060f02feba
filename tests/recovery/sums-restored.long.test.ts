import { cp, rm } from "node:fs/promises";
import type { RunSpecInput } from "@ciphernx/ai/spec";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { event, expectWhole, type Federation, startFederation, undisturbedHash } from "./federation.ts";
import { runSpec } from "./parties.ts";
import { type Point, POINTS, SUM_POINTS } from "./points.ts";

let federation: Federation;

beforeAll(async () => {
  federation = await startFederation({ isRostered: true });
}, 60_000);

afterAll(() => federation[Symbol.asyncDispose]());

const spec: RunSpecInput = { ...runSpec(3), encoding: { bits: 24 }, protection: { kind: "secagg" } };

/** A run of three rounds, whose coordinator is backed up while the parties fit in the second, killed at a point of that round, and restored from the backup. */
async function restored({ name, gate }: Point) {
  const held = Promise.withResolvers<void>();
  federation.pace = { before: (_party, { round }, kind) => (round === 2 && kind === "fit" ? held.promise : undefined) };
  const run = await federation.start(spec);
  await event(run, ({ type, payload }) => type === "round-opened" && payload.round === 2);
  await federation.coordinator.stop();
  const backup = `${federation.home}-backup`;
  await rm(backup, { recursive: true, force: true });
  await cp(federation.home, backup, { recursive: true });
  await federation.startCoordinator();

  const closed = { name: `${run.id} ${name}`, ...gate(run.id, 2) };
  await federation.coordinator.close([closed]);
  held.resolve();
  await federation.coordinator.reached(closed.name);
  await federation.coordinator.kill();
  await rm(federation.home, { recursive: true });
  await cp(backup, federation.home, { recursive: true });
  await federation.startCoordinator();
  return run;
}

describe("a coordinator restored from a backup that knows nothing of a sum under way", () => {
  it.each([
    ["before anything was unmasked: the parties go on in a new attempt", SUM_POINTS.dealt],
    ["when the masked vectors were in: the parties go on in a new attempt", SUM_POINTS.masked],
  ])("%s", { timeout: 120_000 }, async (_, point) => {
    const expected = await undisturbedHash(federation, 3, { ...spec, protection: { kind: "none" } });
    const run = await restored(point);
    expect((await run.result()).modelHash).toBe(expected);
    await expectWhole(federation, run, 3);
    const { rounds } = await run.show();
    expect(rounds.map(({ round, attempt, state }) => `${round}.${attempt} ${state}`)).toEqual([
      "1.1 committed",
      "2.1 abandoned",
      "2.2 committed",
      "3.1 committed",
    ]);
  });

  it("when the sum was unmasked: the parties give up no second sum of that round, and the run ends", { timeout: 120_000 }, async () => {
    const run = await restored(POINTS.committing);
    await expect(run.result()).rejects.toMatchObject({
      code: "RUN_FAILED",
      message: expect.stringContaining("this node helped to unmask attempt 1 at this round, and takes part in no other") as string,
    });
    expect((await run.show()).run.round).toBe(1);
  });
});
