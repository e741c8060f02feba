import http from "node:http";
import https from "node:https";
import { NexusError } from "@ciphernx/core/errors";
import { isLoopbackHost } from "./loopback.ts";

/** Whom a client trusts, and what it shows; PEM. TLS is 1.3, and the server's name is checked. */
export interface TlsClientCredentials {
  /** CAs of the server. Default: those of the system. */
  readonly ca?: string | undefined;
  /** The client's certificate, when it has one. */
  readonly cert?: string | undefined;
  /** The key of `cert`. */
  readonly key?: string | undefined;
}

/** An agent for connections to a coordinator. The global one follows NODE_USE_ENV_PROXY, which knows nothing of our TLS. */
export function coordinatorAgent(origin: string, tls: TlsClientCredentials): http.Agent {
  return origin.startsWith("https:")
    ? new https.Agent({ keepAlive: true, minVersion: "TLSv1.3", allowPartialTrustChain: true, ...givenOf(tls) })
    : new http.Agent({ keepAlive: true });
}

/** What was given: an undefined `ca` would stand for no CA at all. */
function givenOf({ ca, cert, key }: TlsClientCredentials): https.AgentOptions {
  return { ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
}

/** The origin in the address of a coordinator. @throws USAGE, ADDRESS_NOT_LOOPBACK */
export function coordinatorOrigin(baseUrl: string): string {
  const url = URL.parse(baseUrl);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:") || url.pathname !== "/" || url.search !== "" || url.username !== "") {
    throw new NexusError("USAGE", `"${baseUrl}" is not the address of a coordinator; one looks like http://127.0.0.1:7700.`);
  }
  if (url.protocol === "http:" && !isLoopbackHost(url.hostname)) {
    throw new NexusError("ADDRESS_NOT_LOOPBACK", `${url.host} is not on this machine, and tokens do not travel unencrypted.`, {
      hint: "Use https:// and the port of `nexus up --listen`, or a tunnel such as `ssh -L 7700:127.0.0.1:7700 HOST` and http://127.0.0.1:7700.",
    });
  }
  return url.origin;
}
