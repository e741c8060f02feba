import type { CommandDefinition, CommandGroup, OptionDefinition } from "../command.ts";

/** What can be written after some words of a command line. */
export interface CompletionWords {
  /** Words before, such as `run start`; empty for `nexus` itself. */
  readonly path: string;
  /** Commands that may follow. */
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  /** Options that may follow, as they are written. */
  readonly options: readonly { readonly flag: string; readonly summary: string }[];
}

/** The whole command line, place by place. */
export function completionWords(
  commands: readonly CommandDefinition[],
  groups: readonly CommandGroup[],
  global: Readonly<Record<string, OptionDefinition<unknown>>>,
): readonly CompletionWords[] {
  const everywhere = Object.values(global).map(optionWords);
  const ofCommand = (path: string, { options }: CommandDefinition): CompletionWords => {
    const own = options.map(([, option]) => optionWords(option));
    // A command's own option of a name is meant by it, as the program takes it.
    const others = everywhere.filter(({ flag }) => !own.some((option) => option.flag === flag));
    return { path, commands: [], options: [...own, ...others] };
  };
  const named = ({ name, summary }: { readonly name: string; readonly summary: string }) => ({ name, summary });
  return [
    {
      path: "",
      commands: [...commands.map(named), ...groups.map(named), { name: "help", summary: "Show the help of a command" }],
      options: everywhere,
    },
    ...commands.map((command) => ofCommand(command.name, command)),
    ...groups.flatMap((group) => [
      { path: group.name, commands: group.commands.map(named), options: everywhere },
      ...group.commands.map((command) => ofCommand(`${group.name} ${command.name}`, command)),
    ]),
  ];
}

/** `-d, --detach` and `--port <number>` are written as `--detach` and `--port`. */
function optionWords({ flags, description }: OptionDefinition<unknown>): CompletionWords["options"][number] {
  return { flag: /--[a-z][a-z-]*/.exec(flags)?.[0] ?? flags, summary: description };
}
