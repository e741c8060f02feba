import type { CommandDefinition, CommandGroup, OptionDefinition } from "../command.ts";

/** One word that may follow, and what it means. */
export interface Candidate {
  readonly word: string;
  readonly about: string;
}

/** Things of the coordinator whose ids and names may follow. */
export type Named = "node" | "run" | "model" | "token";

/** What may stand where the cursor is. `files`: whatever the shell completes by itself. */
export type Completion =
  | { readonly kind: "words"; readonly words: readonly Candidate[] }
  | { readonly kind: "named"; readonly named: Named }
  | { readonly kind: "files" };

/** What is completed: the commands of the program. */
export interface CommandTree {
  readonly commands: readonly CommandDefinition[];
  readonly groups: readonly CommandGroup[];
  readonly globalOptions: readonly OptionDefinition<unknown>[];
}

/** What stands on the command line so far. */
export interface Completed {
  readonly completion: Completion;
  /** Options with values that were written, by their long name without dashes. */
  readonly written: Readonly<Record<string, string>>;
}

const FILES: Completion = { kind: "files" };
const NAMED: readonly Named[] = ["node", "run", "model", "token"];

interface OptionShape {
  readonly long: string;
  readonly short: string | undefined;
  /** `folder` of `--folder <folder>`; undefined for one without a value. */
  readonly value: string | undefined;
  readonly words: readonly string[];
  readonly about: string;
}

/** Tells what may stand where the cursor is. @param line the words behind `nexus`; the last is the one being written, perhaps empty */
export function complete({ commands, groups, globalOptions }: CommandTree, line: readonly string[]): Completed {
  const current = line.at(-1) ?? "";
  const written: Record<string, string> = {};
  let group: CommandGroup | undefined;
  let command: CommandDefinition | undefined;
  let isHelp = false;
  const positional: string[] = [];
  const options = (): readonly OptionShape[] => {
    const own = (command?.options ?? []).map(([, option]) => shapeOf(option));
    const taken = new Set(own.map(({ long }) => long));
    return [...own, ...globalOptions.map(shapeOf).filter(({ long }) => !taken.has(long)), HELP];
  };
  const found = (word: string): OptionShape | undefined => options().find(({ long, short }) => word === long || word === short);

  const before = line.slice(0, -1);
  for (let at = 0; at < before.length; at += 1) {
    const word = before[at]!;
    if (word.startsWith("-")) {
      const [name = "", value] = word.split("=", 2);
      const option = found(name);
      if (option?.value === undefined) continue;
      if (value === undefined && at + 1 >= before.length) return { completion: valueOf(option, current), written };
      if (value === undefined) at += 1;
      written[option.long.slice(2)] = value ?? before[at]!;
    } else if (word === "help" && group === undefined && command === undefined) isHelp = true;
    else if (command !== undefined) positional.push(word);
    else if (group !== undefined) command = group.commands.find(({ name }) => name === word);
    else {
      group = groups.find(({ name }) => name === word);
      command = commands.find(({ name }) => name === word);
      if (group === undefined && command === undefined) return { completion: FILES, written };
    }
  }

  const words = (all: readonly Candidate[]): Completed => ({
    completion: { kind: "words", words: all.filter(({ word }) => word.startsWith(current)) },
    written,
  });
  if (current.startsWith("-") && !isHelp) return words(options().map(({ long, about }) => ({ word: long, about })));
  if (command === undefined) {
    const next = group === undefined ? [...commands, ...groups, ...(isHelp ? [] : [HELP_COMMAND])] : group.commands;
    return words(next.map(({ name, summary }) => ({ word: name, about: summary })));
  }
  if (isHelp) return words([]);
  const argument = command.arguments[positional.length]?.[1];
  if (argument === undefined) return { completion: FILES, written };
  if (argument.words !== undefined) return words(argument.words.map((word) => ({ word, about: argument.description })));
  // `a` and `b` of `run compare` are runs as well: what an argument takes is told by its group where its own name does not.
  const name = /^[<[](\w+)/.exec(argument.flags)?.[1] ?? "";
  const named = NAMED.find((each) => each === name) ?? (name.length === 1 ? NAMED.find((each) => each === group?.name) : undefined);
  return { completion: named === undefined ? FILES : { kind: "named", named }, written };
}

const HELP: OptionShape = { long: "--help", short: "-h", value: undefined, words: [], about: "show this help" };
const HELP_COMMAND = { name: "help", summary: "Show the help of a command" };

function shapeOf({ flags, words, description }: OptionDefinition<unknown>): OptionShape {
  const [, short, long = flags, value] = /^(?:(-\w), )?(--[\w-]+)(?: [<[]([^>\].]+))?/.exec(flags) ?? [];
  return { long, short, value, words: words ?? [], about: description };
}

function valueOf({ words, about }: OptionShape, current: string): Completion {
  if (words.length === 0) return FILES;
  return { kind: "words", words: words.filter((word) => word.startsWith(current)).map((word) => ({ word, about })) };
}
