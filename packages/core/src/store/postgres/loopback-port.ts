import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Below the range from which Linux (32768–60999) and macOS (49152–65535) take the ports of outgoing connections:
 * nobody else is given the port while a dead server is restarted on it.
 */
const [FROM, TO] = [20_000, 32_768];

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ host: "127.0.0.1", port, exclusive: true });
    await once(server, "listening");
    return true;
  } catch {
    return false; // whatever the reason, this port is not for us
  } finally {
    if (server.listening) await new Promise((closed) => server.close(closed));
  }
}

/** A random port of 127.0.0.1 that nobody listens on now. */
export async function freeLoopbackPort(): Promise<number> {
  for (;;) {
    const port = randomInt(FROM, TO);
    if (await isFree(port)) return port;
  }
}
