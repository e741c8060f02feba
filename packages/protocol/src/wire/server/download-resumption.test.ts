import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import http from "node:http";
import type net from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { connectTransport } from "../connect.ts";
import { expectCode } from "../transport.compliance.ts";
import { bytes, drain, hash, onlyFirst, openLine, PLACES, SIZE_BYTES } from "./cut-line.fixture.ts";
import type { LinePlan } from "./cutting-proxy.fixture.ts";
import { openWireServer } from "./wire-server.fixture.ts";

const run = promisify(execFile);

describe("a download that is cut", () => {
  it.each(PLACES)("after %i bytes fetches the rest alone", async (downBytes) => {
    await using line = await openLine(onlyFirst({ downBytes }));
    await line.world.store.put(bytes);
    expect(Buffer.compare(await line.blobs.get(hash, { expectedSizeBytes: SIZE_BYTES }), bytes)).toBe(0);
    expect(line.line.connections).toBe(2);
    expect(line.line.downBytes).toBe(SIZE_BYTES);
  });

  it.each(["end", "reset"] as const)("every tenth of it (%s) gets there, in one piece or in chunks", async (by) => {
    let cuts = 0;
    await using line = await openLine(() => ({ downBytes: ++cuts % 12 === 0 ? SIZE_BYTES : SIZE_BYTES / 10 - 1, by }));
    await line.world.store.put(bytes);
    expect(Buffer.compare(await line.blobs.get(hash), bytes)).toBe(0);
    const chunks: Buffer[] = [];
    for await (const chunk of line.blobs.stream(hash)) chunks.push(Buffer.from(chunk));
    expect(Buffer.compare(Buffer.concat(chunks), bytes)).toBe(0);
  });

  it("by a line that falls silent goes on over another", async () => {
    await using line = await openLine(onlyFirst({ downBytes: 2_000_000, by: "silence" }), { client: { stallTimeoutMs: 200 } });
    await line.world.store.put(bytes);
    expect(Buffer.compare(await line.blobs.get(hash), bytes)).toBe(0);
    expect(line.line.downBytes).toBe(SIZE_BYTES);
  });

  it("is given up after some tries without progress, and at its deadline", async () => {
    const plan = (connection: number): LinePlan => ({ downBytes: connection === 0 ? 1_000_000 : 0 });
    await using line = await openLine(plan, { client: { tries: 3 } });
    await line.world.store.put(bytes);
    await expectCode(line.blobs.get(hash), "COORDINATOR_UNREACHABLE");
    expect(line.line.connections).toBe(4);
    await using late = await openLine(plan);
    await late.world.store.put(bytes);
    await expectCode(late.blobs.get(hash, { deadlineUnixMs: Date.now() - 1 }), "COORDINATOR_UNREACHABLE");
    expect(late.line.connections).toBe(1);
  });

  /** A server that cuts its first answer in half and goes on with what `rest` gives. */
  async function cutsFirst(other: (answer: number, range: string | undefined) => { status: number; headers: object; body: Buffer }) {
    let answers = 0;
    const server = http.createServer((request, response) => {
      if (answers++ === 0) {
        response.writeHead(200, { "content-length": SIZE_BYTES });
        response.write(bytes.subarray(0, SIZE_BYTES / 2), () => response.destroy());
        return;
      }
      const { status, headers, body } = other(answers, request.headers.range);
      response.writeHead(status, { "content-length": body.length, ...headers }).end(body);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const transport = connectTransport({ baseUrl: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`, tries: 2 });
    return {
      blobs: transport.blobs,
      answers: () => answers,
      async [Symbol.asyncDispose]() {
        await transport.close();
        server.closeAllConnections();
        server.close();
      },
    };
  }

  const ranged = (body: Buffer, range: string | undefined) => {
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? Number.NaN);
    return { status: 206, headers: { "content-range": `bytes ${from}-${body.length - 1}/${body.length}` }, body: body.subarray(from) };
  };
  const spoilt = Buffer.from(bytes);
  spoilt[SIZE_BYTES - 1]! ^= 1;

  it("begins anew once when its parts do not make the blob, and then says so", async () => {
    await using mends = await cutsFirst((answer, range) => (answer === 2 ? ranged(spoilt, range) : { status: 200, headers: {}, body: bytes }));
    expect(Buffer.compare(await mends.blobs.get(hash), bytes)).toBe(0);
    expect(mends.answers()).toBe(3);
    await using stays = await cutsFirst((answer, range) => (answer === 2 ? ranged(spoilt, range) : { status: 200, headers: {}, body: spoilt }));
    await expectCode(stays.blobs.get(hash), "BLOB_CORRUPT");
    expect(stays.answers()).toBe(3);
    // Chunks of a stream have been used already.
    await using streams = await cutsFirst((_, range) => ranged(spoilt, range));
    await expectCode(drain(streams.blobs.stream(hash)), "BLOB_CORRUPT");
  });

  it("skips what it has when the other side knows no ranges, and takes no range of another place or size", async () => {
    await using plain = await cutsFirst(() => ({ status: 200, headers: {}, body: bytes }));
    expect(Buffer.compare(await plain.blobs.get(hash), bytes)).toBe(0);
    for (const contentRange of ["", `bytes 0-${SIZE_BYTES - 1}/${SIZE_BYTES}`, `bytes 2500000-4999998/${SIZE_BYTES}`, "bytes 2500000-4999999/*"]) {
      await using lies = await cutsFirst(() => ({ status: 206, headers: { "content-range": contentRange }, body: bytes.subarray(SIZE_BYTES / 2) }));
      await expectCode(lies.blobs.get(hash), "COORDINATOR_UNREACHABLE");
    }
    const longer = Buffer.concat([bytes, bytes]);
    await using other = await cutsFirst((_, range) => ranged(longer, range));
    await expectCode(drain(other.blobs.stream(hash)), "BLOB_CORRUPT");
  });
});

describe("ranges", () => {
  it("are answered for curl", async ({ skip }) => {
    await using world = await openWireServer();
    await world.store.put(bytes);
    const file = join(world.folder, "half.bin");
    await writeFile(file, bytes.subarray(0, SIZE_BYTES / 2));
    const url = `${world.server.url}/blobs/${hash}`;
    try {
      await run("curl", ["-sS", "--noproxy", "*", "-C", "-", "-o", file, url]);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") skip("No curl is on the PATH.");
      throw error;
    }
    expect(Buffer.compare(await readFile(file), bytes)).toBe(0);
  });

  it("are answered as RFC 9110 says", async () => {
    await using world = await openWireServer();
    await world.store.put(bytes);
    const url = `${world.server.url}/blobs/${hash}`;
    const get = async (range: string) => {
      const response = await fetch(url, { headers: { range } });
      return { status: response.status, contentRange: response.headers.get("content-range"), length: (await response.arrayBuffer()).byteLength };
    };
    expect(await get("bytes=4999999-")).toEqual({ status: 206, contentRange: "bytes 4999999-4999999/5000000", length: 1 });
    expect(await get("bytes=0-")).toEqual({ status: 206, contentRange: "bytes 0-4999999/5000000", length: SIZE_BYTES });
    for (const behind of ["bytes=5000000-", "bytes=9007199254740991-"]) {
      expect(await get(behind)).toMatchObject({ status: 416, contentRange: "bytes */5000000" });
    }
    for (const other of ["bytes=-5", "bytes=1-2", "bytes=1-,3-", "rows=1-", "bytes=x-", `bytes=${"9".repeat(30)}-`, ""]) {
      expect([other, await get(other)]).toEqual([other, { status: 200, contentRange: null, length: SIZE_BYTES }]);
    }
  });
});
