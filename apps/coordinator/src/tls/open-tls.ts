import { isIP } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { NexusError } from "@ciphernx/core/errors";
import { type Authority, openAuthority, type OpenAuthorityOptions, renewalDueAt, type ServerCredentials } from "@ciphernx/core/identity/ca";
import type { TlsListener, TlsServerCredentials } from "@ciphernx/protocol/wire/server";
import type { Logger } from "pino";

/** How a coordinator serves other machines. */
export interface TlsOptions extends Pick<OpenAuthorityOptions, "passphraseFile" | "own" | "rotate"> {
  /** Address to listen on, and port; 0 lets the system choose. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Names and addresses under which others reach it; the first is told to them. Default: the address listened on, or all of the machine. */
  readonly publicNames?: readonly string[] | undefined;
}

/** A coordinator's authority, and what its server shows. */
export interface OpenedTls extends Pick<TlsOptions, "listen"> {
  readonly authority: Authority;
  readonly certificateFile: string;
  readonly madePassphrase?: string;
  readonly credentials: TlsServerCredentials;
  /** The name or address that others are told. */
  readonly publicName: string;
  /** Names and addresses that the server's certificate has, and others may dial. */
  readonly names: readonly string[];
  /** Looks whether the server's certificate is to be made anew, and does it; connections that are open stay. */
  renew(listener: Pick<TlsListener, "setCredentials">, now?: Date): Promise<boolean>;
}

/** RFC 1123 §2.1, with letters in either case. */
const HOST_NAME = /^(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*$/i;

/** Opens the authority of a data folder and certifies the server. @throws NexusError CA_UNUSABLE, USAGE */
export async function openTls(home: string, options: TlsOptions, log: Logger): Promise<OpenedTls> {
  const names = serverNames(options);
  const { listen, passphraseFile, own, rotate } = options;
  const { authority, ...files } = await openAuthority({ home, passphraseFile, own, rotate });
  let current: ServerCredentials = await authority.issueServer(names);
  const shown = (): TlsServerCredentials => ({ key: current.keyPem, cert: current.chainPem, ca: authority.trustedPem });
  return {
    ...{ listen, authority, ...files },
    credentials: shown(),
    publicName: names[0]!,
    names,
    async renew(listener, now = new Date()) {
      if (now < renewalDueAt(current)) return false;
      current = await authority.issueServer(names, { now });
      listener.setCredentials(shown());
      log.info({ until: current.notAfter.toISOString() }, "the server's certificate was renewed");
      return true;
    },
  };
}

/** What the server's certificate names; loopback always, so that it can be tried on the machine itself. */
export function serverNames({ listen: { host }, publicNames = [] }: Pick<TlsOptions, "listen" | "publicNames">): readonly string[] {
  for (const name of publicNames) {
    if (isIP(name) === 0 && !HOST_NAME.test(name)) throw new NexusError("USAGE", `"${name}" is neither a host's name nor an address.`, { hint: "" });
  }
  const isAny = host === "0.0.0.0" || host === "::";
  const own = publicNames.length > 0 ? publicNames : isAny ? machineNames() : [host];
  return [...new Set([...own, "localhost", "127.0.0.1", "::1"])];
}

function machineNames(): readonly string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  const outer = addresses.filter(({ internal, address }) => !internal && !address.startsWith("fe80:")).map(({ address }) => address);
  return [...outer, ...(HOST_NAME.test(hostname()) ? [hostname()] : [])];
}
