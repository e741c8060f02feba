import { execFile, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import http2 from "node:http2";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { folderBlobStore } from "@ciphernx/core/blobs";
import { NexusError } from "@ciphernx/core/errors";
import { describe, expect, it } from "vitest";
import { ControlService, NodeService } from "../../proto.ts";
import { callerToken } from "../bearer.ts";
import { connectTransport } from "../connect.ts";
import { fromConnectError } from "../error-detail.ts";
import { expectCode, sha256 } from "../transport.compliance.ts";
import { startWireServer, type WireLimits } from "./index.ts";

const run = promisify(execFile);

describe("one port", () => {
  it("speaks gRPC, gRPC-web and Connect over HTTP/1.1 and HTTP/2, with the caller's token and whole errors", async () => {
    await using world = await open();
    const { url } = world.server;
    const transports = {
      "gRPC over h2c": createGrpcTransport({ baseUrl: url }),
      "gRPC-web": createGrpcWebTransport({ baseUrl: url, httpVersion: "1.1" }),
      "gRPC-web over h2c": createGrpcWebTransport({ baseUrl: url, httpVersion: "2" }),
      Connect: createConnectTransport({ baseUrl: url, httpVersion: "1.1" }),
      "Connect over h2c": createConnectTransport({ baseUrl: url, httpVersion: "2" }),
    };
    for (const [protocol, transport] of Object.entries(transports)) {
      const control = createClient(ControlService, transport);
      const { runs } = await control.listRuns({}, { headers: { authorization: "Bearer abc.def" } });
      expect([protocol, runs[0]?.id]).toEqual([protocol, "abc.def"]);
      const error = await control.getRun({ runId: "run_ü" }).catch((reason: unknown) => fromConnectError(ConnectError.from(reason)));
      expect([protocol, error]).toEqual([protocol, expect.any(NexusError)]);
      expect(error).toMatchObject({ code: "RUN_NOT_FOUND", message: "No run has the id run_ü.", details: { run: "run_ü" } });
    }
  });

  it("keeps errors within what gRPC trailers hold", async () => {
    await using world = await open();
    const long = "ä".repeat(30_000);
    const grpc = createClient(ControlService, createGrpcTransport({ baseUrl: world.server.url }));
    const overGrpc = await grpc.getRun({ runId: long }).catch((reason: unknown) => fromConnectError(ConnectError.from(reason)));
    expect(overGrpc).toMatchObject({ code: "RUN_NOT_FOUND", message: expect.stringMatching(/^No run has the id ä{500,2000}…$/) as string });
    const connect = createClient(ControlService, createConnectTransport({ baseUrl: world.server.url, httpVersion: "1.1" }));
    const overConnect = await connect.getRun({ runId: long }).catch((reason: unknown) => fromConnectError(ConnectError.from(reason)));
    expect(overConnect).toMatchObject({ code: "RUN_NOT_FOUND", message: `No run has the id ${long}.`, details: { run: long } });
  });

  it("moves blobs for curl", async () => {
    await using world = await open();
    const { url } = world.server;
    const bytes = randomBytes(3_000_000);
    const file = join(world.folder, "upload.bin");
    await writeFile(file, bytes);
    const blob = `${url}/blobs/${sha256(bytes)}`;
    const put = await run("curl", ["-sS", "--noproxy", "*", "-T", file, "-w", "%{http_code}", `${blob}?task=task_1`]);
    expect(put.stdout).toBe("201");
    expect(world.uploads).toEqual(["task_1"]);
    const got = await run("curl", ["-sS", "--noproxy", "*", blob], { encoding: "buffer", maxBuffer: 10_000_000 });
    expect(Buffer.from(got.stdout).equals(bytes)).toBe(true);
    const head = await run("curl", ["-sS", "--noproxy", "*", "-I", blob]);
    expect(head.stdout).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(head.stdout).toMatch(/content-length: 3000000\r\n/i);
    const wrong = await run("curl", ["-sS", "--noproxy", "*", "-T", file, "-w", "\n%{http_code}", `${url}/blobs/${"0".repeat(64)}`]);
    expect(wrong.stdout).toMatch(/"code":"BLOB_CORRUPT".*\n\n422$/s);
    expect(await world.stagedFiles()).toEqual([]);
  });

  it("is reached over IPv4, IPv6 and localhost", async () => {
    await using world = await open();
    for (const host of ["127.0.0.1", "[::1]", "localhost"]) {
      const response = await fetch(`http://${host}:${world.server.port}/blobs/${"0".repeat(64)}`);
      expect([host, response.status]).toEqual([host, 404]);
      expect(await response.json()).toMatchObject({ error: { code: "BLOB_NOT_FOUND" } });
    }
  });

  it("offers HTTP/2 windows of 16 MiB", async () => {
    await using world = await open();
    const session = http2.connect(world.server.url);
    try {
      await once(session, "remoteSettings");
      expect(session.remoteSettings.initialWindowSize).toBe(16 * 1024 * 1024);
      const request = session.request({ ":path": `/blobs/${"0".repeat(64)}` });
      const [headers] = (await once(request, "response")) as [http2.IncomingHttpHeaders];
      expect(headers[":status"]).toBe(400);
      expect(session.state.remoteWindowSize).toBeGreaterThanOrEqual(16 * 1024 * 1024 - 100);
    } finally {
      session.destroy();
    }
  });

  it("never compresses", async () => {
    await using world = await open();
    const response = await fetch(`${world.server.url}/ciphernx.control.v1.ControlService/ListRuns`, {
      method: "POST",
      headers: { "content-type": "application/json", "accept-encoding": "gzip, br" },
      body: "{}",
    });
    expect(response.headers.get("content-encoding")).toBeNull();
    expect(await response.json()).toEqual({ runs: [{ id: "nobody" }] });
  });
});

describe("where it listens", () => {
  it("refuses addresses that others could reach", async () => {
    for (const host of ["0.0.0.0", "::", "192.168.1.1", "example.org", "127.0.0.1.example.org", ""])
      await expectCode(open({}, host), "ADDRESS_NOT_LOOPBACK");
  });

  it("names the port that another program has, on either address", async () => {
    for (const host of ["127.0.0.1", "::1"]) {
      const other = net.createServer().listen({ host, port: 0, ipv6Only: true });
      await once(other, "listening");
      const { port } = other.address() as net.AddressInfo;
      const error = await open({}, "127.0.0.1", port).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "PORT_IN_USE", message: expect.stringContaining(`port ${port}`) as string });
      other.close();
      await once(other, "close");
      // The refused start holds on to nothing.
      await (await open({}, "127.0.0.1", port))[Symbol.asyncDispose]();
    }
  });

  it("refuses numbers that are no ports", async () => {
    for (const port of [-1, 65_536, 1.5, Number.NaN]) await expectCode(open({}, "127.0.0.1", port), "USAGE");
  });
});

