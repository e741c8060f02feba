import type { CompletionWords } from "./words.ts";

/** Shells that there are scripts for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** The script that makes a shell complete `nexus`; everything it knows is in it, so that a key press starts no program. */
export function completionScript(shell: Shell, words: readonly CompletionWords[]): string {
  switch (shell) {
    case "bash":
      return bashScript(words);
    case "zsh":
      // zsh reads bash's completions by an emulation of its own.
      return `autoload -U +X compinit && compinit -u\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(words)}`;
    case "fish":
      return fishScript(words);
  }
}

function bashScript(words: readonly CompletionWords[]): string {
  const paths = words.filter(({ path }) => path !== "").map(({ path }) => `"${path}"`);
  const cases = words.map(({ path, commands, options }) => {
    const candidates = [...commands.map(({ name }) => name), ...options.map(({ flag }) => flag), "--help"];
    return `    "${path}") candidates="${candidates.join(" ")}" ;;`;
  });
  return `# nexus completion bash: put \`eval "$(nexus completion bash)"\` into ~/.bashrc.
_nexus() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word candidates="" index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    case "\${path:+$path }$word" in
      ${paths.join("|")}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$candidates" -- "$current"))
}
complete -o default -F _nexus nexus
`;
}

function fishScript(words: readonly CompletionWords[]): string {
  const [root, ...others] = words as readonly [CompletionWords, ...CompletionWords[]];
  const first = root.commands.map(({ name }) => name).join(" ");
  const lines = ["# nexus completion fish: save it as ~/.config/fish/completions/nexus.fish.", "complete -c nexus -f"];
  for (const { name, summary } of root.commands) lines.push(line(`not __fish_seen_subcommand_from ${first}`, `-a ${name}`, summary));
  for (const { flag, summary } of root.options) lines.push(line(undefined, `-l ${flag.slice(2)}`, summary));
  const global = new Set(root.options.map(({ flag }) => flag));
  for (const { path, commands, options } of others) {
    const seen = path
      .split(" ")
      .map((word) => `__fish_seen_subcommand_from ${word}`)
      .join("; and ");
    const none = commands.length === 0 ? "" : `; and not __fish_seen_subcommand_from ${commands.map(({ name }) => name).join(" ")}`;
    for (const { name, summary } of commands) lines.push(line(`${seen}${none}`, `-a ${name}`, summary));
    for (const { flag, summary } of options) if (!global.has(flag)) lines.push(line(seen, `-l ${flag.slice(2)} -r`, summary));
  }
  return `${lines.join("\n")}\n`;
}

function line(condition: string | undefined, what: string, summary: string): string {
  const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  return ["complete -c nexus", ...(condition === undefined ? [] : [`-n ${quoted(condition)}`]), what, `-d ${quoted(summary)}`].join(" ");
}
