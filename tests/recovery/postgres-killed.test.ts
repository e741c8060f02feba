import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectWhole, type Federation, startFederation, undisturbedHash } from "./federation.ts";
import { killAtEach, roundsFor } from "./kill-at-each.ts";
import { POINTS } from "./points.ts";

let federation: Federation;

beforeAll(async () => {
  federation = await startFederation();
});

afterAll(() => federation[Symbol.asyncDispose]());

describe("kill −9 of PostgreSQL", () => {
  it("in the middle of rounds leaves a run that goes on by itself to the hash of the undisturbed run", { timeout: 90_000 }, async () => {
    // In a node's answer, in a step of the round, and in the bookkeeping of the workflow engine.
    const points = [POINTS.answering, POINTS.committing, POINTS.aggregated];
    const expected = await undisturbedHash(federation, roundsFor(points));
    const killed: number[] = [];
    const run = await killAtEach(federation, points, {
      async kill({ coordinator }, gate) {
        const pid = await coordinator.postgres();
        process.kill(pid, "SIGKILL");
        killed.push(pid);
        await expect.poll(() => coordinator.open(gate).then(() => true, () => false), { timeout: 30_000 }).toBe(true);
      },
    });
    expect((await run.result()).modelHash).toBe(expected);
    expect(new Set(killed).size).toBe(points.length);
    await expectWhole(federation, run, roundsFor(points));
  });
});
