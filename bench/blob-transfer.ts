/**
 * 100 MB up and down through the product's blob transfer, against bare node:http moving the same bytes between the same
 * kinds of file: its PUT is piped into a file that is then made durable, its GET is piped from that file, and nothing is
 * hashed or checked. Ours hashes on both sides, stages, checks, and commits durably. Each server is a process of its
 * own, as in life; the figures are medians.
 *
 * @module
 */
import { fork } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { folderBlobStore, type Sha256 } from "@ciphernx/core/blobs";
import { createPartialUploads } from "@ciphernx/protocol/wire";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import { startWireServer } from "@ciphernx/protocol/wire/server";

export const name = "blob-transfer";

const SIZE_BYTES = 100_000_000;
const TURNS = 5;
const ROLES = ["ours", "bare"] as const;
type Role = (typeof ROLES)[number];

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** One way to move the bytes there and back; resolves with the seconds that each direction took. */
type Mover = (bytes: Uint8Array, hash: Sha256) => Promise<{ up: number; down: number }>;

/** Measures both in turns, so that what else the machine does meets both alike. */
export async function run(): Promise<{ figures: Figure[] }> {
  const folder = await mkdtemp(join(tmpdir(), "nexus-blob-transfer-"));
  const servers = await Promise.all(ROLES.map((role) => startServer(role, join(folder, role))));
  try {
    const [ours, bare] = servers as [ServerProcess, ServerProcess];
    await using transport = connectTransport({ baseUrl: ours.url, token: () => "bench" });
    const agent = new http.Agent({ keepAlive: true });
    const movers: Record<Role, Mover> = {
      async ours(bytes, hash) {
        const up = await seconds(() => transport.blobs.put(bytes, { hash, sizeBytes: bytes.length }));
        const down = await seconds(() => transport.blobs.get(hash, { expectedSizeBytes: bytes.length }));
        return { up, down };
      },
      async bare(bytes) {
        const up = await seconds(() => barePut(`${bare.url}/file`, agent, bytes));
        const down = await seconds(() => bareGet(`${bare.url}/file`, agent, bytes.length));
        return { up, down };
      },
    };
    const measured: Record<Role, { up: number[]; down: number[] }> = { ours: { up: [], down: [] }, bare: { up: [], down: [] } };
    for (let turn = -1; turn < TURNS; turn++) {
      // Other bytes every time: a store may know bytes that it has seen. The hash is the sender's own, computed before.
      const bytes = randomBytes(SIZE_BYTES);
      const hash = createHash("sha256").update(bytes).digest("hex") as Sha256;
      for (const role of turn % 2 === 0 ? ROLES : ROLES.toReversed()) {
        const { up, down } = await movers[role](bytes, hash);
        if (turn < 0) continue;
        measured[role].up.push(up);
        measured[role].down.push(down);
      }
    }
    agent.destroy();
    const rate = (role: Role, directions: ("up" | "down")[]) => {
      const total = directions.reduce((sum, direction) => sum + median(measured[role][direction]), 0);
      return (SIZE_BYTES * directions.length) / total / 1e6;
    };
    const both: ("up" | "down")[] = ["up", "down"];
    return {
      figures: [
        { name: "PUT, hashed and durable", value: rate("ours", ["up"]), unit: "MB/s" },
        { name: "GET, hashed", value: rate("ours", ["down"]), unit: "MB/s" },
        { name: "bare node:http PUT", value: rate("bare", ["up"]), unit: "MB/s" },
        { name: "bare node:http GET", value: rate("bare", ["down"]), unit: "MB/s" },
        { name: "PUT and GET / bare", value: rate("ours", both) / rate("bare", both), unit: "×", atLeast: 0.8 },
      ],
    };
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

interface ServerProcess {
  readonly url: string;
  stop(): Promise<void>;
}

async function startServer(role: Role, folder: string): Promise<ServerProcess> {
  const child = fork(fileURLToPath(import.meta.url), ["--serve", role, folder], { execArgv: ["--conditions=source"] });
  const exited = once(child, "exit");
  const [url] = (await Promise.race([once(child, "message"), exited.then(() => Promise.reject(new Error(`the ${role} server did not start`)))])) as [
    string,
  ];
  return {
    url,
    async stop() {
      child.disconnect();
      await exited;
    },
  };
}

/** The server process: tells its address, and ends when its parent lets go of it. */
async function serve(role: string, folder: string): Promise<void> {
  const { url, close } = role === "ours" ? await serveOurs(folder) : await serveBare(folder);
  process.send?.(url);
  await once(process, "disconnect");
  await close();
}

async function serveOurs(folder: string): Promise<{ url: string; close(): Promise<void> }> {
  const store = await folderBlobStore(folder);
  const ignore = () => {};
  return startWireServer({
    port: 0,
    routes: () => {},
    blobs: {
      store,
      authorizeGet: async () => {},
      authorizePut: async () => {},
      staged: async ({ staged }) => void (await staged.commit()),
      // As in a coordinator: an upload that is not cut pays for it, too.
      resuming: { uploads: createPartialUploads(), uploader: () => "bench", authorize: async () => {} },
    },
    log: { debug: ignore, warn: ignore, error: console.error },
  });
}

async function serveBare(folder: string): Promise<{ url: string; close(): Promise<void> }> {
  const path = `${folder}.bin`;
  const server = http.createServer((request, response) => {
    void (async () => {
      if (request.method === "PUT") {
        await pipeline(request, createWriteStream(path, { flush: true }));
        response.writeHead(201).end();
      } else {
        response.writeHead(200, { "content-length": (await stat(path)).size });
        await pipeline(createReadStream(path), response);
      }
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the bare server has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () => new Promise<void>((resolve) => (server.close(() => resolve()), server.closeAllConnections())),
  };
}

async function barePut(url: string, agent: http.Agent, bytes: Uint8Array): Promise<void> {
  const request = http.request(url, { method: "PUT", agent, headers: { "content-length": bytes.length } });
  request.end(bytes);
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  response.resume();
  await once(response, "end");
}

async function bareGet(url: string, agent: http.Agent, sizeBytes: number): Promise<Uint8Array> {
  const request = http.request(url, { agent });
  request.end();
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  const bytes = new Uint8Array(sizeBytes);
  let offset = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

if (import.meta.main) {
  const [flag, role, folder] = process.argv.slice(2);
  if (flag === "--serve" && role !== undefined && folder !== undefined) await serve(role, folder);
  else console.table((await run()).figures);
}
