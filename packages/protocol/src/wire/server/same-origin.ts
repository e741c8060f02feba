import { NexusError } from "@ciphernx/core/errors";
import { isLoopbackHost } from "../loopback.ts";

/**
 * Guards against pages of other sites that a browser on this machine shows: the request must name a loopback host
 * (so a foreign name rebound to 127.0.0.1 is refused), and an `Origin`, when there is one, must be that same host.
 * Any port is fine: a tunnel may end on another one. Over TLS any host is: the certificate has told the browser whose it is.
 *
 * @throws MESSAGE_INVALID without a readable host, FORBIDDEN otherwise.
 */
export function assertSameOrigin(authority: string | undefined, origin: string | undefined, { isTls = false } = {}): void {
  const host = authority === undefined || /[/?#@\\\s]/.test(authority) ? null : URL.parse(`http://${authority}/`);
  if (host === null) throw new NexusError("MESSAGE_INVALID", "The request does not name the host it is meant for.");
  if (!isTls && !isLoopbackHost(host.hostname)) {
    throw new NexusError("FORBIDDEN", `The request is meant for ${host.host}, which is not this machine's loopback address.`, {
      hint: "Use http://127.0.0.1 or http://localhost with the coordinator's port.",
    });
  }
  if (origin === undefined) return;
  if (URL.parse(origin)?.host !== host.host) {
    throw new NexusError("FORBIDDEN", `Pages of ${origin.slice(0, 200)} may not talk to the coordinator.`, {
      hint: "Open the coordinator's own address in the browser.",
    });
  }
}
