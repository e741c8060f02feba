import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import http2 from "node:http2";
import net from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { NexusError } from "@ciphernx/core/errors";
import { describe, expect, it } from "vitest";
import { ControlService, NodeService } from "../../proto.ts";
import { connectTransport } from "../connect.ts";
import { fromConnectError } from "../error-detail.ts";
import { openWireServer, tick } from "./wire-server.fixture.ts";
import { expectCode, sha256 } from "../transport.compliance.ts";

const run = promisify(execFile);

describe("one port", () => {
  it("speaks gRPC, gRPC-web and Connect over HTTP/1.1 and HTTP/2, with the caller's token and whole errors", async () => {
    await using world = await openWireServer();
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
    await using world = await openWireServer();
    const long = "ä".repeat(30_000);
    const grpc = createClient(ControlService, createGrpcTransport({ baseUrl: world.server.url }));
    const overGrpc = await grpc.getRun({ runId: long }).catch((reason: unknown) => fromConnectError(ConnectError.from(reason)));
    expect(overGrpc).toMatchObject({ code: "RUN_NOT_FOUND", message: expect.stringMatching(/^No run has the id ä{500,2000}…$/) as string });
    const connect = createClient(ControlService, createConnectTransport({ baseUrl: world.server.url, httpVersion: "1.1" }));
    const overConnect = await connect.getRun({ runId: long }).catch((reason: unknown) => fromConnectError(ConnectError.from(reason)));
    expect(overConnect).toMatchObject({ code: "RUN_NOT_FOUND", message: `No run has the id ${long}.`, details: { run: long } });
  });

  it("moves blobs for curl", async () => {
    await using world = await openWireServer();
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
    await using world = await openWireServer();
    for (const host of ["127.0.0.1", "[::1]", "localhost"]) {
      const response = await fetch(`http://${host}:${world.server.port}/blobs/${"0".repeat(64)}`);
      expect([host, response.status]).toEqual([host, 404]);
      expect(await response.json()).toMatchObject({ error: { code: "BLOB_NOT_FOUND" } });
    }
  });

  it("offers HTTP/2 windows of 16 MiB", async () => {
    await using world = await openWireServer();
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
    await using world = await openWireServer();
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
      await expectCode(openWireServer({}, host), "ADDRESS_NOT_LOOPBACK");
  });

  it("names the port that another program has, on either address", async () => {
    for (const host of ["127.0.0.1", "::1"]) {
      const other = net.createServer().listen({ host, port: 0, ipv6Only: true });
      await once(other, "listening");
      const { port } = other.address() as net.AddressInfo;
      const error = await openWireServer({}, "127.0.0.1", port).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "PORT_IN_USE", message: expect.stringContaining(`port ${port}`) as string });
      other.close();
      await once(other, "close");
      // The refused start holds on to nothing.
      await (await openWireServer({}, "127.0.0.1", port))[Symbol.asyncDispose]();
    }
  });

  it("refuses numbers that are no ports", async () => {
    for (const port of [-1, 65_536, 1.5, Number.NaN]) await expectCode(openWireServer({}, "127.0.0.1", port), "USAGE");
  });
});

describe("close", () => {
  it("ends waiting calls of every protocol, idle and silent connections, and says why", async () => {
    // A grace that no test outlives: whatever ends, ends because it was idle or told to.
    const world = await openWireServer({ closeGraceMs: 600_000 });
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
    const world = await openWireServer({ closeGraceMs: 50 });
    const socket = net.connect(world.server.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(`PUT /blobs/${"0".repeat(64)} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx`);
    while ((await world.stagedFiles()).length === 0) await tick();
    await world.server.close();
    expect(await world.stagedFiles()).toEqual([]);
    await world[Symbol.asyncDispose]();
  });
});
