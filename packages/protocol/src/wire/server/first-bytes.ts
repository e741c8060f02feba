import type { Server, Socket } from "node:net";

/** RFC 9113 §3.4: a client with prior knowledge begins with `PRI * HTTP/2.0…`; no HTTP/1 method begins with PRI. */
const PREFACE = Buffer.from("PRI");

/**
 * Looks at a new connection's first three bytes and hands it, with those bytes put back, to the HTTP/2 or the HTTP/1.1
 * server. A peer that says nothing in time, or until `signal` is aborted, is cut off.
 */
export function routeByFirstBytes(
  socket: Socket,
  servers: { readonly http1: Server; readonly http2: Server },
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): void {
  let first: Buffer = Buffer.alloc(0);
  const stop = () => {
    clearTimeout(timer);
    signal.removeEventListener("abort", onGone);
    socket.off("data", onData);
    socket.off("end", onGone);
    socket.off("error", onGone);
    socket.off("close", onGone);
  };
  const onGone = () => {
    stop();
    // An error that comes with the end concerns nobody any more.
    socket.on("error", () => {});
    socket.destroy();
  };
  const onData = (chunk: Buffer) => {
    first = first.length === 0 ? chunk : Buffer.concat([first, chunk]);
    const head = first.subarray(0, PREFACE.length);
    const maybeHttp2 = head.equals(PREFACE.subarray(0, head.length));
    if (maybeHttp2 && head.length < PREFACE.length) return;
    stop();
    socket.pause();
    socket.unshift(first);
    (maybeHttp2 ? servers.http2 : servers.http1).emit("connection", socket);
    if (!maybeHttp2) socket.resume();
  };
  const timer = setTimeout(onGone, timeoutMs);
  signal.addEventListener("abort", onGone);
  socket.on("data", onData);
  socket.on("end", onGone);
  socket.on("error", onGone);
  socket.on("close", onGone);
}
