/** Malformed requests, calls, frames and blobs over real sockets against every listener of a coordinator. @module */
import net from "node:net";
import tls from "node:tls";
import { ERROR_CATALOGUE } from "@ciphernx/core/errors";
import { ControlService, NodeService, RosterService } from "@ciphernx/protocol/proto";
import { type Dice, dice, mutate } from "./mutate.ts";

/** A coordinator that is attacked. */
export interface Target {
  /** Of the plain port. */
  readonly port: number;
  readonly tlsPort: number;
  /** Lets mutated calls through to their handlers. */
  readonly ownerToken: string;
}

/** What came of an attack. */
export interface ListenerAttack {
  readonly messages: number;
  /** Answers by status. */
  readonly statuses: ReadonlyMap<number, number>;
  /** Answers with a status of 500 or more that name no error of ours, with what was sent. */
  readonly nameless: readonly { readonly sent: string; readonly answer: string }[];
}

/** Of connections at a time. */
const CONNECTIONS = 64;
/** Requests behind each other on one connection. */
const PIPELINED = 16;
/** For the answers of a connection; calls that wait for something are left waiting. */
const PATIENCE_MS = 400;
const SHOWN = 5;
const CODES = Object.keys(ERROR_CATALOGUE);
const HASH = "0".repeat(64);
const JUNK = [
  "",
  "{}",
  "[]",
  "null",
  '{"id":1}',
  '{"runId":"run_1","name":"x","limit":-1}',
  '{"spec":"version: 1"}',
  '{"after":1e99}',
  "\x0a\x05run_1",
  "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
];

const METHODS = [ControlService, NodeService, RosterService].flatMap((service) => service.methods.map(({ name }) => `/${service.typeName}/${name}`));
const PATHS = [
  "/",
  "/metrics",
  "/favicon.ico",
  "/auth/sign-in",
  "/auth/session",
  "/auth/passkey/options",
  "/auth/oidc/start",
  "/auth/oidc/callback",
  "/auth/invitation",
  `/blobs/${HASH}`,
  "/blobs/x",
  "/wire",
];

/** Sends `messages` malformed messages over all listeners. */
export async function attackListeners(
  target: Target,
  { messages, seed }: { readonly messages: number; readonly seed: number },
): Promise<ListenerAttack> {
  const statuses = new Map<number, number>();
  const nameless: { sent: string; answer: string }[] = [];
  let sent = 0;
  const worker = async (roll: Dice): Promise<void> => {
    while (sent < messages) {
      const wanted = Math.min(PIPELINED, messages - sent);
      const { bytes, count } = load(target, roll, wanted);
      const answer = await exchange(target, roll(4) === 0, bytes);
      if (answer === undefined) continue; // refused before a byte was read: an address may begin so many handshakes
      const parts = answer.split(/(?=HTTP\/1\.1 \d{3} )/);
      // What follows a request that ends its connection was not read, nor what follows the first answer that was too long in coming.
      sent += Math.min(count, Math.max(1, parts.length));
      for (const part of parts) {
        const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(part)?.[1] ?? 0);
        if (status > 0) statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (status >= 500 && !namesError(part) && nameless.length < SHOWN)
          nameless.push({ sent: bytes.toString("latin1").slice(0, 4_000), answer: part });
      }
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, index) => worker(dice(seed * 1_000 + index))));
  return { messages: sent, statuses, nameless };
}

/** Whether an answer names an error of the catalogue, in JSON or in the details of an RPC's error. */
function namesError(answer: string): boolean {
  const details = [...answer.matchAll(/"value":"([\w+/=-]+)"/g)].map(([, value]) => Buffer.from(value!, "base64").toString("latin1"));
  return CODES.some((code) => answer.includes(`"${code}"`) || details.some((detail) => detail.includes(code)));
}

/** What one connection sends. */
function load(target: Target, roll: Dice, wanted: number): { readonly bytes: Buffer; readonly count: number } {
  const kind = roll(10);
  const samples = [request(target, roll), request(target, roll), upgrade(target), HTTP2];
  if (kind === 0) return { bytes: mutate(samples[roll(4)]!, samples, roll), count: 1 };
  if (kind === 1) return { bytes: Buffer.concat([HTTP2, mutate(HTTP2_FRAMES, samples, roll)]), count: 1 };
  if (kind === 2) return { bytes: Buffer.concat([upgrade(target), ...Array.from({ length: wanted }, () => frame(roll, samples))]), count: 1 };
  return { bytes: Buffer.concat(Array.from({ length: wanted }, () => request(target, roll))), count: wanted };
}

