import { memoryBlobStore, type Sha256, type StagedBlob } from "@ciphernx/core/blobs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPartialUploads, type PartialUploadLimits, type UploadIdentity } from "./partial-uploads.ts";
import { expectCode } from "./transport.compliance.ts";

const HASH = "ab".repeat(32) as Sha256;
const upload = (uploader: string, task: number, sizeBytes = 1_000): UploadIdentity => ({ uploader, taskId: `task_${task}`, hash: HASH, sizeBytes });
const never = () => {};

/** A keeper over a store whose staged blobs are counted. */
function setUp(limits: Partial<PartialUploadLimits> = {}) {
  const store = memoryBlobStore();
  const partial = createPartialUploads(limits);
  const open = new Set<StagedBlob>();
  const stage = async () => {
    const blob = await store.stage();
    const counted: StagedBlob = { ...blob, discard: () => blob.discard().finally(() => open.delete(counted)) };
    open.add(counted);
    return counted;
  };
  return {
    partial,
    staged: () => open.size,
    begin: (identity: UploadIdentity, offsetBytes = 0, interrupt: () => void = never) => partial.open(identity, { offsetBytes, stage, interrupt }),
    /** Leaves a part of so many bytes. */
    async leave(identity: UploadIdentity, bytes: number) {
      const running = await partial.open(identity, { offsetBytes: 0, stage, interrupt: never });
      await running.staged.write(new Uint8Array(bytes));
      await running.keep(bytes);
    },
    offset: async (identity: UploadIdentity) => (await partial.progress(identity)).offsetBytes,
  };
}

describe("parts of uploads", () => {
  it("are at most so many of one sender, the oldest going first", async () => {
    const { leave, offset, staged } = setUp({ maxKeptOfOne: 3 });
    for (let task = 0; task < 5; task++) await leave(upload("ash", task), 10);
    await leave(upload("birch", 0), 10);
    expect(await Promise.all([0, 1, 2, 3, 4].map((task) => offset(upload("ash", task))))).toEqual([0, 0, 10, 10, 10]);
    expect(await offset(upload("birch", 0))).toBe(10);
    expect(staged()).toBe(4);
  });

  it("have at most so many bytes of one sender, and one that is larger than that is not kept", async () => {
    const { leave, offset, staged } = setUp({ maxKeptBytesOfOne: 100 });
    await leave(upload("ash", 0), 60);
    await leave(upload("ash", 1), 40);
    await leave(upload("ash", 2), 101);
    expect(await Promise.all([0, 1, 2].map((task) => offset(upload("ash", task))))).toEqual([60, 40, 0]);
    await leave(upload("ash", 3), 50);
    expect(await Promise.all([0, 1, 3].map((task) => offset(upload("ash", task))))).toEqual([0, 40, 50]);
    expect(staged()).toBe(2);
  });

  it("keep all limits, whoever sends what", async () => {
    const part = fc.tuple(fc.constantFrom("ash", "birch", "cedar"), fc.nat(6), fc.integer({ min: 1, max: 90 }));
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 25 }), async (parts) => {
        const limits = { maxKept: 5, maxKeptBytes: 200, maxKeptOfOne: 3, maxKeptBytesOfOne: 120 };
        const { leave, offset, staged } = setUp(limits);
        for (const [who, task, bytes] of parts) await leave(upload(who, task), bytes);
        const kept: Record<string, number[]> = {};
        for (const who of ["ash", "birch", "cedar"]) {
          const offsets = await Promise.all([0, 1, 2, 3, 4, 5, 6].map((task) => offset(upload(who, task))));
          kept[who] = offsets.filter((bytes) => bytes > 0);
          expect(kept[who].length).toBeLessThanOrEqual(limits.maxKeptOfOne);
          expect(kept[who].reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(limits.maxKeptBytesOfOne);
        }
        const all = Object.values(kept).flat();
        expect(all.length).toBeLessThanOrEqual(limits.maxKept);
        expect(all.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(limits.maxKeptBytes);
        expect(staged()).toBe(all.length);
        // The last one always fits.
        const last = parts.at(-1);
        if (last !== undefined) expect(await offset(upload(last[0], last[1]))).toBe(last[2]);
      }),
      { numRuns: 60 },
    );
  });

  it("go after their time, with their task, when all are to go, and at the end", async () => {
    const short = setUp({ keptMs: 20 });
    await short.leave(upload("ash", 0), 10);
    while (short.staged() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await short.offset(upload("ash", 0))).toBe(0);

    const { partial, leave, offset, staged, begin } = setUp();
    for (const task of [0, 1]) await leave(upload("ash", task), 10);
    expect(partial.taskIds.toSorted()).toEqual(["task_0", "task_1"]);
    await partial.discardOthers(new Set(["task_1"]));
    expect(partial.taskIds).toEqual(["task_1"]);
    expect([await offset(upload("ash", 0)), await offset(upload("ash", 1)), staged()]).toEqual([0, 10, 1]);
    await partial.discardAll();
    expect([await offset(upload("ash", 1)), staged()]).toEqual([0, 0]);
    const running = await begin(upload("ash", 2));
    await running.staged.write(new Uint8Array(5));
    await partial.close();
    await running.keep(5);
    expect([await offset(upload("ash", 2)), staged()]).toEqual([0, 0]);
  });

  it("are taken by one of two who come at once", async () => {
    const { leave, begin, staged } = setUp();
    await leave(upload("ash", 0), 10);
    const outcomes = await Promise.allSettled([begin(upload("ash", 0), 10), begin(upload("ash", 0), 10)]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect((outcomes[1] as PromiseRejectedResult).reason).toMatchObject({ code: "UPLOAD_OFFSET_MISMATCH", details: { keptBytes: 0 } });
    expect(staged()).toBe(1);
  });
});

describe("uploads under way", () => {
  it("are at most so many of one sender", async () => {
    const { begin } = setUp({ maxRunningOfOne: 2 });
    const first = await begin(upload("ash", 0));
    await begin(upload("ash", 1));
    await expectCode(begin(upload("ash", 2)), "COORDINATOR_UNREACHABLE");
    await begin(upload("birch", 2));
    await first.discard();
    await first.keep(10); // it is over: this changes nothing
    await begin(upload("ash", 2));
  });

  it("are interrupted when their sender asks, and what came is kept", async () => {
    const { begin, offset } = setUp();
    const running = await begin(upload("ash", 0), 0, () => void running.keep(7));
    await running.staged.write(new Uint8Array(7));
    expect(await offset(upload("ash", 0))).toBe(7);
  });

  it("that were taken over are remembered, until they are begun anew", async () => {
    const { begin, partial } = setUp();
    (await begin(upload("ash", 0))).complete();
    expect(await partial.progress(upload("ash", 0))).toEqual({ offsetBytes: 1_000, complete: true });
    expect(await partial.progress(upload("birch", 0))).toEqual({ offsetBytes: 0, complete: false });
    await (await begin(upload("ash", 0))).discard();
    expect(await partial.progress(upload("ash", 0))).toEqual({ offsetBytes: 0, complete: false });
  });
});
