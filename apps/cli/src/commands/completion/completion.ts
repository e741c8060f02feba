import { NexusError } from "@ciphernx/core/errors";
import { argument, defineCommand } from "../../command.ts";
import { GLOBAL_OPTIONS } from "../../global-options.ts";

export const completion = defineCommand({
  name: "completion",
  summary: "Print a script that makes a shell complete commands and options",
  arguments: { shell: argument("<shell>", "bash, zsh or fish") },
  examples: [
    { command: 'eval "$(nexus completion bash)"', about: "in ~/.bashrc; likewise zsh in ~/.zshrc" },
    { command: "nexus completion fish > ~/.config/fish/completions/nexus.fish" },
  ],
  async action({ args, output }) {
    const [{ completionScript, SHELLS }, { completionWords }, { COMMANDS, GROUPS }] = await Promise.all([
      import("../../completion/scripts.ts"),
      import("../../completion/words.ts"),
      import("../index.ts"),
    ]);
    const shell = SHELLS.find((known) => known === args.shell);
    if (shell === undefined) throw new NexusError("USAGE", `There is no script for "${args.shell}".`, { hint: `There are ${SHELLS.join(", ")}.` });
    const script = completionScript(shell, completionWords(COMMANDS, GROUPS, GLOBAL_OPTIONS));
    output.result({ data: { shell, script }, text: script.trimEnd(), ids: [script.trimEnd()] });
  },
});