/** A request that HTTP can be read of, so that others follow it: its path, headers' values and body are malformed. */
function request({ ownerToken }: Target, roll: Dice): Buffer {
  const isCall = roll(3) > 0;
  const path = isCall ? METHODS[roll(METHODS.length)]! : PATHS[roll(PATHS.length)]!;
  const method = isCall ? "POST" : ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"][roll(6)]!;
  const junk = Buffer.from(JUNK[roll(JUNK.length)]!, "latin1");
  const body =
    method === "GET" || method === "HEAD"
      ? Buffer.alloc(0)
      : roll(3) === 0
        ? junk
        : mutate(junk, [junk, Buffer.from(JUNK[roll(JUNK.length)]!)], roll);
  const value = (text: string): string => (roll(6) > 0 ? text : printable(mutate(Buffer.from(text), [Buffer.from("bytes=0-1,-5")], roll)));
  const headers = [
    `Host: ${roll(8) > 0 ? "localhost" : value("localhost")}`,
    `Content-Length: ${body.length}`,
    `Content-Type: ${value(["application/json", "application/proto", "application/grpc-web+proto", "text/plain"][roll(4)]!)}`,
    `Authorization: ${value(`Bearer ${ownerToken}`)}`,
    ...(roll(4) === 0 ? [`Connect-Protocol-Version: ${value("1")}`] : []),
    `Connect-Timeout-Ms: ${value("100")}`,
    ...(roll(4) === 0 ? [`Range: ${value("bytes=0-10")}`] : []),
    ...(roll(4) === 0 ? [`Cookie: ${value("nexus_session_7700=abc.def; a=b")}`, `Origin: ${value("http://localhost")}`] : []),
    ...(roll(6) === 0 ? [`Upload-Offset: ${value("0")}`, `Upload-Complete: ${value("?1")}`] : []),
    ...(roll(6) === 0 ? [`Connect-Content-Encoding: ${value("gzip")}`] : []),
  ];
  const query = Buffer.from("?task=task_1&x=%20");
  const target = printable(Buffer.from(roll(5) > 0 ? path : path + mutate(query, [query], roll).toString("latin1"), "latin1")).replaceAll(" ", "%");
  return Buffer.concat([Buffer.from(`${method} ${target} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n`, "latin1"), body]);
}

/** What may stand in a header's value. */
function printable(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString("latin1")
    .replaceAll(/[^\x20-\x7e\x80-\xff]/g, "?");
}

function upgrade({ ownerToken }: Target): Buffer {
  const head = ["GET /wire HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"];
  const more = ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: ciphernx.wire.v1", `Authorization: Bearer ${ownerToken}`];
  return Buffer.from(`${[...head, ...more].join("\r\n")}\r\n\r\n`);
}

/** A WebSocket message (RFC 6455 §5.2), masked, around a mutated frame of ours. */
function frame(roll: Dice, samples: readonly Uint8Array[]): Buffer {
  const ours = Buffer.from(`\x08\x01\x12\x30\x0a\x04POST\x12${String.fromCharCode(METHODS[0]!.length)}${METHODS[0]}`, "latin1");
  const payload = mutate(ours, samples, roll).subarray(0, 125);
  const opcode = roll(8) === 0 ? roll(256) : 0x82;
  return Buffer.concat([Uint8Array.of(opcode, 0x80 | payload.length, 0, 0, 0, 0), payload]);
}

const HTTP2_FRAMES = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 2, 1, 5, 0, 0, 0, 1, 0x82, 0x84, 0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
const HTTP2 = Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), HTTP2_FRAMES]);

/** Sends bytes over a connection of its own, and tells what comes back until it ends, is quiet or takes too long; undefined when it did not come about. */
async function exchange({ port, tlsPort }: Target, isTls: boolean, bytes: Buffer): Promise<string | undefined> {
  const socket = isTls
    ? tls.connect({ port: tlsPort, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] })
    : net.connect(port, "127.0.0.1");
  const parts: Buffer[] = [];
  let isOpen = false;
  let quiet: NodeJS.Timeout | undefined;
  const patience = setTimeout(() => socket.destroy(), PATIENCE_MS * 4);
  socket.on("error", () => socket.destroy());
  socket.on("data", (part: Buffer) => {
    parts.push(part);
    clearTimeout(quiet);
    quiet = setTimeout(() => socket.destroy(), PATIENCE_MS / 16);
  });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.once(isTls ? "secureConnect" : "connect", () => {
    isOpen = true;
    socket.write(bytes);
    quiet = setTimeout(() => socket.destroy(), PATIENCE_MS);
  });
  await closed;
  clearTimeout(patience);
  clearTimeout(quiet);
  return isOpen ? Buffer.concat(parts).toString("latin1") : undefined;
}

/** Whether the coordinator still answers a call that is in order. */
export async function isAlive({ port, ownerToken }: Target): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/ciphernx.control.v1.ControlService/ListRuns`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${ownerToken}` },
    body: "{}",
  });
  await response.arrayBuffer();
  return response.status === 200;
}
