import type { Command, CommanderError } from "commander";
import { NexusError } from "@ciphernx/core/errors";
import { InvalidValue } from "./command.ts";

/** What commander, or an option's own parser, found wrong with the command line, and in which command. */
export class UsageMistake extends Error {
  readonly command: Command;
  override readonly cause: CommanderError | InvalidValue;

  constructor(command: Command, cause: CommanderError | InvalidValue) {
    super(cause.message);
    this.command = command;
    this.cause = cause;
  }
}

/** The error for the user: what is wrong, the nearest thing that would be right, and where the help is. */
export async function explainMistake({ command, cause }: UsageMistake): Promise<NexusError> {
  if (!(cause instanceof InvalidValue) && cause.code === "commander.help") return missingCommand(command);
  const message = sentence(cause.message.replace(/^error: /, ""));
  const help = `See \`${commandLine(command)} --help\`.`;
  const { word, candidates } = cause instanceof InvalidValue ? cause : misspelling(command, cause);
  if (word === undefined || candidates.length === 0) return new NexusError("USAGE", message, { hint: help });
  const { nearest } = await import("@ciphernx/core/spec");
  const meant = nearest(word, candidates);
  return new NexusError("USAGE", message, { hint: meant === undefined ? help : `Did you mean ${meant}? ${help}` });
}

/** A group's name alone says nothing; name what may follow it. */
function missingCommand(command: Command): NexusError {
  const line = commandLine(command);
  const names = command.commands.map((child) => child.name()).join(", ");
  return new NexusError("USAGE", `${line} needs a command: ${names}.`, { hint: `See \`${line} --help\`.` });
}

function misspelling(
  command: Command,
  { code, message }: CommanderError,
): { readonly word: string | undefined; readonly candidates: readonly string[] } {
  const word = /'([^']*)'/.exec(message)?.[1];
  if (code === "commander.unknownOption") {
    return { word, candidates: command.options.flatMap(({ long }) => long ?? []) };
  }
  if (code === "commander.unknownCommand") return { word, candidates: command.commands.map((child) => child.name()) };
  return { word: undefined, candidates: [] };
}

/** `nexus run start` for the command of that place. */
export function commandLine(command: Command): string {
  return command.parent === null ? command.name() : `${commandLine(command.parent)} ${command.name()}`;
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!]$/.test(capital) ? capital : `${capital}.`;
}
