import { fork } from "node:child_process";
import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { openWireServer, talk, tick } from "./wire-server.fixture.ts";
import { sha256 } from "../transport.compliance.ts";

describe("bad peers", () => {
  it("answers what is no HTTP with 400 and goes on", async () => {
    await using world = await openWireServer();
    for (const garbage of ["\x16\x03\x01\x02\x00 tls hello", "\0\0\0", "GARBAGE\r\n\r\n", "PUT /x HTTP/9.9\r\n\r\n"]) {
      expect([garbage, await talk(world, garbage)]).toEqual([garbage, expect.stringMatching(/^HTTP\/1.1 400 /)]);
    }
    // It looks like HTTP/2 from three bytes on, and is none: cut off without an HTTP/1 answer.
    expect(await talk(world, "PRI * HTTP/2.0\r\n\r\nnonsense nonsense nonsense nonsense")).not.toContain("HTTP/1.1");
    await world.expectAlive();
  });

  it("cuts off who says nothing, too little, or never ends a header", async () => {
    await using world = await openWireServer({ headersTimeoutMs: 100 });
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
    await using world = await openWireServer();
    const answer = await talk(world, `GET / HTTP/1.1\r\nHost: localhost\r\nX-Large: ${"x".repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 431 .*"code":"MESSAGE_INVALID"/s);
    await world.expectAlive();
  });

  it("refuses too many headers, over both HTTP versions and for WebSockets, rather than to pass over some", async () => {
    await using world = await openWireServer({ maxHeaders: 10 });
    const headers = (count: number) => Array.from({ length: count }, (_, index) => `X-${index}: 1\r\n`).join("");
    const get = (count: number, more = "") => `GET /blobs/${"0".repeat(64)} HTTP/1.1\r\nHost: localhost\r\n${more}${headers(count)}\r\n`;
    expect(await talk(world, get(9))).toMatch(/^HTTP\/1.1 404 /);
    expect(await talk(world, get(10))).toMatch(/^HTTP\/1.1 400 .*more than 10 headers/s);
    expect(await talk(world, get(3_000))).toMatch(/^HTTP\/1.1 (400 .*more than 10 headers|431 )/s);
    expect(await talk(world, get(10, "Connection: Upgrade\r\nUpgrade: websocket\r\n"))).toMatch(/^HTTP\/1.1 400 .*more than 10 headers/s);
    const session = http2.connect(world.server.url);
    session.on("error", () => {});
    try {
      const request = session.request({ ":path": "/", ...Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`x-${index}`, "1"])) });
      const [answer] = (await once(request, "response")) as [http2.IncomingHttpHeaders];
      expect(answer[":status"]).toBe(400);
      const large = session.request({ ":path": "/", "x-large": "x".repeat(20_000) });
      await expect(once(large, "response")).rejects.toThrow(/ENHANCE_YOUR_CALM|PROTOCOL_ERROR|closed/i);
    } finally {
      session.destroy();
    }
    await world.expectAlive();
  });

  it("closes connections beyond their number, and goes on with the others", async () => {
    await using world = await openWireServer({ maxConnections: 3 });
    const held = Array.from({ length: 3 }, () => net.connect(world.server.port, "127.0.0.1"));
    await Promise.all(held.map((socket) => once(socket, "connect")));
    // Closed over bytes that nobody read: reset, if the bytes were there before.
    const ask = () => talk(world, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").catch((error: Error) => error.message);
    expect(await ask()).toMatch(/^$|ECONNRESET|EPIPE/);
    held[0]!.destroy();
    while (!(await ask()).startsWith("HTTP/1.1 400 ")) await tick();
    for (const socket of held) socket.destroy();
  });

  it("ends an HTTP/2 connection without calls, though it is never quiet", async () => {
    await using world = await openWireServer({ keepAliveTimeoutMs: 200, closeGraceMs: 50 });
    const pinging = http2.connect(world.server.url);
    pinging.on("error", () => {});
    const pings = setInterval(() => pinging.destroyed || pinging.ping(() => {}), 20);
    // A request whose headers begin and never end: HEADERS without END_HEADERS (RFC 9113 §6.2), then nothing but pings.
    const endless = net.connect(world.server.port, "127.0.0.1");
    endless.on("error", () => {});
    const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    endless.write(Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), settings, Buffer.from([0, 0, 1, 1, 0, 0, 0, 0, 1, 0x82])]));
    await Promise.all([once(pinging, "close"), once(endless.resume(), "close")]);
    clearInterval(pings);
    expect([pinging.destroyed, endless.destroyed]).toEqual([true, true]);
    await world.expectAlive();
  });

  it("refuses other hosts and pages of other origins, over both HTTP versions", async () => {
    await using world = await openWireServer();
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
    await using world = await openWireServer();
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
    await using world = await openWireServer();
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

  it("says by name what is wrong with a message that is none", async () => {
    await using world = await openWireServer();
    const call = (method: string, headers: Record<string, string>, body: Uint8Array<ArrayBuffer>) =>
      fetch(`${world.server.url}/ciphernx.${method}`, { method: "POST", headers: { "connect-protocol-version": "1", ...headers }, body });
    const cut = await call("control.v1.ControlService/GetRun", { "content-type": "application/proto" }, Uint8Array.of(10, 200));
    expect([cut.status, await cut.json()]).toMatchObject([400, { error: { code: "MESSAGE_INVALID" }, code: "invalid_argument" }]);
    // Longer than a timer can be; Node would take it for no time at all.
    const long = { "content-type": "application/json", "connect-timeout-ms": "4294967296" };
    const never = await call("control.v1.ControlService/ListRuns", long, Buffer.from("{}"));
    expect([never.status, await never.json()]).toMatchObject([400, { code: "invalid_argument" }]);
    await world.expectAlive();
  });

  it("cuts off a call whose message never comes", async () => {
    await using world = await openWireServer({ messageTimeoutMs: 100 });
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
    await using world = await openWireServer({ maxBlobBytes: 1_000 });
    expect(await talk(world, head("Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n0\r\n\r\n")).toMatch(/^HTTP\/1.1 400 .*Content-Length/s);
    expect(await talk(world, head(""))).toMatch(/^HTTP\/1.1 400 .*Content-Length/s);
    expect(await talk(world, head("Content-Length: 1001\r\n"))).toMatch(/^HTTP\/1.1 400 .*1001 bytes/s);
    expect(await talk(world, head("Content-Length: 1001\r\nExpect: 100-continue\r\n"))).toMatch(/^HTTP\/1.1 400 /);
    expect(world.uploads).toEqual([]);
  });

  it("are refused before their body, and the sender that goes on sending still sees why", async () => {
    await using world = await openWireServer({});
    const forbidden = head("Authorization: Bearer forbidden\r\nContent-Length: 50000000\r\n");
    expect(await talk(world, forbidden + "x".repeat(3_000_000))).toMatch(/^HTTP\/1.1 403 .*"code":"FORBIDDEN"/s);
    expect(await talk(world, forbidden.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n"))).toMatch(/^HTTP\/1.1 403 /);
    expect(await world.stagedFiles()).toEqual([]);
  });

  it("leave nothing when the sender vanishes in the middle", async () => {
    await using world = await openWireServer();
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
    await using world = await openWireServer({ stallTimeoutMs: 300 });
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

describe("downloads", () => {
  it("end with a reader that has gone before its first byte, and do not keep the server open", async () => {
    const asked = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    const world = await openWireServer({ closeGraceMs: 50 }, "127.0.0.1", 0, async () => {
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
