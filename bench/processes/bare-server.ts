/** Bare node:http that hands out the same bytes and takes in as many, kept in memory or in files that are made durable. @module */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import http from "node:http";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { collectBulkMemory } from "@ciphernx/core/process";
import { givenOptions, letGo, tell } from "./child.ts";

export interface BareServerOptions {
  readonly folder: string;
  readonly sizeBytes: number;
}

if (import.meta.main) {
  collectBulkMemory();
  const ended = letGo();
  const { folder, sizeBytes } = givenOptions<BareServerOptions>();
  await mkdir(folder, { recursive: true });
  const model = Buffer.alloc(sizeBytes, "model");
  const kept = new Map<string, Buffer>();

  // `/memory` and `/disk` say where uploads go; a client adds its name.
  const server = http.createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The bare server has no port.");
  tell(`http://127.0.0.1:${address.port}`);
  if (!ended.aborted) await once(ended, "abort");
  server.close();
  server.closeAllConnections();

  async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const path = request.url ?? "/";
    if (request.method !== "PUT") {
      response.writeHead(200, { "content-length": model.length }).end(model);
      return;
    }
    const name = basename(path);
    if (path.startsWith("/disk/")) await pipeline(request, createWriteStream(join(folder, name), { flush: true }));
    else {
      const into = kept.get(name) ?? Buffer.alloc(sizeBytes);
      kept.set(name, into);
      let at = 0;
      for await (const chunk of request as AsyncIterable<Buffer>) at += chunk.copy(into, at);
    }
    response.writeHead(201).end();
  }
}
