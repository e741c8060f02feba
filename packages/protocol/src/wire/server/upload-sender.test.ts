import { once } from "node:events";
import net from "node:net";
import { describe, expect, it } from "vitest";
import type { PartialUploadLimits } from "../partial-uploads.ts";
import { expectCode, sha256 } from "../transport.compliance.ts";
import { bytes, onlyFirst, openLine } from "./cut-line.fixture.ts";
import type { WireLimits } from "./index.ts";
import { talk, tick } from "./wire-server.fixture.ts";

describe("who goes on with an upload", () => {
  const size = 1_000_000;
  const small = bytes.subarray(0, size);
  const address = `/blobs/${sha256(small)}`;

  /** A server that has 400,000 bytes of ash's upload for task_1. */
  async function openPart(limits: Partial<PartialUploadLimits> = {}, wire: Partial<WireLimits> = {}) {
    const line = await openLine(onlyFirst({ upBytes: 400_000 }), { limits, wire, client: { tries: 0 } });
    await expectCode(line.blobs.put(small, { hash: sha256(small), sizeBytes: size, taskId: "task_1" }), "COORDINATOR_UNREACHABLE");
    while (line.partial.taskIds.length === 0) await tick();
    const ask = (who: string, task: string, path = address, length = size) =>
      talk(
        line.world,
        `HEAD ${path}?task=${task}&upload HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${who}\r\nUpload-Length: ${length}\r\nConnection: close\r\n\r\n`,
      );
    const put = (headers: string, body: Uint8Array, { who = "ash.1", task = "task_1", path = address } = {}) =>
      talk(
        line.world,
        `PUT ${path}?task=${task} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${who}\r\nConnection: close\r\n${headers}\r\n\r\n${Buffer.from(body).toString("latin1")}`,
      );
    return { ...line, ask, put, [Symbol.asyncDispose]: () => line[Symbol.asyncDispose]() };
  }
  const rest = small.subarray(400_000);

  it("is its sender alone, for its task, with the same bytes", async () => {
    await using part = await openPart();
    expect(await part.ask("ash.1", "task_1")).toMatch(/^HTTP\/1.1 204 .*upload-offset: 400000\r\n.*upload-complete: \?0\r\n/s);
    expect(await part.ask("ash.2", "task_1")).toMatch(/upload-offset: 400000\r\n/);
    for (const [who, task, path, length] of [
      ["birch.1", "task_1", address, size],
      ["ash.1", "task_2", address, size],
      ["ash.1", "task_1", `/blobs/${"0".repeat(64)}`, size],
      ["ash.1", "task_1", address, size + 1],
    ] as const) {
      expect([who, task, await part.ask(who, task, path, length)]).toEqual([
        who,
        task,
        expect.stringMatching(/^HTTP\/1.1 204 .*upload-offset: 0\r\n/s),
      ]);
    }
    expect(await part.ask("forbidden", "task_1")).toMatch(/^HTTP\/1.1 403 /);
    const headers = `Content-Length: ${rest.length}\r\nUpload-Offset: 400000`;
    for (const other of [{ who: "birch.1" }, { task: "task_2" }, { path: `/blobs/${"0".repeat(64)}` }]) {
      expect(await part.put(headers, rest, other)).toMatch(/^HTTP\/1.1 409 .*upload-offset: 0\r\n.*"code":"UPLOAD_OFFSET_MISMATCH"/is);
    }
    expect(part.world.uploads).toEqual([]);
    // Whatever others tried, the part is as it was.
    expect(await part.put(`${headers}\r\nUpload-Length: ${size}\r\nUpload-Complete: ?1`, rest, { who: "ash.2" })).toMatch(/^HTTP\/1.1 201 /);
    expect(Buffer.compare(await part.world.store.read(sha256(small)), small)).toBe(0);
    expect(await part.ask("ash.1", "task_1")).toMatch(/upload-offset: 1000000\r\n.*upload-complete: \?1\r\n/s);
  });

  it("does not begin at another byte than the one where the part ends", async () => {
    await using part = await openPart();
    const hostile: readonly (readonly [string, number, number])[] = [
      ["-1", 10, 400],
      ["400000, 400000", 10, 400],
      ["4e5", 10, 400],
      ["0x61a80", 10, 400],
      ["", 10, 400],
      ["9".repeat(400), 10, 400],
      ["99999999999999999999", 10, 400],
      ["9007199254740991", 10, 400],
      ["399999", 600_001, 409],
      ["400001", 599_999, 409],
      ["1000000", 0, 409],
      ["1", 999_999, 409],
      ["400000", 600_001, 409],
    ];
    for (const [offset, length, status] of hostile) {
      const answer = await part.put(`Content-Length: ${length}\r\nUpload-Offset: ${offset}`, new Uint8Array(length));
      expect([offset, answer]).toEqual([offset, expect.stringMatching(new RegExp(`^HTTP/1.1 ${status} `))]);
    }
    for (const headers of ["Upload-Complete: ?0", "Upload-Length: 1000001", "Upload-Length: x"]) {
      const answer = await part.put(`Content-Length: ${rest.length}\r\nUpload-Offset: 400000\r\n${headers}`, rest);
      expect([headers, answer]).toEqual([headers, expect.stringMatching(/^HTTP\/1.1 400 /)]);
    }
    for (const length of ["", "-1", "x", "99999999999999999999"]) {
      const head = `HEAD ${address}?task=task_1&upload HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ash.1\r\nUpload-Length: ${length}\r\nConnection: close\r\n\r\n`;
      expect([length, await talk(part.world, head)]).toEqual([length, expect.stringMatching(/^HTTP\/1.1 400 /)]);
    }
    expect(await part.put(`Content-Length: ${rest.length}\r\nUpload-Offset: 400000`, rest)).toMatch(/^HTTP\/1.1 201 /);
    expect(part.world.uploads).toEqual(["task_1"]);
  });

  it("keeps to the size of the whole", async () => {
    await using part = await openPart({}, { maxBlobBytes: size });
    expect(await part.put("Content-Length: 600001\r\nUpload-Offset: 400000", new Uint8Array())).toMatch(/^HTTP\/1.1 400 .*1000001 bytes/s);
    expect(await part.ask("ash.1", "task_1", address, size + 1)).toMatch(/^HTTP\/1.1 400 /);
    expect(await part.ask("ash.1", "task_1")).toMatch(/upload-offset: 400000\r\n/);
  });

  it("leaves nothing when the rest is of other bytes", async () => {
    await using part = await openPart();
    expect(await part.put(`Content-Length: ${rest.length}\r\nUpload-Offset: 400000`, new Uint8Array(rest.length))).toMatch(/^HTTP\/1.1 422 /);
    expect(await part.ask("ash.1", "task_1")).toMatch(/upload-offset: 0\r\n/);
    expect(await part.world.stagedFiles()).toEqual([]);
  });

  it("finds nothing of an upload for whose task it began other bytes", async () => {
    await using part = await openPart();
    const others = Buffer.from("others");
    expect(await part.put(`Content-Length: ${others.length}`, others, { path: `/blobs/${sha256(others)}` })).toMatch(/^HTTP\/1.1 201 /);
    expect(await part.ask("ash.1", "task_1")).toMatch(/upload-offset: 0\r\n/);
    expect(await part.world.stagedFiles()).toEqual([]);
  });

  it("ends the connection over which it sent before, also one that only drips", async () => {
    await using part = await openPart();
    const dripping = net.connect(part.world.server.port, "127.0.0.1");
    dripping.on("error", () => {});
    dripping.write(
      `PUT ${address}?task=task_1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ash.1\r\nContent-Length: ${rest.length}\r\nUpload-Offset: 400000\r\n\r\n`,
    );
    const drip = setInterval(() => dripping.write(rest.subarray(0, 1)), 10);
    const gone = once(dripping.resume(), "close");
    await tick(100);
    expect(await part.ask("ash.2", "task_1")).toMatch(/upload-offset: 4000\d\d\r\n/);
    await gone;
    clearInterval(drip);
  });

  it("goes, with what it drips, when its task is closed", async () => {
    await using part = await openPart();
    const dripping = net.connect(part.world.server.port, "127.0.0.1");
    dripping.on("error", () => {});
    dripping.write(`PUT ${address}?task=task_2 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ash.1\r\nContent-Length: 1000\r\n\r\nx`);
    while (part.partial.taskIds.length < 2) await tick();
    const gone = once(dripping.resume(), "close");
    await part.partial.discardOthers(new Set());
    await gone;
    expect(part.partial.taskIds).toEqual([]);
    while ((await part.world.stagedFiles()).length > 0) await tick();
  });
});
