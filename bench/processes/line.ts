/**
 * A line between two places: what goes in comes out as long after as light takes, no faster than the line's rate, and no more is under way than
 * one window of TCP. A new connection costs a round trip before its first byte. Slow start and loss are not part of it.
 *
 * @module
 */
import { once } from "node:events";
import net from "node:net";
import { givenOptions, letGo, tell } from "./child.ts";

export interface LineOptions {
  readonly port: number;
  /** Time of a round trip in milliseconds. */
  readonly roundTripMs: number;
  readonly bytesPerSecond: number;
  /** Bytes of one connection that are sent and not yet acknowledged. */
  readonly windowBytes: number;
}

/** Said to the line: cut a connection whenever it has carried so many bytes from the client; 0 for never. Answered with the cuts so far. */
export interface CutEvery {
  readonly cutEveryBytes: number;
}

if (import.meta.main) {
  const ended = letGo();
  const { port, roundTripMs, bytesPerSecond, windowBytes } = givenOptions<LineOptions>();
  let cutEveryBytes = 0;
  let cuts = 0;
  process.on("message", (message: CutEvery) => {
    ({ cutEveryBytes } = message);
    tell(cuts);
    cuts = 0;
  });

  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const upstream = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    const openAt = performance.now() + roundTripMs;
    let isCut = false;
    const cut = (): void => {
      isCut = true;
      cuts += 1;
      upstream.resetAndDestroy();
      setTimeout(() => client.resetAndDestroy(), roundTripMs / 2);
    };
    const gone = (): void => {
      if (isCut) return;
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on("error", gone).on("close", gone);

    const carry = (from: net.Socket, to: net.Socket, onCarried: (bytes: number) => void): void => {
      const [arrive, acknowledge] = [inOrder(), inOrder()];
      let freeAt = openAt;
      let unacknowledged = 0;
      from.on("data", (chunk: Buffer) => {
        freeAt = Math.max(freeAt, performance.now()) + (chunk.length / bytesPerSecond) * 1000;
        unacknowledged += chunk.length;
        if (unacknowledged >= windowBytes) from.pause();
        arrive(freeAt + roundTripMs / 2, () => {
          if (isCut) return;
          to.write(chunk);
          onCarried(chunk.length);
        });
        acknowledge(freeAt + roundTripMs, () => {
          unacknowledged -= chunk.length;
          if (unacknowledged < windowBytes) from.resume();
        });
      });
      from.on("end", () => arrive(freeAt + roundTripMs / 2, () => to.end()));
    };
    let carriedBytes = 0;
    carry(client, upstream, (bytes) => {
      carriedBytes += bytes;
      if (cutEveryBytes > 0 && carriedBytes >= cutEveryBytes) cut();
    });
    carry(upstream, client, () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The line has no port.");
  tell(`http://127.0.0.1:${address.port}`);
  if (!ended.aborted) await once(ended, "abort");
  process.exit();
}

/** Does things at their times, one after the other as they were asked for: timers of different lengths overtake each other. */
function inOrder(): (at: number, work: () => void) => void {
  const waiting: { readonly at: number; readonly work: () => void }[] = [];
  const next = (): void => {
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      const waitMs = first.at - performance.now();
      if (waitMs > 0) {
        setTimeout(next, waitMs);
        return;
      }
      first.work();
      waiting.shift();
    }
  };
  return (at, work) => {
    waiting.push({ at, work });
    if (waiting.length === 1) setTimeout(next, Math.max(0, at - performance.now()));
  };
}
