import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { NexusError } from "@ciphernx/core/errors";
import type { GlobalOptions } from "./global-options.ts";

/** Where a coordinator answers and what opens it. */
export interface Connection {
  readonly url: string;
  readonly token: string;
  /** PEM; undefined for the CAs of the system. */
  readonly ca: string | undefined;
}

/**
 * Finds the coordinator: the written address and token, else what `nexus up` left in the data folder.
 * @throws NexusError COORDINATOR_UNREACHABLE when no coordinator uses the folder, UNAUTHENTICATED when it shows no token.
 */
export async function findConnection({
  home,
  url,
  token,
  tokenFile,
  ca,
}: Pick<GlobalOptions, "home" | "url" | "token" | "tokenFile" | "ca">): Promise<Connection> {
  const address = url ?? (await findAddress(home));
  if (!/^https?:\/\/[^/]/.test(address)) {
    throw new NexusError("USAGE", `"${address}" is not the address of a coordinator.`, { hint: "Write it as http://127.0.0.1:7700." });
  }
  return {
    url: address,
    token: token ?? (tokenFile === undefined ? await findToken(home) : await readToken(tokenFile)),
    ca: ca === undefined ? undefined : await readCa(ca),
  };
}

async function readCa(file: string): Promise<string> {
  const text = await readIfThere(file);
  if (text?.includes("-----BEGIN CERTIFICATE-----") === true) return text;
  throw new NexusError("USAGE", text === undefined ? `There is no file ${file}.` : `${file} holds no certificate.`, {
    hint: "--ca names a copy of `ca/ca.crt` from the coordinator's data folder.",
  });
}

async function findAddress(home: string): Promise<string> {
  const file = join(home, "coordinator.json");
  const text = await readIfThere(file);
  if (text === undefined) {
    throw new NexusError("COORDINATOR_UNREACHABLE", `No coordinator runs on the data folder ${home}.`, {
      hint: "Start one with `nexus up`, or name another with --url or --home.",
    });
  }
  const url = addressIn(text);
  if (url === undefined)
    throw new NexusError("COORDINATOR_UNREACHABLE", `${file} does not hold the address of a coordinator.`, {
      hint: "Start it again with `nexus up`.",
    });
  return url;
}

function addressIn(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "url" in value && typeof value.url === "string") return value.url;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return undefined;
}

async function readToken(file: string): Promise<string> {
  const token = (await readIfThere(file))?.trim();
  if (token !== undefined && token !== "") return token;
  throw new NexusError("UNAUTHENTICATED", `${file}, where the profile has its token, ${token === undefined ? "does not exist" : "is empty"}.`, {
    hint: "Write an API token into it; `nexus token create` makes one.",
  });
}

async function findToken(home: string): Promise<string> {
  const file = join(home, "owner.token");
  const token = (await readIfThere(file))?.trim();
  if (token === undefined || token === "") {
    throw new NexusError("UNAUTHENTICATED", `No owner token: ${file} does not exist.`, {
      hint: "Give it with --token or NEXUS_TOKEN, or name the coordinator's data folder with --home.",
    });
  }
  return token;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return undefined;
    if (error instanceof Error && "code" in error && error.code === "EACCES") {
      throw new NexusError("UNAUTHENTICATED", `${file} may not be read by this user.`, {
        hint: "Run the command as the user who started the coordinator.",
        cause: error,
      });
    }
    throw error;
  }
}
