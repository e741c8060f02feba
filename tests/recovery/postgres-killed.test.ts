import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectWhole, type Federation, startFederation, undisturbedHash } from "./federation.ts";
import { killAtEach, roundsFor } from "./kill-at-each.ts";
import { killPostgres } from "./kill-postgres.ts";
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
    const killed = new Set<number>();
    const run = await killAtEach(federation, points, { kill: async (killing, gate) => void killed.add(await killPostgres(killing, gate)) });
    expect((await run.result()).modelHash).toBe(expected);
    expect(killed.size).toBe(points.length);
    await expectWhole(federation, run, roundsFor(points));
  });
});
