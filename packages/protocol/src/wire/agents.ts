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

/**
 * An agent for connections to a coordinator. Those over TLS go through an HTTP proxy by CONNECT (RFC 9110 §9.3.6), where there is one: the
 * proxy sees host and port, and no more. Plain ones stay on this machine, where no proxy leads.
 *
 * @param proxy its address, with user and password if it wants them; undefined: as `HTTPS_PROXY` and `NO_PROXY` of the environment say
 * @throws USAGE when that is no address of a proxy
 */
export function coordinatorAgent(origin: string, tls: TlsClientCredentials, proxy: string | undefined): http.Agent {
  if (!origin.startsWith("https:")) return new http.Agent({ keepAlive: true });
  const { HTTPS_PROXY, https_proxy, NO_PROXY, no_proxy } = process.env;
  const ofEnvironment = https_proxy ?? HTTPS_PROXY;
  const proxyEnv =
    proxy === undefined
      ? { HTTPS_PROXY: ofEnvironment === undefined || ofEnvironment === "" ? undefined : proxyAddress(ofEnvironment), NO_PROXY: no_proxy ?? NO_PROXY }
      : { HTTPS_PROXY: proxyAddress(proxy) };
  return new https.Agent({ keepAlive: true, minVersion: "TLSv1.3", allowPartialTrustChain: true, ...givenOf(tls), proxyEnv });
}

/** An address that would not be understood would be passed over in silence. */
function proxyAddress(written: string): string {
  const url = URL.parse(written.includes("://") ? written : `http://${written}`);
  if (url !== null && (url.protocol === "http:" || url.protocol === "https:") && url.hostname !== "") return url.href;
  // Not repeated: it may hold a password.
  throw new NexusError("USAGE", "The address of the proxy is none.", {
    hint: "Write it as http://proxy.example:3128, with user:password@ if it wants them.",
  });
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
