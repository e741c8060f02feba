import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { OpenOrganisation, RosterAccess } from "@ciphernx/ai/federation/organisation";
import { NexusError } from "@ciphernx/core/errors";
import { text } from "./command.ts";
import type { Context } from "./context.ts";

/** Shortest passphrase of an organisation's key, in characters. */
const MIN_PASSPHRASE_CHARACTERS = 12;
/** Beside the key: the CA of the coordinator, where it is no CA of the system. */
const CA_FILE = "ca.crt";

/** Where the passphrase of an organisation's key comes from. */
export const PASSPHRASE_OPTION = text(
  "--passphrase-file <file>",
  "holds the passphrase of the organisation's key (default: $NEXUS_ORG_PASSPHRASE_FILE, else somebody is asked)",
);

/** Options of the commands that an organisation signs. */
export const ORGANISATION_OPTIONS = {
  org: text("--org <folder>", "the organisation's folder, which `nexus org init` or `nexus org join` made"),
  passphraseFile: PASSPHRASE_OPTION,
} as const;

type Asking = Pick<Context, "global" | "output" | "signal">;

/**
 * The passphrase of an organisation's key. A new one is asked for twice, and has to be long.
 * @throws NexusError USAGE where there is no file and nobody can be asked
 */
export async function readPassphrase(file: string | undefined, { output, signal }: Asking, purpose: "new" | "open"): Promise<string> {
  const path = file ?? process.env["NEXUS_ORG_PASSPHRASE_FILE"];
  const passphrase = path === undefined || path === "" ? await askPassphrase(purpose, { output, signal }) : await firstLine(path);
  if (purpose === "new" && passphrase.length < MIN_PASSPHRASE_CHARACTERS) {
    throw new NexusError("USAGE", `A passphrase of ${passphrase.length} characters is too short for an organisation's key.`, {
      hint: `Take ${MIN_PASSPHRASE_CHARACTERS} or more; five random words are easy to write down.`,
    });
  }
  return passphrase;
}

async function firstLine(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).split("\n", 1)[0]!.trim();
  } catch (cause) {
    throw new NexusError("USAGE", `The passphrase cannot be read from ${path}.`, { hint: "Check the path and its permissions.", cause });
  }
}

async function askPassphrase(purpose: "new" | "open", { output, signal }: Pick<Context, "output" | "signal">): Promise<string> {
  if (output.mode !== "people" || !process.stdin.isTTY || !process.stderr.isTTY) {
    throw new NexusError("USAGE", "The organisation's key needs its passphrase, and nobody can be asked here.", {
      hint: "Give it with --passphrase-file FILE or NEXUS_ORG_PASSPHRASE_FILE.",
    });
  }
  const { password } = await import("@clack/prompts");
  const ask = async (message: string): Promise<string> => {
    const answer = await password({ message, output: process.stderr, signal });
    if (typeof answer !== "string") throw new NexusError("INTERRUPTED", "Nothing was done.", { hint: "" });
    return answer;
  };
  const passphrase = await ask(purpose === "new" ? "A passphrase for the organisation's key" : "Passphrase of the organisation's key");
  if (purpose === "new" && (await ask("The same again")) !== passphrase) throw new NexusError("USAGE", "The two passphrases differ.", { hint: "" });
  return passphrase;
}

/** The CA that a folder's coordinator is known by: as written, else as it was when the folder was made. */
async function caOf(folder: string, written: string | undefined): Promise<string | undefined> {
  if (written !== undefined) return readFile(written, "utf8");
  return readFile(join(folder, CA_FILE), "utf8").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  });
}

/** Keeps what the coordinator is known by beside an organisation's key. */
export async function keepCa(folder: string, file: string | undefined): Promise<void> {
  if (file === undefined) return;
  const { copyFile } = await import("node:fs/promises");
  await copyFile(file, join(folder, CA_FILE));
}

/** Opens an organisation's key and a way to its project's roster, and closes that afterwards. */
export async function withOrganisation<T>(
  { folder, passphraseFile }: { readonly folder: string; readonly passphraseFile: string | undefined },
  context: Asking,
  work: (organisation: OpenOrganisation, access: RosterAccess) => Promise<T>,
): Promise<T> {
  const { openOrganisation, organisationFacts, rosterAccess } = await import("@ciphernx/ai/federation/organisation");
  const { url } = await organisationFacts(folder);
  const organisation = await openOrganisation(folder, await readPassphrase(passphraseFile, context, "open"));
  const { connectTransport } = await import("@ciphernx/protocol/wire/connect");
  const { global } = context;
  await using transport = connectTransport({ baseUrl: global.url ?? url, tls: { ca: await caOf(folder, global.ca) }, proxy: global.proxy });
  return await work(organisation, rosterAccess(transport, { project: organisation.project, keys: organisation.keys }));
}
