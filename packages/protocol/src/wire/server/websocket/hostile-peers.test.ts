import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { sha256 } from "../../transport.compliance.ts";
import { decodeFrame, encodeFrame, type FrameContent, MAX_EXCHANGES, MAX_FRAME_BYTES, SUBPROTOCOL } from "../../websocket/frames.ts";
import type { WireLimits } from "../index.ts";
import { openWireServer, talk, tick } from "../wire-server.fixture.ts";

type Told = NonNullable<ReturnType<typeof decodeFrame>>;

/** A server, and a peer that says over a WebSocket what it likes. */
async function openPeer(limits: Partial<WireLimits> = {}) {
  const world = await openWireServer(limits);
  const socket = new WebSocket(`${world.server.url.replace("http", "ws")}/wire`, SUBPROTOCOL);
  socket.on("error", () => {});
  const told: Told[] = [];
  socket.on("message", (data) => told.push(decodeFrame(data as Buffer)!));
  const closed = once(socket, "close").then(([code]) => code as number);
  await once(socket, "open");
  return {
    ...{ world, socket, told, closed },
    say: (exchange: number, content: FrameContent) => socket.send(encodeFrame(exchange, content)),
    /** Waits for a frame. */
    async hears(fits: (frame: Told) => boolean): Promise<Told> {
      for (;;) {
        const found = told.find(fits);
        if (found !== undefined) return found;
        await tick();
      }
    },
    async [Symbol.asyncDispose]() {
      socket.terminate();
      await world.expectAlive();
      await world[Symbol.asyncDispose]();
    },
  };
}

const LIST_RUNS = "/ciphernx.control.v1.ControlService/ListRuns";
const NEXT_TASK = "/ciphernx.node.v1.NodeService/NextTask";
const PROTO = { "content-type": "application/proto", "connect-protocol-version": "1" };
const open = (path: string, headers: Record<string, string> = PROTO, method = "POST", end = false): FrameContent => ({
  case: "open",
  value: { method, path, headers, end },
});
const data = (body: Uint8Array, end = false): FrameContent => ({ case: "data", value: { body, end } });
const answerTo = (exchange: number) => (frame: Told) => frame.exchange === exchange && frame.content.case === "answer";
const cancelOf = (exchange: number) => (frame: Told) => frame.exchange === exchange && frame.content.case === "cancel";

describe("a peer on a WebSocket that breaks the rules is closed upon", () => {
  it.each<[string, number, (peer: Awaited<ReturnType<typeof openPeer>>) => void]>([
    ["text", 1003, ({ socket }) => socket.send("hello")],
    ["bytes that are no frame", 1002, ({ socket }) => socket.send(randomBytes(100))],
    ["an empty message", 1002, ({ socket }) => socket.send(new Uint8Array())],
    ["a frame without content", 1002, ({ socket }) => socket.send(Uint8Array.of(8, 1))],
    ["a frame that is too large", 1009, ({ socket }) => socket.send(new Uint8Array(MAX_FRAME_BYTES + 1))],
    ["exchange 0", 1002, ({ say }) => say(0, open(LIST_RUNS))],
    ["a number twice", 1002, ({ say }) => (say(1, open(LIST_RUNS)), say(1, open(LIST_RUNS)))],
    ["a smaller number", 1002, ({ say }) => (say(7, open(LIST_RUNS)), say(3, open(LIST_RUNS)))],
    ["data before it is opened", 1002, ({ say }) => say(1, data(Uint8Array.of(1)))],
    ["credit for nothing", 1002, ({ say }) => say(9, { case: "credit", value: { bytes: 1 } })],
    ["what servers say: an answer", 1002, ({ say }) => (say(1, open(NEXT_TASK)), say(1, { case: "answer", value: { status: 200 } }))],
    ["what servers say: a ping", 1002, ({ say }) => say(0, { case: "ping", value: {} })],
    ["data after the end", 1008, ({ say }) => (say(1, open(NEXT_TASK)), say(1, data(Uint8Array.of(), true)), say(1, data(Uint8Array.of(1))))],
    ["a piece that is too large", 1008, ({ say }) => (say(1, open(NEXT_TASK)), say(1, data(new Uint8Array(65_537))))],
    ["unbelievable credit", 1002, ({ say }) => (say(1, open(NEXT_TASK)), say(1, { case: "credit", value: { bytes: 4_294_967_295 } }))],
    ["no credit at all", 1002, ({ say }) => (say(1, open(NEXT_TASK)), say(1, { case: "credit", value: { bytes: 0 } }))],
    [
      "too many exchanges",
      1008,
      ({ say }) => {
        for (let id = 1; id <= MAX_EXCHANGES + 1; id += 1) say(id, open(NEXT_TASK));
      },
    ],
  ])("%s", async (_, code, misbehave) => {
    await using peer = await openPeer();
    misbehave(peer);
    expect(await peer.closed).toBe(code);
  });
});

