import { createClient } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { ControlService, NodeService } from "../../proto.ts";
import { blob, bytes, hash, LOST_BYTES, onlyFirst, openLine, SIZE_BYTES } from "../server/cut-line.fixture.ts";
import type { LinePlan } from "../server/cutting-proxy.fixture.ts";
import { openWireServer, tick } from "../server/wire-server.fixture.ts";
import { expectCode } from "../transport.compliance.ts";
import { webSocketTransport, type WebSocketTransportOptions } from "./index.ts";

const line = (plan: (connection: number) => LinePlan | undefined, client: Partial<WebSocketTransportOptions> = {}) =>
  openLine(plan, { connect: webSocketTransport, client });

describe("a line that is cut, over a WebSocket", () => {
  it.each([1, 100_000, 2_500_000, 4_999_000])("after %i bytes of an upload carries the rest alone", async (upBytes) => {
    await using open = await line(onlyFirst({ upBytes }));
    await open.blobs.put(bytes, blob);
    expect(Buffer.compare(await open.world.store.read(hash), bytes)).toBe(0);
    expect(open.world.uploads).toEqual(["task_1"]);
    expect(open.line.connections).toBe(2);
    expect(open.line.upBytes).toBeLessThan(SIZE_BYTES + LOST_BYTES);
    expect(await open.world.stagedFiles()).toEqual([]);
  });

  it.each(["end", "reset"] as const)("every tenth of an upload (%s) gets it there", async (by) => {
    await using open = await line((connection) => (connection < 12 ? { upBytes: SIZE_BYTES / 10, by } : undefined));
    await open.blobs.put(bytes, blob);
    expect(Buffer.compare(await open.world.store.read(hash), bytes)).toBe(0);
    expect(open.world.uploads).toEqual(["task_1"]);
  });

  it.each(["end", "reset"] as const)("every tenth of a download (%s) gets it there", async (by) => {
    await using open = await line((connection) => (connection > 0 && connection < 12 ? { downBytes: SIZE_BYTES / 10, by } : undefined));
    await open.blobs.put(bytes, blob);
    expect(Buffer.compare(await open.blobs.get(hash), bytes)).toBe(0);
  });

  it("while an acknowledgement is on its way does not have the upload sent again", async () => {
    await using open = await line(onlyFirst({ upBytes: SIZE_BYTES + 2_000 }));
    await open.blobs.put(bytes, blob);
    expect(open.world.uploads).toEqual(["task_1"]);
    expect(open.line.upBytes).toBeLessThan(SIZE_BYTES + LOST_BYTES);
  });

  it("fails the calls under way, and the next go over another", async () => {
    await using open = await line(onlyFirst({ upBytes: 1_000 }));
    const node = createClient(NodeService, open.rpc);
    const waiting = expectCode(node.nextTask({ waitMs: 60_000 }), "COORDINATOR_UNREACHABLE");
    while (open.world.waiting() === 0) await tick();
    await expectCode(createClient(ControlService, open.rpc).getRun({ runId: "x".repeat(2_000) }), "COORDINATOR_UNREACHABLE");
    await waiting;
    expect((await createClient(ControlService, open.rpc).listRuns({})).runs[0]?.id).toBe("ash.1");
    expect(open.line.connections).toBe(2);
  });

  it("falls silent: the client notices without having anything to say, and a call that waits is told", async () => {
    await using open = await line(onlyFirst({ upBytes: 400, by: "silence" }), { silenceMs: 300 });
    const node = createClient(NodeService, open.rpc);
    await expectCode(node.nextTask({ waitMs: 60_000 }), "COORDINATOR_UNREACHABLE");
  });

  it("falls silent in the middle of an upload: it goes on over another", async () => {
    await using open = await line(onlyFirst({ upBytes: 2_000_000, by: "silence" }), { silenceMs: 300 });
    await open.blobs.put(bytes, blob);
    expect(open.world.uploads).toEqual(["task_1"]);
    expect(open.line.upBytes).toBeLessThan(SIZE_BYTES + LOST_BYTES);
  });

  it("is no line at all: what answers is told apart from a coordinator", async () => {
    await using world = await openWireServer();
    await using nowhere = webSocketTransport({ baseUrl: "http://127.0.0.1:1" });
    await expectCode(createClient(ControlService, nowhere.rpc).listRuns({}), "COORDINATOR_UNREACHABLE");
    expect(world.waiting()).toBe(0);
  });
});

describe("a coordinator that pings", () => {
  it("keeps who answers, for as long as it likes", async () => {
    await using world = await openWireServer({ pingIntervalMs: 40 });
    await using transport = webSocketTransport({ baseUrl: world.server.url, silenceMs: 150 });
    const node = createClient(NodeService, transport.rpc);
    const waiting = node.nextTask({ waitMs: 60_000 }).catch((error: unknown) => error);
    await tick(500);
    expect(world.waiting()).toBe(1);
    await transport.close();
    expect(await waiting).toMatchObject({ code: "INTERRUPTED" });
  });
});

describe("a transport that was closed", () => {
  it("connects no more", async () => {
    await using open = await line(() => undefined);
    const transport = webSocketTransport({ baseUrl: open.line.url });
    await transport.close();
    await expectCode(createClient(ControlService, transport.rpc).listRuns({}), "INTERRUPTED");
    await expectCode(transport.blobs.get(hash), "INTERRUPTED");
    await tick(50);
    expect(open.line.connections).toBe(0);
  });
});
