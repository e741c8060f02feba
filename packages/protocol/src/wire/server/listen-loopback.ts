import { once } from "node:events";
import type net from "node:net";
import { NexusError } from "@ciphernx/core/errors";
import { isLoopbackHost } from "../loopback.ts";

/** Attempts to find a port that is free on both addresses, when the system may choose. */
const ATTEMPTS = 10;

/** Listeners on one port of this machine. */
export interface LoopbackListeners {
  readonly port: number;
  readonly servers: readonly net.Server[];
}

/**
 * Listens on 127.0.0.1 and ::1, so that `localhost` reaches us whichever way it resolves; on 127.0.0.1 alone where
 * there is no IPv6. Port 0 lets the system choose one.
 *
 * @throws ADDRESS_NOT_LOOPBACK, PORT_IN_USE, USAGE (a port number or permission that cannot be).
 */
export async function listenLoopback(
  { host, port }: { readonly host: string; readonly port: number },
  make: () => net.Server,
): Promise<LoopbackListeners> {
  if (!isLoopbackHost(host)) {
    throw new NexusError("ADDRESS_NOT_LOOPBACK", `The coordinator cannot listen on ${host}: without TLS it serves this machine only.`, {
      details: { host },
    });
  }
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new NexusError("USAGE", `${port} is not a port number (0 to 65535).`);
  for (let attempt = 1; ; attempt++) {
    const v4 = make();
    await listen(v4, "127.0.0.1", port);
    const chosen = portOf(v4);
    const v6 = make();
    try {
      await listen(v6, "::1", chosen);
      return { port: chosen, servers: [v4, v6] };
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === "EADDRNOTAVAIL" || errno === "EAFNOSUPPORT" || errno === "EINVAL") return { port: chosen, servers: [v4] };
      v4.close();
      await once(v4, "close");
      if (port !== 0 || errno !== "EADDRINUSE" || attempt === ATTEMPTS) throw error;
    }
  }
}

/** Starts to listen on one address. @throws PORT_IN_USE, USAGE */
export async function listen(server: net.Server, host: string, port: number, { ipv6Only = true } = {}): Promise<void> {
  server.listen({ host, port, exclusive: true, ipv6Only });
  try {
    await once(server, "listening");
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "EADDRINUSE") {
      throw new NexusError("PORT_IN_USE", `Another program listens on port ${port} of ${host}.`, { details: { host, port }, cause: error });
    }
    if (errno === "EADDRNOTAVAIL" || errno === "ENOTFOUND" || errno === "EAI_AGAIN") {
      throw new NexusError("USAGE", `${host} is no address of this machine.`, {
        hint: "0.0.0.0 listens on all of them.",
        details: { host },
        cause: error,
      });
    }
    if (errno === "EACCES") {
      throw new NexusError("USAGE", `This user may not listen on port ${port}.`, {
        hint: "Choose a port from 1024 on.",
        details: { port },
        cause: error,
      });
    }
    throw error;
  }
}

/** The port that a server listens on. */
export function portOf(server: net.Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new NexusError("INTERNAL", "A listening socket has no port.");
  return address.port;
}

function errnoOf(error: unknown): string | undefined {
  const origin = error instanceof NexusError ? error.cause : error;
  return origin instanceof Error && "code" in origin && typeof origin.code === "string" ? origin.code : undefined;
}
