import type { Nexus } from "@ciphernx/ai/client";
import { COMMANDS, GROUPS } from "../commands/index.ts";
import { findConnection } from "../connection.ts";
import { fillGlobalOptions, GLOBAL_OPTIONS } from "../global-options.ts";
import type { OutputStream } from "../output/index.ts";
import { findProfile } from "../profiles/index.ts";
import { type Candidate, complete, type Named } from "./complete.ts";

/** A person who presses Tab waits no longer. */
const ANSWER_TIMEOUT_MS = 2_000;

/**
 * Prints what may stand where the cursor is, a word with a tab and its meaning a line; nothing where the shell is to complete files.
 * @param line `--` and the words behind `nexus`
 */
export async function tellCompletions(
  [, ...line]: readonly string[],
  { env, stdout, signal }: { readonly env: NodeJS.ProcessEnv; readonly stdout: OutputStream; readonly signal: AbortSignal },
): Promise<void> {
  const { completion, written } = complete({ commands: COMMANDS, groups: GROUPS, globalOptions: Object.values(GLOBAL_OPTIONS) }, line);
  if (completion.kind === "files") return;
  const words = completion.kind === "words" ? completion.words : await namedThings(completion.named, line.at(-1) ?? "", { written, env, signal });
  stdout.write(words.map(({ word, about }) => `${word}\t${about.split("\n", 1)[0]}\n`).join(""));
}

async function namedThings(
  named: Named,
  beginning: string,
  { written, env, signal }: { readonly written: Readonly<Record<string, string>>; readonly env: NodeJS.ProcessEnv; readonly signal: AbortSignal },
): Promise<readonly Candidate[]> {
  const late = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
  const ended = new Promise<readonly Candidate[]>((resolve) => late.addEventListener("abort", () => resolve([]), { once: true }));
  const asked = async (): Promise<readonly Candidate[]> => {
    const connection = await findConnection(fillGlobalOptions(written, env, await findProfile(written, env)));
    const { connect } = await import("@ciphernx/ai/client");
    await using nexus = connect(connection);
    return (await LISTS[named](nexus)).filter(({ word }) => word.startsWith(beginning));
  };
  // A coordinator that does not answer, or not to this person, has nothing to complete: a line that is half written is no place to say why.
  return Promise.race([asked().catch(() => []), ended]);
}

const LISTS: Readonly<Record<Named, (nexus: Nexus) => Promise<readonly Candidate[]>>> = {
  node: async (nexus) => (await nexus.nodes.list()).map(({ name, id, status }) => ({ word: name, about: `${id}, ${status}` })),
  run: async (nexus) => (await nexus.runs.list()).map(({ id, name, state, outcome }) => ({ word: id, about: `${name}, ${outcome || state}` })),
  model: async (nexus) => (await nexus.models.list()).map(({ id, name, runId }) => ({ word: id, about: `${name}, of ${runId}` })),
  token: async (nexus) => (await nexus.tokens.list()).map(({ name, role, state }) => ({ word: name, about: `${role}, ${state}` })),
};
