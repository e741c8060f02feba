import { Argument, Command, Option } from "commander";
import { type CommandDefinition, type CommandGroup, InvalidValue, type OptionDefinition } from "./command.ts";
import { COMMANDS, GROUPS } from "./commands/index.ts";
import { GLOBAL_OPTIONS } from "./global-options.ts";
import type { OutputStream } from "./output/index.ts";
import { UsageMistake } from "./usage-mistake.ts";

/** A command line that was understood: the command, and what was written for it. */
export interface ParsedCommand {
  readonly definition: CommandDefinition;
  readonly args: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
  readonly global: Readonly<Record<string, unknown>>;
}

export interface Program {
  readonly command: Command;
  /** What the command line asks for; undefined when it asked for help and got it. @throws UsageMistake */
  parse(args: readonly string[]): ParsedCommand | undefined;
}

const GLOBAL_HEADING = "Global options:";

/** Declares every command of the index to commander. Help that was asked for goes to `help`; commander prints nothing else and never exits. */
export function createProgram(help: OutputStream): Program {
  let parsed: ParsedCommand | undefined;
  const root = prepare(new Command("nexus"), help);
  root.description("Train models together on data that nobody shows to anybody else.");
  root.usage("<command> [options]");
  root.option("-V, --version", "print the version");
  addGlobalOptions(root, new Set());
  const add = (parent: Command, definition: CommandDefinition): void => {
    const command = declare(prepare(new Command(definition.name), help), definition);
    command.action(() => {
      parsed = collect(command, definition);
    });
    parent.addCommand(command);
  };
  for (const definition of COMMANDS) add(root, definition);
  for (const group of GROUPS) {
    const parent = prepare(new Command(group.name), help).description(group.summary).usage("<command> [options]");
    addGlobalOptions(parent, new Set());
    for (const definition of group.commands) add(parent, definition);
    parent.addHelpText("after", examplesText(groupExamples(group)));
    root.addCommand(parent);
  }
  root.addCommand(helpCommand(root, help));
  root.addHelpText(
    "after",
    examplesText([
      "nexus up --detach",
      "nexus node join http://127.0.0.1:7700 --token TOKEN --name clinic-a --folder ./clinic-a",
      "nexus run start examples/mnist/run.yaml",
    ]),
  );
  return {
    command: root,
    parse(args) {
      parsed = undefined;
      try {
        root.parse(args, { from: "user" });
      } catch (error) {
        if (error instanceof UsageMistake && isHelp(error)) return undefined;
        throw error;
      }
      return parsed;
    },
  };
}

/** `nexus help run start`: what `nexus run start --help` prints. */
function helpCommand(root: Command, help: OutputStream): Command {
  const command = prepare(new Command("help"), help)
    .summary("Show the help of a command")
    .description("Show the help of a command, or of nexus itself.")
    .addArgument(new Argument("[command...]", "the command, as it is written: run start"))
    .addHelpText("after", examplesText(["nexus help", "nexus help run start"]));
  addGlobalOptions(command, new Set());
  return command.action((path: readonly string[]) => {
    let found = root;
    for (const name of path) {
      const names = found.commands.map((child) => child.name());
      const next = found.commands.find((child) => child.name() === name);
      if (next === undefined) throw new UsageMistake(found, new InvalidValue(`Unknown command '${name}'.`, name, names));
      found = next;
    }
    found.outputHelp();
  });
}

function isHelp({ cause }: UsageMistake): boolean {
  return !(cause instanceof InvalidValue) && cause.code === "commander.helpDisplayed";
}

function prepare(command: Command, help: OutputStream): Command {
  return command
    .enablePositionalOptions()
    .showSuggestionAfterError(false)
    .configureOutput({ writeOut: (text) => void help.write(text), writeErr: () => undefined, outputError: () => undefined })
    .configureHelp({ styleTitle: (title) => `\u001B[1m${title}\u001B[22m`, showGlobalOptions: false })
    .helpOption("-h, --help", "show this help")
    .helpCommand(false)
    .exitOverride((error) => {
      throw new UsageMistake(command, error);
    });
}

function declare(command: Command, definition: CommandDefinition): Command {
  command
    .summary(definition.summary)
    .description(definition.details === undefined ? `${definition.summary}.` : `${definition.summary}. ${definition.details}`);
  for (const [, { flags, description }] of definition.arguments) command.addArgument(new Argument(flags, description));
  const own = definition.options.map(([, option]) => toOption(command, option));
  for (const option of own) command.addOption(option);
  addGlobalOptions(command, new Set(own.map(({ long }) => long)));
  return command.addHelpText(
    "after",
    examplesText(definition.examples.flatMap(({ command: line, about }) => (about === undefined ? [line] : [`# ${about}`, line]))),
  );
}

/** A command's own option of the same name stands for the global one, which then only comes from the environment. */
function addGlobalOptions(command: Command, taken: ReadonlySet<string | undefined>): void {
  for (const definition of Object.values(GLOBAL_OPTIONS)) {
    const option = toOption(command, definition).helpGroup(GLOBAL_HEADING);
    if (!taken.has(option.long)) command.addOption(option);
  }
}

function toOption(command: Command, { flags, description, fallback, fallbackText, required, parse }: OptionDefinition<unknown>): Option {
  const option = new Option(flags, description);
  if (required === true) option.makeOptionMandatory();
  if (fallback !== undefined && fallback !== false && !required && !(Array.isArray(fallback) && fallback.length === 0))
    option.default(fallback, fallbackText);
  if (parse !== undefined) {
    option.argParser((word) => {
      try {
        return parse(word);
      } catch (error) {
        if (!(error instanceof InvalidValue)) throw error;
        throw new UsageMistake(
          command,
          new InvalidValue(`${option.long ?? option.flags} takes ${error.message}, not "${word}".`, error.word, error.candidates),
        );
      }
    });
  }
  return option;
}

function collect(command: Command, definition: CommandDefinition): ParsedCommand {
  const written: Record<string, unknown> = command.opts();
  const options = definition.options.map(([key, option]) => [key, written[new Option(option.flags).attributeName()] ?? option.fallback] as const);
  const args = definition.arguments.map(([key], index) => [key, command.processedArgs[index]] as const);
  const ownNames = new Set(definition.options.map(([, option]) => new Option(option.flags).attributeName()));
  return { definition, args: Object.fromEntries(args), options: Object.fromEntries(options), global: globalsOf(command, ownNames) };
}

/** Global options as written before the command, after its group, or after its own name; the last one counts. */
function globalsOf(command: Command, ownNames: ReadonlySet<string>): Record<string, unknown> {
  const before = command.parent === null ? {} : globalsOf(command.parent, new Set());
  const here = Object.entries(command.opts()).filter(([name]) => name in GLOBAL_OPTIONS && !ownNames.has(name));
  return { ...before, ...Object.fromEntries(here) };
}

function groupExamples({ commands }: CommandGroup): readonly string[] {
  return commands.slice(0, 3).flatMap(({ examples }) => examples.slice(0, 1).map(({ command }) => command));
}

function examplesText(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line.startsWith("#") ? line : `$ ${line}`}`).join("\n")}\n`;
}
