import { appendFile, mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { describe, expect, it } from "vitest";
import { folderSumJournal } from "./folder-sum-journal.ts";
import { type JournalEntry, type JournalStep, memorySumJournal, sumStanding } from "./sum-journal.ts";

const RUN = "ab".repeat(32);
const sum = { run: RUN, kind: "fit", round: 3, attempt: 2 };
const entry = (step: JournalStep, changes: Partial<JournalEntry> = {}): JournalEntry => ({ ...sum, step, ...changes });

describe("an attempt", () => {
  it("is fresh while nothing of it has left", () => {
    expect(sumStanding([], sum)).toEqual({ kind: "fresh" });
    // Other rounds, other kinds, and an earlier attempt that was not unmasked, say nothing.
    const others = [entry("answered", { round: 2 }), entry("answered", { kind: "evaluate" }), entry("masked", { attempt: 1 })];
    expect(sumStanding(others, sum)).toEqual({ kind: "fresh" });
  });

  it("is sent again as it was once its vector was made ready", () => {
    expect(sumStanding([entry("begun"), entry("masked")], sum)).toEqual({ kind: "masked" });
  });

  it.each([
    ["its keys are lost", [entry("begun")], "it was restarted"],
    ["its shares are given away", [entry("begun"), entry("masked"), entry("answered")], "has given its answer"],
    ["another attempt at the round was unmasked", [entry("answered", { attempt: 1 })], "helped to unmask attempt 1"],
    ["a later attempt was unmasked", [entry("answered", { attempt: 5 })], "helped to unmask attempt 5"],
    ["a later attempt was begun", [entry("begun", { attempt: 3 })], "attempt 3 at this round was begun"],
  ])("is spent when %s", (_, entries, reason) => {
    expect(sumStanding(entries, sum)).toEqual({ kind: "spent", reason: expect.stringContaining(reason) as string });
  });
});

describe.each(["folder", "memory"])("a journal in a %s", (place) => {
  it("keeps entries, the last vector and answers", async () => {
    await using folder = await temporaryFolder();
    const memory = memorySumJournal();
    const open = () => (place === "folder" ? folderSumJournal(folder.path) : memory);
    expect(await open().entries(RUN)).toEqual([]);
    await open().append(entry("begun"));
    await open().append(entry("masked"));
    expect(await open().entries(RUN)).toEqual([entry("begun"), entry("masked")]);
    expect(await open().entries("cd".repeat(32))).toEqual([]);

    expect(await open().vector(sum)).toBeUndefined();
    await open().keepVector({ ...sum, round: 2 }, Uint8Array.of(9));
    await open().keepVector(sum, Uint8Array.of(1, 2, 3));
    expect(Uint8Array.from((await open().vector(sum))!)).toEqual(Uint8Array.of(1, 2, 3));
    expect(await open().vector({ ...sum, round: 2 })).toBeUndefined();
    expect(await open().vector({ ...sum, attempt: 1 })).toBeUndefined();

    await open().keepAnswer({ taskId: "task_1", message: Uint8Array.of(7) });
    expect((await open().answers()).map(({ taskId, message }) => [taskId, ...message])).toEqual([["task_1", 7]]);
    await open().forgetAnswer("task_1");
    expect(await open().answers()).toEqual([]);
  });
});

describe("a journal in a folder", () => {
  it("is readable for its owner alone, and outlives a line that a power cut left unfinished", async () => {
    await using folder = await temporaryFolder();
    const journal = folderSumJournal(folder.path);
    await journal.append(entry("begun"));
    await appendFile(join(folder.path, "sums", `${RUN}.jsonl`), '\n{"run":"ab');
    await journal.append(entry("masked"));
    expect(await journal.entries(RUN)).toEqual([entry("begun"), entry("masked")]);
    await journal.keepVector(sum, new Uint8Array(3));
    for (const name of await readdir(join(folder.path, "sums"))) expect((await stat(join(folder.path, "sums", name))).mode & 0o077).toBe(0);
    expect((await stat(join(folder.path, "sums"))).mode & 0o077).toBe(0);
  });

  it("is led nowhere else by ids that a coordinator made up", async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, "sums"));
    const journal = folderSumJournal(folder.path);
    for (const taskId of ["../decisions", "", "a/b", ".."]) {
      await expect(journal.keepAnswer({ taskId, message: Uint8Array.of(1) })).rejects.toMatchObject({ code: "MESSAGE_INVALID" });
    }
  });
});
