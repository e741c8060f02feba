import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { NexusError } from "@ciphernx/core/errors";
import type { OutputMode } from "../output/index.ts";

/** A coordinator that a person works with, under a name, and how its answers are shown. */
export interface Profile {
  readonly name: string;
  readonly url: string | undefined;
  /** Holds the API token. */
  readonly tokenFile: string | undefined;
  /** Holds the certificate of the coordinator's CA. */
  readonly ca: string | undefined;
  readonly home: string | undefined;
  readonly output: OutputMode | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** `$NEXUS_CONFIG`, else `nexus/config.yaml` where the XDG Base Directory Specification has configuration. */
export function configFile(env: Environment): string {
  const { NEXUS_CONFIG: written, XDG_CONFIG_HOME: folder } = env;
  if (written !== undefined && written !== "") return written;
  // Relative paths are to be ignored, as the specification says.
  return join(folder?.startsWith("/") === true ? folder : join(homedir(), ".config"), "nexus", "config.yaml");
}

/**
 * The profile that `--profile` or NEXUS_PROFILE names, else the default one of the configuration file; undefined where there is none.
 * @throws NexusError PROFILE_NOT_FOUND, PROFILE_INVALID
 */
export async function findProfile(written: Readonly<Record<string, unknown>>, env: Environment): Promise<Profile | undefined> {
  const file = configFile(env);
  const named = typeof written["profile"] === "string" && written["profile"] !== "" ? written["profile"] : env["NEXUS_PROFILE"] || undefined;
  const text = await readIfThere(file);
  if (text === undefined && named === undefined) return undefined;
  // Loaded where there is something to read: most commands are quick.
  const { readConfig } = await import("./config-file.ts");
  const config = text === undefined ? { default: undefined, profiles: new Map<string, Profile>() } : readConfig(text, file);
  const name = named ?? config.default;
  if (name === undefined) return undefined;
  const profile = config.profiles.get(name);
  if (profile !== undefined) return profile;
  const { nearest } = await import("@ciphernx/core/spec");
  const meant = nearest(name, config.profiles.keys());
  const known = [...config.profiles.keys()];
  const hint = meant === undefined ? (known.length === 0 ? `Describe it in ${file}.` : `It has ${known.join(", ")}.`) : `Did you mean ${meant}?`;
  throw new NexusError(
    "PROFILE_NOT_FOUND",
    text === undefined ? `There is no ${file}, so no profile "${name}".` : `${file} has no profile "${name}".`,
    {
      hint,
      details: { profile: name },
    },
  );
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return undefined;
    throw error;
  }
}
