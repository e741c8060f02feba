import { NexusError } from "@ciphernx/core/errors";
import { describe, expect, it } from "vitest";
import { findRun } from "./find-run.ts";

const RUNS = [
  { id: "run_4kz7aaaaaaaaaaaaaaaa", name: "visits" },
  { id: "run_4kz8bbbbbbbbbbbbbbbb", name: "heart" },
  { id: "run_9pm2cccccccccccccccc", name: "heart" },
];

function refused(word: string, runs: typeof RUNS = RUNS): NexusError {
  try {
    findRun(runs, word);
  } catch (error) {
    if (error instanceof NexusError) return error;
    throw error;
  }
  throw new Error(`"${word}" was found`);
}

describe("a run is found", () => {
  it.each([
    ["by its id", "run_4kz7aaaaaaaaaaaaaaaa"],
    ["by the beginning of its id", "run_4kz7"],
    ["without the prefix", "4kz7"],
    ["by its name", "visits"],
  ])("%s", (_, word) => {
    expect(findRun(RUNS, word)).toBe(RUNS[0]);
  });
});

describe("a run is not found", () => {
  it("where several fit, which are named", () => {
    expect(refused("heart")).toMatchObject({
      code: "RUN_AMBIGUOUS",
      message: '"heart" means 2 runs: run_4kz8bbbbbbbbbbbbbbbb (heart), run_9pm2cccccccccccccccc (heart).',
      details: { candidates: [RUNS[1]!.id, RUNS[2]!.id] },
    });
    expect(refused("run_4kz").details).toMatchObject({ candidates: [RUNS[0]!.id, RUNS[1]!.id] });
    const many = Array.from({ length: 8 }, (_, index) => ({ id: `run_${index}`, name: "same" }));
    expect(refused("same", many).message).toMatch(/means 8 runs: run_0 \(same\), .* and 3 more\.$/);
  });

  it("where none fits, and the nearest are named", () => {
    expect(refused("vists")).toMatchObject({ code: "RUN_NOT_FOUND", hint: expect.stringContaining(`${RUNS[0]!.id} (visits)`) as string });
    expect(refused("run_9bm2")).toMatchObject({ code: "RUN_NOT_FOUND", details: { nearest: [RUNS[2]!.id] } });
    for (const word of ["", "run_", "nothing-like-it"]) expect(["RUN_NOT_FOUND", "RUN_AMBIGUOUS"]).toContain(refused(word).code);
    expect(refused("nothing-like-it").details).toEqual({ run: "nothing-like-it" });
    expect(refused("visits", []).code).toBe("RUN_NOT_FOUND");
  });
});
