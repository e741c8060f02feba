/** Shells that can be told how to complete `nexus`. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** What a shell is to read at its start. It asks `nexus` itself, so it is good for versions to come. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}

const SCRIPTS: Readonly<Record<Shell, string>> = {
  // The line is split at spaces here: bash itself would split at `:` and `=` as well.
  bash: `# nexus completion for bash: eval "$(nexus completion bash)" in ~/.bashrc
_nexus() {
  local line="\${COMP_LINE:0:COMP_POINT}" candidate about
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  COMPREPLY=()
  while IFS=$'\\t' read -r candidate about; do
    COMPREPLY+=("$candidate")
  done < <(nexus __complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -o default -F _nexus nexus
`,
  zsh: `#compdef nexus
# nexus completion for zsh: eval "$(nexus completion zsh)" in ~/.zshrc, after compinit
_nexus() {
  local -a candidates
  local candidate about
  while IFS=$'\\t' read -r candidate about; do
    candidates+=("\${candidate//:/\\\\:}:$about")
  done < <(nexus __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#candidates} )); then
    _describe nexus candidates
  else
    _files
  fi
}
compdef _nexus nexus
`,
  fish: `# nexus completion for fish: nexus completion fish > ~/.config/fish/completions/nexus.fish
function __nexus_complete
  set -l words (commandline --tokenize --cut-at-cursor) (commandline --current-token --cut-at-cursor)
  set -l candidates (nexus __complete -- $words[2..-1] 2>/dev/null)
  if test (count $candidates) -gt 0
    printf '%s\\n' $candidates
  else
    __fish_complete_path (commandline --current-token)
  end
end
complete --command nexus --no-files --arguments '(__nexus_complete)'
`,
};
