/** A wire server of a test in a folder of its own, and a peer that says what it likes. @module */
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { folderBlobStore } from "@ciphernx/core/blobs";
import { NexusError } from "@ciphernx/core/errors";
import { expect } from "vitest";
import { ControlService, NodeService } from "../../proto.ts";
import { callerToken } from "../bearer.ts";
import type { PartialUploads } from "../partial-uploads.ts";
import { startWireServer, type WireLimits } from "./index.ts";

export function tick(milliseconds = 5): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Sends bytes over a fresh connection and tells all that comes back until the other side ends it or a whole answer came. */
export async function talk(world: { server: { port: number } }, bytes: string): Promise<string> {
  const socket = net.connect(world.server.port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("latin1");
  socket.on("error", () => {});
  socket.on("data", (chunk: string) => {
    answer += chunk;
    const [head = "", body] = answer.split("\r\n\r\n", 2);
    if (body !== undefined && body.length >= Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Infinity)) socket.destroy();
  });
  socket.write(bytes, "latin1");
  await once(socket, "close");
  return answer;
}

/** A server with a blob store in a folder of its own. The token `forbidden` may nothing, everybody else everything. */
export async function openWireServer(
  limits: Partial<WireLimits> = {},
  host = "127.0.0.1",
  port = 0,
  authorizeGet: () => Promise<void> = async () => {},
  partialUploads?: PartialUploads,
) {
  const folder = await mkdtemp(join(tmpdir(), "nexus-wire-"));
  const store = await folderBlobStore(join(folder, "blobs"));
  const uploads: (string | undefined)[] = [];
  const errors: string[] = [];
  let waiting = 0;
  const server = await startWireServer({
    host,
    port,
    limits,
    log: { debug: () => {}, warn: () => {}, error: (_fields, message) => errors.push(message) },
    blobs: {
      store,
      authorizeGet,
      async authorizePut(caller) {
        if (caller === "forbidden") throw new NexusError("FORBIDDEN", "Not you.");
      },
      async staged({ staged, taskId }) {
        await staged.commit();
        uploads.push(taskId);
      },
      resuming: partialUploads && {
        uploads: partialUploads,
        // As a node's sessions come and go under one name: `ash.1` and `ash.2` are both ash.
        uploader: (caller) => caller?.split(".")[0] ?? "nobody",
        async authorize(caller) {
          if (caller === "forbidden") throw new NexusError("FORBIDDEN", "Not you.");
        },
      },
    },
    routes: (router) =>
      router
        .service(ControlService, {
          listRuns: (_request, context) => ({ runs: [{ id: callerToken(context) ?? "nobody" }] }),
          getRun({ runId }) {
            throw new NexusError("RUN_NOT_FOUND", `No run has the id ${runId}.`, { details: { run: runId } });
          },
        })
        .service(NodeService, {
          heartbeat: () => ({}),
          nextTask: () => {
            waiting += 1;
            // A handler that heeds no signal: closing must not depend on it.
            return new Promise(() => {});
          },
        }),
  }).catch(async (error: unknown) => {
    await rm(folder, { recursive: true });
    throw error;
  });
  return {
    server,
    store,
    folder,
    uploads,
    waiting: () => waiting,
    stagedFiles: () => readdir(join(folder, "blobs", "staging")),
    async expectAlive() {
      const response = await fetch(`${server.url}/blobs/${"0".repeat(64)}`);
      expect(response.status).toBe(404);
      await response.arrayBuffer();
    },
    async [Symbol.asyncDispose]() {
      await server.close();
      await partialUploads?.close();
      await rm(folder, { recursive: true });
      // Whatever a peer does, it is nothing that the server did not expect.
      expect(errors).toEqual([]);
    },
  };
}