describe("a peer on a WebSocket", () => {
  it("is answered what it asks, and errors as over HTTP", async () => {
    await using peer = await openPeer();
    peer.say(1, open(LIST_RUNS, { ...PROTO, authorization: "Bearer me" }));
    peer.say(1, data(Uint8Array.of(), true));
    peer.say(2, open("/nowhere"));
    peer.say(3, open(`/blobs/${"0".repeat(64)}`, {}, "GET", true));
    peer.say(4, open(`/blobs/${"0".repeat(64)}`, {}, "DELETE", true));
    peer.say(5, open("/blobs/xyz", {}, "GET", true));
    peer.say(6, open(LIST_RUNS, { "content-type": "text/plain" }));
    const status = async (id: number) => {
      const { content } = await peer.hears(answerTo(id));
      return content.case === "answer" ? content.value.status : undefined;
    };
    expect([await status(1), await status(2), await status(3), await status(4), await status(5), await status(6)]).toEqual([
      200, 400, 404, 400, 400, 415,
    ]);
  });

  it("sends no header that HTTP could not carry, nor too many", async () => {
    await using peer = await openPeer();
    const bad = [
      { "x\r\ny": "1" },
      { x: "1\r\nauthorization: Bearer owner" },
      { "": "1" },
      { "X-UPPER": "1" },
      { x: "x".repeat(17_000) },
      { x: "\u0000" },
    ];
    for (const [index, headers] of bad.entries()) peer.say(index + 1, open(LIST_RUNS, headers));
    for (const index of bad.keys()) {
      const { content } = await peer.hears(answerTo(index + 1));
      expect(content).toMatchObject({ case: "answer", value: { status: 400 } });
    }
  });

  it("that grants nothing is sent a window and no more, then given up", async () => {
    const blob = randomBytes(4_000_000);
    await using peer = await openPeer({ stallTimeoutMs: 300 });
    await peer.world.store.put(blob);
    peer.say(1, open(`/blobs/${sha256(blob)}`, {}, "GET", true));
    await peer.hears(cancelOf(1));
    const sent = peer.told.reduce((sum, { content }) => sum + (content.case === "data" ? content.value.body.length : 0), 0);
    expect(sent).toBe(1_048_576);
  });

  it("that promises an upload or a message and does not send it is given up; nothing stays of it", async () => {
    await using peer = await openPeer({ stallTimeoutMs: 150, messageTimeoutMs: 150 });
    peer.say(1, open(`/blobs/${"0".repeat(64)}`, { "content-length": "1000000" }, "PUT"));
    peer.say(2, open(LIST_RUNS));
    await Promise.all([peer.hears(cancelOf(1)), peer.hears(cancelOf(2))]);
    while ((await peer.world.stagedFiles()).length > 0) await tick();
    expect(peer.socket.readyState).toBe(WebSocket.OPEN);
  });

  it("is granted nothing for an upload that it may not make", async () => {
    await using peer = await openPeer();
    peer.say(1, open(`/blobs/${"0".repeat(64)}`, { "content-length": "1000000", authorization: "Bearer forbidden" }, "PUT"));
    const { content } = await peer.hears(answerTo(1));
    expect(content).toMatchObject({ value: { status: 403 } });
    expect(peer.told.some((frame) => frame.content.case === "credit")).toBe(false);
    // What was on its way crosses with the answer and harms nobody.
    peer.say(1, data(new Uint8Array(1_000)));
    peer.say(2, open(LIST_RUNS));
    peer.say(2, data(Uint8Array.of(), true));
    await peer.hears(answerTo(2));
  });

  it("that does not answer pings is cut off", async () => {
    await using peer = await openPeer({ pingIntervalMs: 40 });
    expect(await peer.closed).toBe(1006);
    expect(peer.told.some(({ content }) => content.case === "ping")).toBe(true);
  });

  it("opens and gives up ten thousand exchanges, and none is left", async () => {
    await using peer = await openPeer();
    for (let id = 1; id <= 10_000; id += 1) {
      peer.say(id, open(NEXT_TASK));
      peer.say(id, { case: "cancel", value: {} });
    }
    peer.say(10_001, open(LIST_RUNS));
    peer.say(10_001, data(Uint8Array.of(), true));
    await peer.hears(answerTo(10_001));
    expect(peer.socket.readyState).toBe(WebSocket.OPEN);
  });
});

describe("a request to become a WebSocket", () => {
  const ask = (world: Awaited<ReturnType<typeof openWireServer>>, lines: readonly string[], path = "/wire") =>
    talk(
      world,
      [
        `GET ${path} HTTP/1.1`,
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ...lines,
        "",
        "",
      ].join("\r\n"),
    );
  const protocol = `Sec-WebSocket-Protocol: ${SUBPROTOCOL}`;

  it.each<[string, RegExp, readonly string[], string?]>([
    ["from a page of another origin", /^HTTP\/1.1 403 .*"code":"FORBIDDEN"/s, ["Host: localhost", "Origin: https://attacker.example", protocol]],
    ["for another host", /^HTTP\/1.1 403 .*"code":"FORBIDDEN"/s, ["Host: attacker.example", protocol]],
    ["without a host", /^HTTP\/1.1 400 /, [protocol]],
    ["without the subprotocol", /^HTTP\/1.1 400 .*subprotocol/s, ["Host: localhost"]],
    ["with another subprotocol", /^HTTP\/1.1 400 .*subprotocol/s, ["Host: localhost", "Sec-WebSocket-Protocol: graphql-ws"]],
    ["at another path", /^HTTP\/1.1 400 .*There is no WebSocket at/s, ["Host: localhost", protocol], "/blobs/wire"],
  ])("%s is refused", async (_, answer, lines, path) => {
    await using world = await openWireServer();
    expect(await ask(world, lines, path)).toMatch(answer);
    await world.expectAlive();
  });

  it("of another kind is not heeded", async () => {
    await using world = await openWireServer();
    const answer = await talk(world, "GET /blobs/x HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1.1 400 .*A blob's address/s);
  });

  it("is answered only over a closing server's last words afterwards", async () => {
    const peer = await openPeer();
    peer.say(1, open(NEXT_TASK));
    peer.say(1, data(Uint8Array.of(), true));
    while (peer.world.waiting() === 0) await tick();
    await peer.world.server.close();
    expect(await peer.closed).toBe(1001);
    expect(await peer.hears(answerTo(1))).toMatchObject({ content: { value: { status: 503 } } });
    await peer.world[Symbol.asyncDispose]();
  });
});
