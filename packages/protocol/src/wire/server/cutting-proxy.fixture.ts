/** A line between two parties of a test that is cut, falls silent, or changes what it carries, where the test says. @module */
import { once } from "node:events";
import net from "node:net";

/** What happens to one connection. Bytes are counted behind the first head (up to the empty line) that goes that way. */
export interface LinePlan {
  /** Body bytes from the client that are still carried. */
  readonly upBytes?: number;
  /** Body bytes to the client that are still carried. */
  readonly downBytes?: number;
  /**
   * `end`: all that was carried arrives, then both sides see the end; `reset`: both are reset; `silence`: nobody hears of anything any more;
   * `stop`: no byte goes on, but who leaves is told of.
   */
  readonly by?: "end" | "reset" | "silence" | "stop";
  /** Turns the bits of the first body byte from the client. */
  readonly spoilsUp?: boolean;
}

/** A line. */
export interface CuttingProxy extends AsyncDisposable {
  readonly url: string;
  readonly connections: number;
  /** Body bytes that were carried from the client, over all connections. */
  readonly upBytes: number;
  readonly downBytes: number;
}

/** Opens a line to a port, which may change; `plan` says what happens to each connection, counted from 0. */
export async function cuttingProxy(targetPort: () => number, plan: (connection: number) => LinePlan | undefined): Promise<CuttingProxy> {
  const sockets = new Set<net.Socket>();
  const carried = { up: 0, down: 0 };
  let connections = 0;
  const server = net.createServer({ allowHalfOpen: true }, (client) => {
    const { upBytes = Infinity, downBytes = Infinity, by = "end", spoilsUp = false } = plan(connections++) ?? {};
    const upstream = net.connect({ port: targetPort(), host: "127.0.0.1", allowHalfOpen: true });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => client.destroy() && upstream.destroy());
      socket.on("close", () => sockets.delete(socket));
    }
    let isCut = false;
    const cut = () => {
      isCut = true;
      if (by === "silence" || by === "stop") return;
      if (by === "reset") {
        client.resetAndDestroy();
        upstream.resetAndDestroy();
        return;
      }
      for (const socket of [client, upstream]) socket.end(() => socket.destroy());
    };
    const carry = (from: net.Socket, to: net.Socket, way: "up" | "down", limit: number, spoils: boolean) => {
      const head = headLength();
      let body = 0;
      from.on("data", (chunk: Buffer) => {
        if (isCut) return;
        const headBytes = head(chunk);
        const room = Math.max(0, limit - body);
        const piece = chunk.subarray(0, Math.min(chunk.length, headBytes + room));
        const bodyBytes = piece.length - Math.min(headBytes, piece.length);
        if (spoils && body === 0 && bodyBytes > 0) piece[headBytes]! ^= 255;
        body += bodyBytes;
        carried[way] += bodyBytes;
        if (piece.length > 0 && !to.write(piece)) {
          from.pause();
          to.once("drain", () => from.resume());
        }
        if (body >= limit && head.isOver()) cut();
      });
      from.on("end", () => {
        if (!isCut || by === "stop") to.end();
      });
      from.on("close", () => {
        if (!isCut || by === "stop") to.destroy();
      });
    };
    carry(client, upstream, "up", upBytes, spoilsUp);
    carry(upstream, client, "down", downBytes, false);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    get connections() {
      return connections;
    },
    get upBytes() {
      return carried.up;
    },
    get downBytes() {
      return carried.down;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Tells of each chunk how many of its bytes belong to the first head. */
function headLength(): ((chunk: Buffer) => number) & { isOver(): boolean } {
  const END = Buffer.from("\r\n\r\n");
  let tail = Buffer.alloc(0);
  let over = false;
  const count = (chunk: Buffer): number => {
    if (over) return 0;
    const seen = Buffer.concat([tail, chunk]);
    const end = seen.indexOf(END);
    if (end < 0) {
      tail = seen.subarray(-3);
      return chunk.length;
    }
    over = true;
    return end + END.length - tail.length;
  };
  return Object.assign(count, { isOver: () => over });
}
