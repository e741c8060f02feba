import { NexusError } from "@ciphernx/core/errors";
import { defineCommand, wordArgument } from "../../command.ts";
import { completionScript, SHELLS } from "../../completion/scripts.ts";

export const completion = defineCommand({
  name: "completion",
  summary: "Print what makes a shell complete nexus at the Tab key",
  details: "Commands, options, and the ids and names of runs, nodes, models and tokens, which the coordinator is asked for.",
  arguments: { shell: wordArgument("<shell>", "the shell", SHELLS) },
  examples: [
    { command: 'eval "$(nexus completion bash)"', about: "in ~/.bashrc; for zsh likewise in ~/.zshrc" },
    { command: "nexus completion fish > ~/.config/fish/completions/nexus.fish" },
  ],
  async action({ args, output }) {
    const shell = SHELLS.find((each) => each === args.shell);
    if (shell === undefined) throw new NexusError("USAGE", `nexus cannot complete in ${args.shell}.`, { hint: `It can in ${SHELLS.join(", ")}.` });
    const script = completionScript(shell);
    output.result({ data: { shell, script }, text: script.trimEnd(), ids: [script.trimEnd()] });
  },
});
