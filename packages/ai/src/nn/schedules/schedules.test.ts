import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { scheduleFactor, type ScheduleSpec } from "./index.ts";

describe("schedules", () => {
  it("leave the rate alone, or cut it in steps", () => {
    expect([0, 1, 1e9].map((at) => scheduleFactor({ kind: "constant" }, at))).toEqual([1, 1, 1]);
    const step: ScheduleSpec = { kind: "step", every: 3, factor: 0.5 };
    expect([0, 2, 3, 5, 6, 9].map((at) => scheduleFactor(step, at))).toEqual([1, 1, 0.5, 0.5, 0.25, 0.125]);
    expect(scheduleFactor(step, Number.MAX_SAFE_INTEGER)).toBe(0);
    expect(scheduleFactor({ kind: "step", every: 1, factor: 1 }, Number.MAX_SAFE_INTEGER)).toBe(1);
  });

  it("follow the cosine to within 4e-16, from 1 to the floor, and stay there", () => {
    for (const floor of [0, 0.1]) {
      const length = 20_000;
      const factors = Array.from({ length: length + 1 }, (_, at) => scheduleFactor({ kind: "cosine", length, floor }, at));
      const wanted = factors.map((_, at) => floor + (1 - floor) * ((1 + Math.cos((Math.PI * at) / length)) / 2));
      expect(factors.reduce((most, factor, at) => Math.max(most, Math.abs(factor - wanted[at]!)), 0)).toBeLessThan(4e-16);
      expect(factors.every((factor, at) => at === 0 || factor <= factors[at - 1]!)).toBe(true);
      expect(scheduleFactor({ kind: "cosine", length, floor }, 0)).toBe(1);
      expect(scheduleFactor({ kind: "cosine", length, floor }, length)).toBe(floor);
      expect(scheduleFactor({ kind: "cosine", length, floor }, 10 * length)).toBe(floor);
    }
  });

  it("give the bits that they always gave", () => {
    const factors = Float64Array.from({ length: 1000 }, (_, at) => scheduleFactor({ kind: "cosine", length: 999, floor: 0.01 }, at));
    const hash = Array.from(sha256(new Uint8Array(factors.buffer)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    expect(hash).toBe("785e847009b9da87e9a78af4d9cfc4ba3bba0a5f814bc5842c35b46223d91a2d");
  });

  it.each<readonly [ScheduleSpec, number, RegExp]>([
    [{ kind: "step", every: 0, factor: 0.5 }, 0, /every is 0; it must be a whole number from 1/u],
    [{ kind: "step", every: 1, factor: 1.5 }, 0, /factor is 1\.5/u],
    [{ kind: "cosine", length: 1.5 }, 0, /length is 1\.5/u],
    [{ kind: "cosine", length: 3, floor: NaN }, 0, /floor is NaN/u],
    [{ kind: "constant" }, -1, /position is -1/u],
    [{ kind: "linear" } as unknown as ScheduleSpec, 0, /no schedule "linear"; there are constant, step, cosine/u],
  ])("refuse %j at %d", (spec, position, message) => {
    expect(() => scheduleFactor(spec, position)).toThrow(
      expect.objectContaining({ code: "USAGE", message: expect.stringMatching(message) as string }),
    );
  });
});
