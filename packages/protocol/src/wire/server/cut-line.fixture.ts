/** Two ends and a line between them that is cut where a test says, and the bytes that travel. @module */
import { randomBytes } from "node:crypto";
import { connectTransport } from "../connect.ts";
import { createPartialUploads, type PartialUploadLimits } from "../partial-uploads.ts";
import { sha256 } from "../transport.compliance.ts";
import type { Transport } from "../transport.ts";
import type { WebSocketTransportOptions } from "../websocket/index.ts";
import { cuttingProxy, type LinePlan } from "./cutting-proxy.fixture.ts";
import type { WireLimits } from "./index.ts";
import { openWireServer } from "./wire-server.fixture.ts";

export const SIZE_BYTES = 5_000_000;
/**
 * What a connection that ends takes along: what the server has not read yet when the next connection goes on, which on a busy machine is what the
 * system's buffers hold, and heads after the first of a connection.
 */
export const LOST_BYTES = 1_500_000;

export async function drain(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of chunks);
}

/** A server that keeps parts, a line to it, and a node at the other end. */
export async function openLine(
  plan: (connection: number) => LinePlan | undefined,
  {
    limits,
    wire,
    client,
    connect = connectTransport,
  }: {
    limits?: Partial<PartialUploadLimits>;
    wire?: Partial<WireLimits>;
    client?: Partial<WebSocketTransportOptions>;
    connect?: (options: WebSocketTransportOptions) => Transport;
  } = {},
) {
  const stack = new AsyncDisposableStack();
  const partial = createPartialUploads(limits);
  const world = stack.use(await openWireServer(wire, "127.0.0.1", 0, async () => {}, partial));
  const line = stack.use(await cuttingProxy(() => world.server.port, plan));
  const transport = stack.use(connect({ baseUrl: line.url, token: () => "ash.1", ...client }));
  return { world, line, partial, rpc: transport.rpc, blobs: transport.blobs, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

export const bytes = randomBytes(SIZE_BYTES);
export const hash = sha256(bytes);
export const blob = { hash, sizeBytes: SIZE_BYTES, taskId: "task_1" };
export const onlyFirst = (plan: LinePlan) => (connection: number) => (connection === 0 ? plan : undefined);
export const PLACES = [0, ...Array.from({ length: 9 }, (_, tenth) => ((tenth + 1) * SIZE_BYTES) / 10), SIZE_BYTES - 1];