describe("bad peers", () => {
  it("answers what is no HTTP with 400 and goes on", async () => {
    await using world = await open();
    for (const garbage of ["\x16\x03\x01\x02\x00 tls hello", "\0\0\0", "GARBAGE\r\n\r\n", "PUT /x HTTP/9.9\r\n\r\n"]) {
      expect([garbage, await talk(world, garbage)]).toEqual([garbage, expect.stringMatching(/^HTTP\/1.1 400 /)]);
    }
    // It looks like HTTP/2 from three bytes on, and is none: cut off without an HTTP/1 answer.
    expect(await talk(world, "PRI * HTTP/2.0\r\n\r\nnonsense nonsense nonsense nonsense")).not.toContain("HTTP/1.1");
    await world.expectAlive();
  });

  it("cuts off who says nothing, too little, or never ends a header", async () => {
    await using world = await open({ headersTimeoutMs: 100 });
    expect(await talk(world, "")).toBe("");
    expect(await talk(world, "PR")).toBe("");
    expect(await talk(world, "GET /blobs/x HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")).toMatch(/^(HTTP\/1.1 408 .*)?$/s);
    // A trickle does not buy time either, nor does a first request that was in order.
    const dripping = net.connect(world.server.port, "127.0.0.1");
    dripping.on("error", () => {});
    dripping.write(`GET /blobs/${"0".repeat(64)} HTTP/1.1\r\nHost: localhost\r\n\r\nGET /`);
    const drip = setInterval(() => dripping.write("x"), 20);
    await once(dripping.resume(), "close");
    clearInterval(drip);
    await world.expectAlive();
  });

  it("refuses headers that are too large", async () => {
    await using world = await open();
    const answer = await talk(world, `GET / HTTP/1.1\r\nHost: localhost\r\nX-Large: ${"x".repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 431 .*"code":"MESSAGE_INVALID"/s);
    await world.expectAlive();
  });

  it("refuses other hosts and pages of other origins, over both HTTP versions", async () => {
    await using world = await open();
    const get = (headers: string) => talk(world, `GET /blobs/${"0".repeat(64)} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`);
    const own = `localhost:${world.server.port}`;
    for (const headers of [
      "Host: attacker.example\r\n",
      `Host: localhost.attacker.example:${world.server.port}\r\n`,
      "Host: 127.0.0.1.nip.io\r\n",
      `Host: ${own}\r\nOrigin: https://attacker.example\r\n`,
      `Host: ${own}\r\nOrigin: http://localhost:1\r\n`,
      `Host: ${own}\r\nOrigin: null\r\n`,
    ]) {
      expect([headers, await get(headers)]).toEqual([headers, expect.stringMatching(/^HTTP\/1.1 403 .*"code":"FORBIDDEN"/s)]);
    }
    expect(await get(`Host: user@${own}\r\n`)).toMatch(/^HTTP\/1.1 400 /);
    expect(await get("")).toMatch(/^HTTP\/1.1 400 /);
    for (const headers of [`Host: ${own}\r\nOrigin: http://${own}\r\n`, "Host: [::1]:9000\r\nOrigin: http://[::1]:9000\r\n", "Host: 127.0.0.1\r\n"]) {
      expect([headers, await get(headers)]).toEqual([headers, expect.stringMatching(/^HTTP\/1.1 404 /)]);
    }
    const session = http2.connect(world.server.url);
    try {
      const request = session.request({
        ":authority": "attacker.example",
        ":path": "/ciphernx.control.v1.ControlService/ListRuns",
        ":method": "POST",
      });
      const [headers] = (await once(request, "response")) as [http2.IncomingHttpHeaders];
      expect(headers[":status"]).toBe(403);
    } finally {
      session.destroy();
    }
  });

  it("answers paths and methods that are not there", async () => {
    await using world = await open();
    for (const [method, path, status] of [
      ["GET", "/", 400],
      ["POST", `/blobs/${"0".repeat(64)}`, 400],
      ["GET", "/blobs/../../etc/passwd", 400],
      ["GET", `/blobs/${"A".repeat(64)}`, 400],
      ["HEAD", `/blobs/${"0".repeat(64)}`, 404],
    ] as const) {
      const answer = await talk(world, `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      expect([path, answer]).toEqual([path, expect.stringMatching(new RegExp(`^HTTP/1.1 ${status} `))]);
    }
  });

  it("refuses a message that is too large, whether or not it says so beforehand", async () => {
    await using world = await open();
    const url = `${world.server.url}/ciphernx.control.v1.ControlService/ListRuns`;
    const headers = { "content-type": "application/json" };
    const announced = await fetch(url, { method: "POST", headers, body: `{${" ".repeat(5_000_000)}}` });
    expect([announced.status, await announced.json()]).toMatchObject([429, { code: "resource_exhausted" }]);
    const unannounced = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(1_000_000).fill(32)),
    });
    // An endless body is cut off; the answer before it may or may not be seen.
    await fetch(url, { method: "POST", headers, body: unannounced, duplex: "half" } as RequestInit).then(
      (response) => expect(response.status).toBe(429),
      (error: unknown) => expect(error).toBeInstanceOf(TypeError),
    );
    await world.expectAlive();
  });

  it("cuts off a call whose message never comes", async () => {
    await using world = await open({ messageTimeoutMs: 100 });
    const head =
      "POST /ciphernx.control.v1.ControlService/ListRuns HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{";
    expect(await talk(world, head)).not.toMatch(/^HTTP\/1.1 200/);
    await world.expectAlive();
  });
});

describe("uploads", () => {
  const hash = "0".repeat(64);
  const head = (headers: string) => `PUT /blobs/${hash} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;

  it("must announce a size that is allowed", async () => {
    await using world = await open({ maxBlobBytes: 1_000 });
    expect(await talk(world, head("Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n0\r\n\r\n")).toMatch(/^HTTP\/1.1 400 .*Content-Length/s);
    expect(await talk(world, head(""))).toMatch(/^HTTP\/1.1 400 .*Content-Length/s);
    expect(await talk(world, head("Content-Length: 1001\r\n"))).toMatch(/^HTTP\/1.1 400 .*1001 bytes/s);
    expect(await talk(world, head("Content-Length: 1001\r\nExpect: 100-continue\r\n"))).toMatch(/^HTTP\/1.1 400 /);
    expect(world.uploads).toEqual([]);
  });

  it("are refused before their body, and the sender that goes on sending still sees why", async () => {
    await using world = await open({});
    const forbidden = head("Authorization: Bearer forbidden\r\nContent-Length: 50000000\r\n");
    expect(await talk(world, forbidden + "x".repeat(3_000_000))).toMatch(/^HTTP\/1.1 403 .*"code":"FORBIDDEN"/s);
    expect(await talk(world, forbidden.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n"))).toMatch(/^HTTP\/1.1 403 /);
    expect(await world.stagedFiles()).toEqual([]);
  });

  it("leave nothing when the sender vanishes in the middle", async () => {
    await using world = await open();
    for (const end of ["destroy", "end"] as const) {
      const socket = net.connect(world.server.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(head("Content-Length: 1000000\r\n") + "x".repeat(300_000));
      while ((await world.stagedFiles()).length === 0) await tick();
      if (end === "destroy") socket.resetAndDestroy();
      else socket.end();
      while ((await world.stagedFiles()).length > 0) await tick();
      socket.destroy();
    }
    expect(world.uploads).toEqual([]);
    await world.expectAlive();
  });

  it("may be slow as long as they move, and are given up when they stall", async () => {
    await using world = await open({ stallTimeoutMs: 300 });
    const bytes = Buffer.from("slow and steady");
    const socket = net.connect(world.server.port, "127.0.0.1");
    socket.write(`PUT /blobs/${sha256(bytes)} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bytes.length}\r\n\r\n`);
    const started = performance.now();
    for (const byte of bytes) {
      socket.write(Uint8Array.of(byte));
      await tick(50);
    }
    expect(performance.now() - started).toBeGreaterThan(300);
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 201 /);
    socket.destroy();
    expect(await talk(world, head("Content-Length: 1000\r\n") + "x")).toBe("");
    while ((await world.stagedFiles()).length > 0) await tick();
  });

  it("of which a hundred at once do not fill the memory", async () => {
    const sink = fork(join(import.meta.dirname, "upload-sink.fixture.ts"), { execArgv: ["--conditions=source"] });
    const exited = once(sink, "exit");
    try {
      const [{ port, rssBytes: before }] = (await once(sink, "message")) as [{ port: number; rssBytes: number }];
      // 4 of 40 MB each; no sender goes on or away before all have sent as much.
      const part = Buffer.alloc(4_000_000, 120);
      const sockets = await Promise.all(
        Array.from({ length: 100 }, async () => {
          const socket = net.connect(port, "127.0.0.1");
          await once(socket, "connect");
          socket.write(head("Content-Length: 40000000\r\n"));
          await new Promise<void>((resolve) => socket.write(part, () => resolve()));
          return socket;
        }),
      );
      sink.send("measure");
      const [{ rssBytes: after, receivedBytes }] = (await once(sink, "message")) as [{ rssBytes: number; receivedBytes: number }];
      for (const socket of sockets) socket.destroy();
      expect(receivedBytes).toBe(400_000_000);
      // Chunks that wait to be collected make up to 95 MB, as they do when bare node:http throws bodies away; held bodies would be 400 MB.
      expect((after - before) / 1e6).toBeLessThan(150);
    } finally {
      sink.kill();
      await exited;
    }
  });
});

describe("close", () => {
  it("ends waiting calls of every protocol, idle and silent connections, and says why", async () => {
    // A grace that no test outlives: whatever ends, ends because it was idle or told to.
    const world = await open({ closeGraceMs: 600_000 });
    const { url, port } = world.server;
    await using transport = connectTransport({ baseUrl: url });
    const grpc = createClient(NodeService, createGrpcTransport({ baseUrl: url }));
    const silent = net.connect(port, "127.0.0.1");
    const idle = net.connect(port, "::1");
    idle.write(`HEAD /blobs/${"0".repeat(64)} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await once(idle, "data");
    const calls = [
      expectCode(createClient(NodeService, transport.rpc).nextTask({}), "COORDINATOR_UNREACHABLE"),
      expectCode(
        grpc.nextTask({}).catch((error: unknown) => Promise.reject(fromConnectError(ConnectError.from(error)))),
        "COORDINATOR_UNREACHABLE",
      ),
    ];
    while (world.waiting() < 2) await tick();
    const gone = Promise.all([once(silent.resume(), "close"), once(idle.resume(), "close")]);
    await Promise.all([world[Symbol.asyncDispose](), world.server.close()]);
    await Promise.all([...calls, gone]);
    await expectCode(createClient(NodeService, transport.rpc).heartbeat({}), "COORDINATOR_UNREACHABLE");
    await expectCode(transport.blobs.get(sha256(new Uint8Array())), "COORDINATOR_UNREACHABLE");
  });

  it("cuts off uploads that do not end in time, and leaves nothing of them", async () => {
    const world = await open({ closeGraceMs: 50 });
    const socket = net.connect(world.server.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(`PUT /blobs/${"0".repeat(64)} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx`);
    while ((await world.stagedFiles()).length === 0) await tick();
    await world.server.close();
    expect(await world.stagedFiles()).toEqual([]);
    await world[Symbol.asyncDispose]();
  });
});

describe("downloads", () => {
  it("end with a reader that has gone before its first byte, and do not keep the server open", async () => {
    const asked = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    const world = await open({ closeGraceMs: 50 }, "127.0.0.1", 0, async () => {
      asked.resolve();
      await left.promise;
    });
    const hash = await world.store.put(new Uint8Array(4 * 1024 * 1024));
    const socket = net.connect(world.server.port, "127.0.0.1");
    socket.write(`GET /blobs/${hash} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await asked.promise;
    socket.resetAndDestroy();
    await sleep(50); // the server hears of the reset
    left.resolve();
    await expect(world.server.close()).resolves.toBeUndefined();
    await world[Symbol.asyncDispose]();
  });
});

describe("connectTransport", () => {
  it("says that nobody, or somebody else, answers", async () => {
    const other = net.createServer((socket) =>
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")),
    );
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as net.AddressInfo;
    {
      await using transport = connectTransport({ baseUrl: `http://127.0.0.1:${port}` });
      const bytes = new Uint8Array(10);
      await expectCode(transport.blobs.put(bytes, { hash: sha256(bytes), sizeBytes: 10 }), "COORDINATOR_UNREACHABLE");
      await expectCode(transport.blobs.get(sha256(bytes)), "BLOB_CORRUPT");
      await expect(createClient(NodeService, transport.rpc).heartbeat({})).rejects.toBeInstanceOf(NexusError);
    }
    other.close();
    await once(other, "close");
    await using transport = connectTransport({ baseUrl: `http://127.0.0.1:${port}` });
    await expectCode(createClient(NodeService, transport.rpc).heartbeat({}), "COORDINATOR_UNREACHABLE");
    await expectCode(
      transport.blobs.put(new Uint8Array(1_000_000), { hash: sha256(new Uint8Array()), sizeBytes: 1_000_000 }),
      "COORDINATOR_UNREACHABLE",
    );
  });

  it("notices a download that is cut short", async () => {
    const other = net.createServer((socket) => socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nhello")));
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    await using transport = connectTransport({ baseUrl: `http://127.0.0.1:${(other.address() as net.AddressInfo).port}` });
    await expectCode(transport.blobs.get(sha256(new Uint8Array())), "COORDINATOR_UNREACHABLE");
    other.close();
  });

  it("gives up a transfer that stalls", async () => {
    const other = net.createServer((socket) => socket.resume());
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    await using transport = connectTransport({ baseUrl: `http://127.0.0.1:${(other.address() as net.AddressInfo).port}`, stallTimeoutMs: 50 });
    await expectCode(transport.blobs.get(sha256(new Uint8Array())), "TIMEOUT");
    other.close();
  });

  it("does not send tokens off the machine, and takes addresses only", () => {
    for (const baseUrl of ["http://192.168.1.1:80", "http://example.org", "http://localhost.example.org"]) {
      expect(() => connectTransport({ baseUrl })).toThrow(expect.objectContaining({ code: "ADDRESS_NOT_LOOPBACK" }) as Error);
    }
    for (const baseUrl of ["", "127.0.0.1:80", "https://127.0.0.1", "http://127.0.0.1/path", "http://u:p@127.0.0.1"]) {
      expect(() => connectTransport({ baseUrl })).toThrow(expect.objectContaining({ code: "USAGE" }) as Error);
    }
  });

  it("ignores proxy variables", async () => {
    await using world = await open();
    const hash = await world.store.put(Buffer.from("hello"));
    const script = `
      const { createClient } = await import("@connectrpc/connect");
      const { connectTransport } = await import("@ciphernx/protocol/wire/connect");
      const { ControlService } = await import("@ciphernx/protocol/proto");
      const transport = connectTransport({ baseUrl: process.argv[1], token: () => "t" });
      const { runs } = await createClient(ControlService, transport.rpc).listRuns({});
      console.log(runs[0].id, Buffer.from(await transport.blobs.get(process.argv[2])).toString());
      await transport.close();`;
    const dead = "http://127.0.0.1:9";
    const { stdout } = await run(process.execPath, ["--conditions=source", "--input-type=module", "-e", script, world.server.url, hash], {
      cwd: import.meta.dirname,
      env: { ...process.env, NODE_USE_ENV_PROXY: "1", HTTP_PROXY: dead, http_proxy: dead, HTTPS_PROXY: dead, NO_PROXY: "", no_proxy: "" },
    });
    expect(stdout).toBe("t hello\n");
  });
});

function tick(milliseconds = 5): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Sends bytes over a fresh connection and tells all that comes back until the other side ends it or a whole answer came. */
async function talk(world: { server: { port: number } }, bytes: string): Promise<string> {
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
async function open(limits: Partial<WireLimits> = {}, host = "127.0.0.1", port = 0, authorizeGet: () => Promise<void> = async () => {}) {
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
      await rm(folder, { recursive: true });
      // Whatever a peer does, it is nothing that the server did not expect.
      expect(errors).toEqual([]);
    },
  };
}
