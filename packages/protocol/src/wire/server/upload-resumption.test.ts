import { describe, expect, it } from "vitest";
import { connectTransport } from "../connect.ts";
import { expectCode, sha256 } from "../transport.compliance.ts";
import { blob, bytes, hash, LOST_BYTES, onlyFirst, openLine, PLACES, SIZE_BYTES } from "./cut-line.fixture.ts";
import { tick } from "./wire-server.fixture.ts";
import type { LinePlan } from "./cutting-proxy.fixture.ts";

describe("an upload that is cut", () => {
  it.each(PLACES)("after %i bytes sends the rest alone", async (upBytes) => {
    await using line = await openLine(onlyFirst({ upBytes }));
    await line.blobs.put(bytes, blob);
    expect(Buffer.compare(await line.world.store.read(hash), bytes)).toBe(0);
    expect(line.world.uploads).toEqual(["task_1"]);
    expect(line.line.connections).toBeGreaterThan(1);
    expect(line.line.upBytes).toBeLessThan(SIZE_BYTES + LOST_BYTES);
    expect(await line.world.stagedFiles()).toEqual([]);
    expect(line.partial.taskIds).toEqual([]);
  });

  it.each(["end", "reset"] as const)("every tenth of it (%s) gets there", async (by) => {
    await using line = await openLine((connection) => (connection < 12 ? { upBytes: SIZE_BYTES / 10, by } : undefined));
    await line.blobs.put(bytes, blob);
    expect(Buffer.compare(await line.world.store.read(hash), bytes)).toBe(0);
    expect(line.world.uploads).toEqual(["task_1"]);
    expect(await line.world.stagedFiles()).toEqual([]);
  });

  it("while its acknowledgement is on the way is not sent again", async () => {
    // The one answer with a body is the last one: 100 Continue is the first head.
    await using line = await openLine(onlyFirst({ downBytes: 1 }));
    await line.blobs.put(bytes, blob);
    expect(line.world.uploads).toEqual(["task_1"]);
    expect(line.line.connections).toBe(2);
    expect(line.line.upBytes).toBeLessThan(SIZE_BYTES + LOST_BYTES);
  });

  it("by a line that falls silent goes on over another, also when the server has not noticed", async () => {
    await using line = await openLine(onlyFirst({ upBytes: 2_000_000, by: "silence" }), { client: { stallTimeoutMs: 200 } });
    // Nothing has been told to this client yet: it is the next call that goes on.
    await expectCode(line.blobs.put(bytes, blob), "TIMEOUT");
    expect(line.partial.taskIds).toEqual(["task_1"]);
    await line.blobs.put(bytes, blob);
    expect(line.world.uploads).toEqual(["task_1"]);
    expect(line.line.upBytes).toBeLessThan(SIZE_BYTES + LOST_BYTES);
  });

  it("goes on under the node's next session, and in its next call", async () => {
    let token = "ash.1";
    await using line = await openLine((connection) => (connection === 0 ? { upBytes: 3_000_000 } : connection < 3 ? { upBytes: 0 } : undefined), {
      client: { token: () => token, tries: 1 },
    });
    await expectCode(line.blobs.put(bytes, blob), "COORDINATOR_UNREACHABLE");
    token = "ash.2";
    await line.blobs.put(bytes, blob);
    expect(line.world.uploads).toEqual(["task_1"]);
    expect(line.line.upBytes).toBeLessThan(SIZE_BYTES + LOST_BYTES);
  });

  it("begins anew once when its parts do not make the blob, and then says so", async () => {
    {
      await using line = await openLine(onlyFirst({ upBytes: 2_000_000, spoilsUp: true }));
      await line.blobs.put(bytes, blob);
      expect(Buffer.compare(await line.world.store.read(hash), bytes)).toBe(0);
    }
    await using line = await openLine((connection) => ({ spoilsUp: true, ...(connection === 0 && { upBytes: 2_000_000 }) }));
    const spoilt = Buffer.from(bytes);
    spoilt[SIZE_BYTES - 1]! ^= 1;
    await expectCode(line.blobs.put(spoilt, blob), "BLOB_CORRUPT");
    expect(line.world.uploads).toEqual([]);
    expect(await line.world.stagedFiles()).toEqual([]);
  });

  it("is given up after some tries without progress, at its deadline, and when its caller says so", async () => {
    const plan = (connection: number): LinePlan => ({ upBytes: connection === 0 ? 1_000_000 : 0 });
    {
      await using line = await openLine(plan, { client: { tries: 3 } });
      await expectCode(line.blobs.put(bytes, blob), "COORDINATOR_UNREACHABLE");
      expect(line.line.connections).toBe(4);
    }
    {
      await using line = await openLine(plan);
      await expectCode(line.blobs.put(bytes, { ...blob, deadlineUnixMs: Date.now() - 1 }), "COORDINATOR_UNREACHABLE");
      expect(line.line.connections).toBe(1);
    }
    await using line = await openLine(plan, { client: { tries: 1_000 } });
    const stop = new AbortController();
    const ended = expectCode(line.blobs.put(bytes, { ...blob, signal: stop.signal }), "INTERRUPTED");
    while (line.line.connections < 3) await tick();
    stop.abort();
    await ended;
  });

  it("from an iterable ends with the cut", async () => {
    await using line = await openLine(onlyFirst({ upBytes: 1_000_000 }));
    const pieces = (async function* () {
      for (let offset = 0; offset < SIZE_BYTES; offset += 100_000) yield bytes.subarray(offset, offset + 100_000);
    })();
    await expectCode(line.blobs.put(pieces, blob), "COORDINATOR_UNREACHABLE");
    expect(line.world.uploads).toEqual([]);
  });

  it("hears why it may not go on", async () => {
    let token = "ash.1";
    await using line = await openLine(onlyFirst({ upBytes: 1_000_000 }), { client: { token: () => token } });
    const sending = expectCode(line.blobs.put(bytes, blob), "FORBIDDEN");
    token = "forbidden";
    await sending;
  });
});

describe("an upload limit", () => {
  it("holds for all uploads together, and changes nothing else", async () => {
    await using line = await openLine(onlyFirst({ upBytes: 30_000 }), { client: { uploadBytesPerSecond: 200_000 } });
    const started = performance.now();
    await Promise.all(
      [0, 1].map((index) => {
        const part = bytes.subarray(index * 60_000, (index + 1) * 60_000);
        return line.blobs.put(part, { hash: sha256(part), sizeBytes: part.length, taskId: `task_${index}` });
      }),
    );
    expect(new Set(line.world.uploads)).toEqual(new Set(["task_0", "task_1"]));
    // 120 kB at 200 kB/s, less a tenth of a second's worth at the beginning.
    expect(performance.now() - started).toBeGreaterThan(490);
  });

  it("is refused below 1 kB/s", () => {
    for (const uploadBytesPerSecond of [0, -1, 999, Number.NaN, Infinity]) {
      expect(() => connectTransport({ baseUrl: "http://127.0.0.1:1", uploadBytesPerSecond })).toThrow(
        expect.objectContaining({ code: "USAGE" }) as Error,
      );
    }
  });
});
