import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectWhole, type Federation, startFederation, undisturbedHash } from "./federation.ts";
import { killAtEach, roundsFor } from "./kill-at-each.ts";
import { POINTS } from "./points.ts";

let federation: Federation;

beforeAll(async () => {
  federation = await startFederation();
});

afterAll(() => federation[Symbol.asyncDispose]());

describe("kill −9 of the coordinator at every point of a round", () => {
  it("leaves a run that goes on by itself, commits each round once, and has the hash of the undisturbed run", { timeout: 240_000 }, async () => {
    const points = Object.values(POINTS);
    const expected = await undisturbedHash(federation, roundsFor(points));
    const run = await killAtEach(federation, points);
    expect((await run.result()).modelHash).toBe(expected);
    await expectWhole(federation, run, roundsFor(points));
  });

  it("twice at the same point: the restart is killed as well", { timeout: 120_000 }, async () => {
    const points = [POINTS.closed, POINTS.judged];
    const expected = await undisturbedHash(federation, roundsFor(points));
    const run = await killAtEach(federation, points, { times: 2 });
    expect((await run.result()).modelHash).toBe(expected);
    await expectWhole(federation, run, roundsFor(points));
  });
});

describe("a coordinator that is told to stop while a statement hangs in its database", () => {
  it("stops all the same, and goes on with the next start", { timeout: 120_000 }, async () => {
    const points = [POINTS.opened, POINTS.committing];
    const expected = await undisturbedHash(federation, roundsFor(points));
    const run = await killAtEach(federation, points, {
      async kill({ coordinator, startCoordinator }, gate) {
        await coordinator.stop();
        await startCoordinator({ open: gate });
      },
    });
    expect((await run.result()).modelHash).toBe(expected);
    await expectWhole(federation, run, roundsFor(points));
  });
});
