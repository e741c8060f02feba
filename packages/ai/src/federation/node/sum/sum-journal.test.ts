import { appendFile, mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { describe, expect, it } from "vitest";
import { folderSumJournal } from "./folder-sum-journal.ts";
import { type JournalEntry, memorySumJournal, sumStanding } from "./sum-journal.ts";

const RUN = "ab".repeat(32);
const OTHER = "cd".repeat(32);
const sum = { run: RUN, kind: "fit", round: 3, attempt: 2 };
const begun = (changes: Partial<typeof sum> = {}): JournalEntry => ({ ...sum, ...changes, step: "begun", taskId: "task_1" });
const answered = (changes: Partial<typeof sum> = {}): JournalEntry => ({
  ...sum,
  ...changes,
  step: "answered",
  taskId: "task_1",
  message: Uint8Array.of(7, 200),
});
const arrived = (changes: Partial<typeof sum> = {}): JournalEntry => ({ ...sum, ...changes, step: "arrived" });

describe("an attempt", () => {
  it("is fresh while nothing of it has left", () => {
    expect(sumStanding([], sum, false)).toEqual({ kind: "fresh" });
    // Other rounds, other kinds, and an earlier attempt that was not unmasked, say nothing.
    const others = [answered({ round: 2 }), answered({ kind: "evaluate" }), begun({ attempt: 1 })];
    expect(sumStanding(others, sum, false)).toEqual({ kind: "fresh" });
  });

  it("is sent again as it was once its vector was made ready", () => {
    expect(sumStanding([begun()], sum, true)).toEqual({ kind: "masked" });
    expect(sumStanding([], sum, true)).toEqual({ kind: "masked" });
  });

  it.each([
    ["its keys are lost", [begun()], false, "it was restarted"],
    ["its shares are given away", [begun(), answered()], true, "has given its answer"],
    ["another attempt at the round was unmasked", [answered({ attempt: 1 })], false, "helped to unmask attempt 1"],
    ["a later attempt was unmasked", [answered({ attempt: 5 })], true, "helped to unmask attempt 5"],
    ["a later attempt was begun", [begun({ attempt: 3 })], true, "attempt 3 at this round was begun"],
  ])("is spent when %s", (_, entries, hasVector, reason) => {
    expect(sumStanding(entries, sum, hasVector)).toEqual({ kind: "spent", reason: expect.stringContaining(reason) as string });
  });
});

describe.each(["folder", "memory"])("a journal in a %s", (place) => {
  it("keeps entries, the last vector and answers", async () => {
    await using folder = await temporaryFolder();
    const memory = memorySumJournal();
    const open = () => (place === "folder" ? folderSumJournal(folder.path) : memory);
    expect(await open().entries(RUN)).toEqual([]);
    await open().append(begun());
    await open().append(answered());
    expect(await open().entries(RUN)).toEqual([begun(), answered()]);
    expect(await open().entries(OTHER)).toEqual([]);

    expect(await open().vector(sum)).toBeUndefined();
    await open().keepVector({ ...sum, round: 2 }, Uint8Array.of(9));
    await open().keepVector(sum, Uint8Array.of(1, 2, 3));
    expect(Uint8Array.from((await open().vector(sum))!)).toEqual(Uint8Array.of(1, 2, 3));
    expect(await open().vector({ ...sum, round: 2 })).toBeUndefined();
    expect(await open().vector({ ...sum, attempt: 1 })).toBeUndefined();

    expect(await open().unfinished()).toEqual([answered()]);
    await open().append(answered({ run: OTHER }));
    await open().append(arrived());
    expect(await open().unfinished()).toEqual([answered({ run: OTHER })]);
    await open().append(begun({ attempt: 3 }));
    expect(await open().unfinished()).toEqual(expect.arrayContaining([answered({ run: OTHER }), begun({ attempt: 3 })]));
    await open().append({ ...sum, attempt: 3, step: "left" });
    expect(await open().unfinished()).toEqual([answered({ run: OTHER })]);
  });
});

describe("a journal in a folder", () => {
  it("is readable for its owner alone, and outlives a line that a power cut left unfinished", async () => {
    await using folder = await temporaryFolder();
    const journal = folderSumJournal(folder.path);
    await journal.append(begun());
    await appendFile(join(folder.path, "sums", `${RUN}.jsonl`), '\n{"run":"ab');
    await journal.append(answered());
    expect(await journal.entries(RUN)).toEqual([begun(), answered()]);
    await journal.keepVector(sum, new Uint8Array(3));
    for (const name of await readdir(join(folder.path, "sums"))) expect((await stat(join(folder.path, "sums", name))).mode & 0o077).toBe(0);
    expect((await stat(join(folder.path, "sums"))).mode & 0o077).toBe(0);
  });

  it("is led nowhere else by ids that a coordinator made up", async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, "sums"));
    const journal = folderSumJournal(folder.path);
    for (const run of ["../decisions", "", "a/b", ".."]) {
      await expect(journal.append(begun({ run }))).rejects.toMatchObject({ code: "MESSAGE_INVALID" });
    }
  });
});
