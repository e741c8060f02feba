import { execFile } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { promisify } from "node:util";
import { createClient } from "@connectrpc/connect";
import { NexusError } from "@ciphernx/core/errors";
import { describe, expect, it } from "vitest";
import { NodeService } from "../../proto.ts";
import { connectTransport } from "../connect.ts";
import { openWireServer } from "./wire-server.fixture.ts";
import { expectCode, sha256 } from "../transport.compliance.ts";

const run = promisify(execFile);

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
    await using transport = connectTransport({ baseUrl: `http://127.0.0.1:${(other.address() as net.AddressInfo).port}`, tries: 2 });
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
    for (const baseUrl of ["", "127.0.0.1:80", "ftp://127.0.0.1", "http://127.0.0.1/path", "http://u:p@127.0.0.1"]) {
      expect(() => connectTransport({ baseUrl })).toThrow(expect.objectContaining({ code: "USAGE" }) as Error);
    }
  });

  it("ignores proxy variables", async () => {
    await using world = await openWireServer();
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
