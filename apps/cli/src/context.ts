import type { Nexus } from "@ciphernx/ai/client";
import { NexusError } from "@ciphernx/core/errors";
import { findConnection } from "./connection.ts";
import type { GlobalOptions } from "./global-options.ts";
import type { Output } from "./output/index.ts";

/** What every command is given besides its own arguments. */
export interface Context {
  readonly global: GlobalOptions;
  readonly output: Output;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
  /** Connects to the coordinator and hands the client, and where that coordinator is, to `work`; closes it afterwards. */
  withNexus<T>(work: (nexus: Nexus, url: string) => Promise<T>): Promise<T>;
  /**
   * Asks before something that cannot be taken back; `--yes` answers it.
   * @throws NexusError USAGE where nobody can be asked, INTERRUPTED when the answer is no.
   */
  confirm(question: string): Promise<void>;
}

/** Binds the global options, output and signal to what needs them. */
export function createContext(global: GlobalOptions, output: Output, signal: AbortSignal): Context {
  return {
    global,
    output,
    signal,
    async withNexus(work) {
      const connection = await findConnection(global);
      const { connect } = await import("@ciphernx/ai/client");
      await using nexus = connect({ ...connection, proxy: global.proxy });
      return await work(nexus, connection.url);
    },
    async confirm(question) {
      if (global.yes) return;
      if (output.mode !== "people" || !process.stdin.isTTY || !process.stderr.isTTY) {
        throw new NexusError("USAGE", `${question} Nobody can be asked here.`, { hint: "Add --yes to answer with yes." });
      }
      const { confirm } = await import("@clack/prompts");
      const answer = await confirm({ message: question, initialValue: false, output: process.stderr, signal });
      if (answer !== true) throw new NexusError("INTERRUPTED", "Nothing was done.", { hint: "" });
    },
  };
}
