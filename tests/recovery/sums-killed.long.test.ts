import type { RunSpecInput } from "@ciphernx/ai/spec";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectWhole, type Federation, startFederation, undisturbedHash } from "./federation.ts";
import { killAtEach, roundsFor } from "./kill-at-each.ts";
import { runSpec } from "./parties.ts";
import { LAST_SUM_POINT, POINTS, SUM_POINTS } from "./points.ts";

let federation: Federation;

beforeAll(async () => {
  federation = await startFederation({ isRostered: true });
}, 60_000);

afterAll(() => federation[Symbol.asyncDispose]());

const protectedSpec = (rounds: number): RunSpecInput => ({ ...runSpec(rounds), encoding: { bits: 24 }, protection: { kind: "secagg" } });

describe("kill −9 of the coordinator at every point of a protected round", () => {
  it("leaves a run that goes on where it was, and has the hash of the undisturbed run without protection", { timeout: 240_000 }, async () => {
    const points = [
      ...Object.values(SUM_POINTS),
      POINTS.answering,
      POINTS.closed,
      POINTS.aggregating,
      POINTS.committing,
      POINTS.next,
      LAST_SUM_POINT,
    ];
    const rounds = roundsFor(points);
    const expected = await undisturbedHash(federation, rounds, { ...protectedSpec(rounds), protection: { kind: "none" } });
    const run = await killAtEach(federation, points, { spec: protectedSpec });
    expect((await run.result()).modelHash).toBe(expected);
    await expectWhole(federation, run, rounds);
    // No attempt was lost: nobody masked twice, and nobody had to.
    const { rounds: attempts } = await run.show();
    expect(new Set(attempts.map(({ attempt }) => attempt))).toEqual(new Set([1]));
  });
});
