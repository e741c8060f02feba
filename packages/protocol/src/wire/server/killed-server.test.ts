import { fork } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { folderBlobStore } from "@ciphernx/core/blobs";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { describe, expect, it } from "vitest";
import { connectTransport } from "../connect.ts";
import { createPartialUploads } from "../partial-uploads.ts";
import { expectCode } from "../transport.compliance.ts";
import { blob, bytes, hash, LOST_BYTES, SIZE_BYTES } from "./cut-line.fixture.ts";
import { cuttingProxy } from "./cutting-proxy.fixture.ts";
import { tick } from "./wire-server.fixture.ts";

describe("a server that is killed in the middle", () => {
  async function startProcess(folder: string) {
    const child = fork(join(import.meta.dirname, "folder-server.fixture.ts"), [folder], { execArgv: ["--conditions=source"] });
    const exited = once(child, "exit");
    const [port] = (await once(child, "message")) as [number];
    return {
      port,
      async kill() {
        child.kill("SIGKILL");
        await exited;
      },
    };
  }

  it("and started again gets the upload, and gives the rest of the download", async () => {
    await using folder = await temporaryFolder();
    let server = await startProcess(folder.path);
    let { port } = server;
    // Half of what comes over the first connection of each transfer; the process dies then.
    const killed: number[] = [];
    await using line = await cuttingProxy(
      () => port,
      (connection) => (connection === 0 ? { upBytes: 2_500_000, by: "stop" } : connection === killed[0] ? { downBytes: 2_500_000 } : undefined),
    );
    await using transport = connectTransport({ baseUrl: line.url, token: () => "ash.1" });
    const restart = async () => {
      await server.kill();
      server = await startProcess(folder.path);
      ({ port } = server);
    };
    try {
      const sent = transport.blobs.put(bytes, blob);
      while (line.upBytes < 2_500_000) await tick();
      await restart();
      await sent;
      // Killed before it was whole: nothing of it was kept, and all of it is there now.
      expect(line.upBytes).toBeGreaterThanOrEqual(SIZE_BYTES * 1.5);
      const store = await readFile(join(folder.path, hash.slice(0, 2), hash));
      expect(Buffer.compare(store, bytes)).toBe(0);

      await using reader = connectTransport({ baseUrl: line.url, token: () => "ash.1" });
      killed.push(line.connections);
      let received = 0;
      const chunks: Buffer[] = [];
      for await (const chunk of reader.blobs.stream(hash)) {
        if (received === 0) await restart();
        received += chunk.length;
        chunks.push(Buffer.from(chunk));
      }
      expect(Buffer.compare(Buffer.concat(chunks), bytes)).toBe(0);
      expect(line.connections).toBeGreaterThan((killed[0] ?? 0) + 1);
      expect(line.downBytes).toBeLessThan(SIZE_BYTES + LOST_BYTES);
    } finally {
      await server.kill();
    }
  });

  it("loses the parts that it had, as every folder that is opened anew", async () => {
    await using folder = await temporaryFolder();
    const store = await folderBlobStore(folder.path);
    const partial = createPartialUploads();
    const upload = { uploader: "ash", taskId: "task_1", hash, sizeBytes: SIZE_BYTES };
    const open = await partial.open(upload, { offsetBytes: 0, stage: () => store.stage(), interrupt: () => {} });
    await open.staged.write(bytes.subarray(0, 1_000));
    await open.keep(1_000);
    await folderBlobStore(folder.path);
    // The part is still open in this process, and ends without a trace.
    await partial.close();
    await expectCode(store.read(hash), "BLOB_NOT_FOUND");
  });
});
