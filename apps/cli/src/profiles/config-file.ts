import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { NexusError, toNexusError } from "@ciphernx/core/errors";
import { findMistakes, nameSchema, readDocument } from "@ciphernx/core/spec";
import { z } from "zod";
import type { Profile } from "./find-profile.ts";

const profileSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).optional(),
  /** Secrets have files of their own, with permissions of their own. */
  tokenFile: z.string().min(1).optional(),
  ca: z.string().min(1).optional(),
  home: z.string().min(1).optional(),
  output: z.enum(["people", "json", "jsonl", "quiet"]).optional(),
});

const configSchema = z.strictObject({
  /** The profile of commands that name none. */
  default: nameSchema.optional(),
  profiles: z.record(nameSchema, z.unknown()).default({}),
});

/** What the file says: profiles by name, their paths absolute. */
export interface Config {
  readonly default: string | undefined;
  readonly profiles: ReadonlyMap<string, Profile>;
}

/** Reads the text of a configuration file. Paths in it are seen from its folder; `~` is the person's own. @throws NexusError PROFILE_INVALID */
export function readConfig(text: string, file: string): Config {
  let document: unknown;
  try {
    document = readDocument(text, file) ?? {};
  } catch (cause) {
    throw new NexusError("PROFILE_INVALID", toNexusError(cause).message, { cause });
  }
  const { default: name, profiles: described } = checked(configSchema, document, file);
  const path = (written: string): string => (written.startsWith("~/") ? join(homedir(), written.slice(2)) : resolve(dirname(file), written));
  const profiles = Object.entries(described).map(([name, written]): readonly [string, Profile] => {
    const { url, tokenFile, ca, home, output } = checked(profileSchema, written ?? {}, file, `profiles.${name}`);
    const profile = {
      name,
      url,
      tokenFile: tokenFile === undefined ? undefined : path(tokenFile),
      ca: ca === undefined ? undefined : path(ca),
      home: home === undefined ? undefined : path(home),
      output,
    };
    return [name, profile];
  });
  return { default: name, profiles: new Map(profiles) };
}

/** @param at where in the file the document stands */
function checked<S extends z.ZodType>(schema: S, document: unknown, file: string, at = ""): z.output<S> {
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  const mistakes = findMistakes(schema, document).map(({ path, reason, remedy }) =>
    `${[at, path].filter((part) => part !== "").join(".") || "the file"}: ${reason} ${remedy}`.trim(),
  );
  throw new NexusError("PROFILE_INVALID", `${file}, ${mistakes.join(" ")}`, { cause: parsed.error });
}
