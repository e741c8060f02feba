import { mkdir, readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { describe, expect, it } from "vitest";
import type { ParameterSet } from "../../tensor/index.ts";
import { folderKeptValues } from "./kept-folder.ts";
import { type KeptValues, memoryKeptValues } from "./kept-values.ts";

const valuesOf = (...numbers: number[]): ParameterSet => new Map([["norm.scale", { shape: [numbers.length], data: Float32Array.from(numbers) }]]);

/** What every place for kept values must do. */
function compliance(open: () => Promise<{ readonly kept: KeptValues } & AsyncDisposable>): void {
  it("gives back what was kept after an attempt, and says what is not there", async () => {
    await using opened = await open();
    const { kept } = opened;
    await kept.write("run_a", { round: 1, attempt: 1 }, valuesOf(1, 2));
    await kept.write("run_a", { round: 1, attempt: 2 }, valuesOf(3, 4));
    await kept.write("run_b", { round: 1, attempt: 1 }, valuesOf(5));
    expect(await kept.read("run_a", { round: 1, attempt: 1 })).toEqual({ values: valuesOf(1, 2) });
    expect(await kept.read("run_a", { round: 1, attempt: 2 })).toEqual({ values: valuesOf(3, 4) });
    expect(await kept.read("run_b", { round: 1, attempt: 1 })).toEqual({ values: valuesOf(5) });
    expect(await kept.read("run_a", { round: 2, attempt: 1 })).toEqual({ lost: expect.any(String) as string });
    expect(await kept.read("run_c", { round: 1, attempt: 1 })).toEqual({ lost: expect.any(String) as string });
  });

  it("replaces what an attempt left before, and forgets what is older, of this run alone", async () => {
    await using opened = await open();
    const { kept } = opened;
    for (const [round, attempt] of [
      [1, 1],
      [2, 1],
      [2, 2],
      [10, 1],
    ] as const)
      await kept.write("run_a", { round, attempt }, valuesOf(round, attempt));
    await kept.write("run_b", { round: 1, attempt: 1 }, valuesOf(5));
    await kept.write("run_a", { round: 2, attempt: 2 }, valuesOf(9));
    await kept.forgetBefore("run_a", { round: 2, attempt: 2 });
    expect(await kept.read("run_a", { round: 2, attempt: 2 })).toEqual({ values: valuesOf(9) });
    expect(await kept.read("run_a", { round: 10, attempt: 1 })).toEqual({ values: valuesOf(10, 1) });
    expect(await kept.read("run_a", { round: 2, attempt: 1 })).toHaveProperty("lost");
    expect(await kept.read("run_a", { round: 1, attempt: 1 })).toHaveProperty("lost");
    expect(await kept.read("run_b", { round: 1, attempt: 1 })).toEqual({ values: valuesOf(5) });
    await kept.forgetBefore("run_c", { round: 1, attempt: 1 });
  });
}

describe("values in memory", () => {
  compliance(() => Promise.resolve({ kept: memoryKeptValues(), [Symbol.asyncDispose]: () => Promise.resolve() }));
});

describe("values in a node's folder", () => {
  compliance(async () => {
    const folder = await temporaryFolder();
    return { kept: folderKeptValues(folder.path), [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
  });

  it("are whole safetensors files that only the owner reads, found by the next process", async () => {
    await using folder = await temporaryFolder();
    await folderKeptValues(folder.path).write("run_a", { round: 3, attempt: 1 }, valuesOf(1.5));
    const path = join(folder.path, "kept/run_a/3.1.safetensors");
    expect(await readdir(join(folder.path, "kept/run_a"))).toEqual(["3.1.safetensors"]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await readFile(path)).includes("norm.scale")).toBe(true);
    expect(await folderKeptValues(folder.path).read("run_a", { round: 3, attempt: 1 })).toEqual({ values: valuesOf(1.5) });
  });

  it("that are damaged count as lost, with the reason; files of somebody else stay", async () => {
    await using folder = await temporaryFolder();
    const kept = folderKeptValues(folder.path);
    await kept.write("run_a", { round: 3, attempt: 1 }, valuesOf(1, 2, 3));
    const path = join(folder.path, "kept/run_a/3.1.safetensors");
    await truncate(path, 70);
    expect(await kept.read("run_a", { round: 3, attempt: 1 })).toEqual({ lost: expect.stringContaining("3.1.safetensors cannot be used") as string });
    await writeFile(join(folder.path, "kept/run_a/notes.txt"), "mine");
    await kept.forgetBefore("run_a", { round: 9, attempt: 1 });
    expect(await readdir(join(folder.path, "kept/run_a"))).toEqual(["notes.txt"]);
  });

  it("lead nowhere else, whatever a coordinator calls its run, and say when they cannot be written", async () => {
    await using folder = await temporaryFolder();
    const kept = folderKeptValues(join(folder.path, "node"));
    for (const runId of ["../elsewhere", "a/b", "", "."]) {
      await expect(kept.write(runId, { round: 1, attempt: 1 }, valuesOf(1))).rejects.toMatchObject({ code: "MESSAGE_INVALID" });
    }
    await mkdir(join(folder.path, "node"));
    await writeFile(join(folder.path, "node/kept"), "a file where the folder should be");
    await expect(kept.write("run_a", { round: 1, attempt: 1 }, valuesOf(1))).rejects.toMatchObject({ code: "TRAINER_FAILED" });
  });
});
