import type { Context } from "./context.ts";

/** One option of a command: how it is written, what it means, how its text becomes a value. */
export interface OptionDefinition<T> {
  /** As commander reads it: `--port <number>`, `--detach`, `--csv <file...>`. */
  readonly flags: string;
  readonly description: string;
  readonly fallback: T;
  /** Shown in the help instead of the fallback itself. */
  readonly fallbackText?: string | undefined;
  readonly required?: boolean;
  /** @throws InvalidValue naming what was wrong. */
  readonly parse?: ((text: string) => unknown) | undefined;
  /** The words that it takes, where they are a few. */
  readonly words?: readonly string[];
}

/** One positional argument, as commander reads it: `<spec>`. */
export interface ArgumentDefinition<T> {
  readonly flags: string;
  readonly description: string;
  /** The words that it takes, where they are a few. */
  readonly words?: readonly string[];
  /** Only carries the type. */
  readonly fallback?: T;
}

type Values<D> = { readonly [K in keyof D]: D[K] extends { readonly fallback?: infer T } ? T : never };

/** A value on the command line that its option does not take. */
export class InvalidValue extends Error {
  /** The values that would have been taken, for "did you mean". */
  readonly candidates: readonly string[];
  readonly word: string;

  constructor(message: string, word: string, candidates: readonly string[] = []) {
    super(message);
    this.word = word;
    this.candidates = candidates;
  }
}

/** `--detach`: false unless written. */
export function flag(flags: string, description: string): OptionDefinition<boolean> {
  return { flags, description, fallback: false };
}

/** `--name <text>`: undefined unless written. */
export function text(flags: string, description: string): OptionDefinition<string | undefined> {
  return { flags, description, fallback: undefined };
}

/** `--name <text>` that must be written. */
export function requiredText(flags: string, description: string): OptionDefinition<string> {
  return { flags, description, fallback: "", required: true };
}

/** `--csv <file...>`: empty unless written. */
export function texts(flags: string, description: string): OptionDefinition<readonly string[]> {
  return { flags, description, fallback: [] };
}

/** `--folder <folder...>` that must be written, perhaps several times. */
export function requiredTexts(flags: string, description: string): OptionDefinition<readonly string[]> {
  return { flags, description, fallback: [], required: true };
}

/** A whole number within a range; the fallback when not written. */
export function integer<T extends number | undefined>(
  flags: string,
  description: string,
  range: { readonly min: number; readonly max: number; readonly fallback: T },
): OptionDefinition<number | T> {
  const parse = (word: string): number => {
    const value = /^[+-]?\d+$/.test(word) ? Number(word) : Number.NaN;
    if (!(value >= range.min && value <= range.max)) throw new InvalidValue(`a whole number from ${range.min} to ${range.max}`, word);
    return value;
  };
  return { flags, description, fallback: range.fallback, parse };
}

/** A number between two others, undefined unless written. */
export function number(
  flags: string,
  description: string,
  range: { readonly above: number; readonly below: number },
): OptionDefinition<number | undefined> {
  const parse = (word: string): number => {
    const value = /^[+-]?(\d+\.?\d*|\.\d+)$/.test(word) ? Number(word) : Number.NaN;
    if (!(value > range.above && value < range.below)) throw new InvalidValue(`a number between ${range.above} and ${range.below}`, word);
    return value;
  };
  return { flags, description, fallback: undefined, parse };
}

/** One word of a few; the fallback when not written. */
export function choice<const T extends string, F extends T | undefined>(
  flags: string,
  description: string,
  words: readonly T[],
  fallback: F,
): OptionDefinition<T | F> {
  const parse = (word: string): T => {
    const found = words.find((candidate) => candidate === word);
    if (found === undefined) throw new InvalidValue(`one of ${words.join(", ")}`, word, words);
    return found;
  };
  return { flags, description: `${description} (${words.join(", ")})`, fallback, parse, words };
}

const SECONDS_PER_UNIT: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** A length of time such as `90s`, `15m`, `2h`, `7d`, as seconds; the fallback's text shows in the help. */
export function duration(flags: string, description: string, fallbackSeconds: number, fallbackText: string): OptionDefinition<number> {
  const parse = (word: string): number => {
    const [, amount, unit] = /^(\d+)([smhd])$/.exec(word) ?? [];
    if (amount === undefined || unit === undefined || Number(amount) === 0)
      throw new InvalidValue("a length of time such as 90s, 15m, 2h or 7d", word);
    return Number(amount) * SECONDS_PER_UNIT[unit]!;
  };
  return { flags, description, fallback: fallbackSeconds, fallbackText, parse };
}

const BYTES_PER_UNIT: Readonly<Record<string, number>> = { kB: 1e3, MB: 1e6, GB: 1e9 };

/** Bytes a second such as `500kB/s` or `2.5MB/s` (decimal units), from 1 kB/s on; undefined unless written. */
export function byteRate(flags: string, description: string): OptionDefinition<number | undefined> {
  const parse = (word: string): number => {
    const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,3})?)([kMG]B)\/s$/.exec(word) ?? [];
    const bytes = amount === undefined || unit === undefined ? Number.NaN : Math.round(Number(amount) * BYTES_PER_UNIT[unit]!);
    if (!(bytes >= 1_000)) throw new InvalidValue("a rate from 1kB/s on, such as 500kB/s or 2.5MB/s", word);
    return bytes;
  };
  return { flags, description, fallback: undefined, parse };
}

const BYTES_PER_MEMORY_UNIT: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
/** Below this no node starts. */
const LEAST_MEMORY_BYTES = 64 * 2 ** 20;

/** Bytes of memory such as `2GiB` or `500MB`, from 64 MiB on; undefined unless written. */
export function bytes(flags: string, description: string): OptionDefinition<number | undefined> {
  const parse = (word: string): number => {
    const [, amount, unit] = /^(\d{1,15}(?:\.\d{1,3})?)((?:[kMG]|[KMG]i)?B)$/.exec(word) ?? [];
    const size = amount === undefined || unit === undefined ? Number.NaN : Math.round(Number(amount) * BYTES_PER_MEMORY_UNIT[unit]!);
    if (!(size >= LEAST_MEMORY_BYTES && size <= Number.MAX_SAFE_INTEGER))
      throw new InvalidValue("an amount of memory from 64MiB on, such as 2GiB", word);
    return size;
  };
  return { flags, description, fallback: undefined, parse };
}

/** Processors such as `2` or `0.5`; undefined unless written. */
export function cpus(flags: string, description: string): OptionDefinition<number | undefined> {
  return number(flags, description, { above: 0, below: 1024 });
}

/** `--until 2027-01-31`: a day of the calendar, undefined unless written. */
export function day(flags: string, description: string): OptionDefinition<string | undefined> {
  const parse = (word: string): string => {
    const time = /^\d{4}-\d{2}-\d{2}$/.test(word) ? Date.parse(`${word}T00:00:00Z`) : Number.NaN;
    // A day that a month has not would be read as one of the next.
    if (!Number.isFinite(time) || new Date(time).toISOString().slice(0, 10) !== word) throw new InvalidValue("a day such as 2027-01-31", word);
    return word;
  };
  return { flags, description, fallback: undefined, parse };
}

/** `<spec>`: must be there. */
export function argument(flags: `<${string}>`, description: string): ArgumentDefinition<string> {
  return { flags, description };
}

/** `<shell>`: one word of a few. */
export function wordArgument(flags: `<${string}>`, description: string, words: readonly string[]): ArgumentDefinition<string> {
  return { flags, description: `${description} (${words.join(", ")})`, words };
}

/** `[name]`: undefined unless written. */
export function optionalArgument(flags: `[${string}]`, description: string): ArgumentDefinition<string | undefined> {
  return { flags, description };
}

/** An example of the help: the command line, and what it does where that is not plain. */
export interface CommandExample {
  readonly command: string;
  readonly about?: string;
}

/** What a command's action is given. */
export interface Invocation<A, O> extends Context {
  readonly args: Values<A>;
  readonly options: Values<O>;
}

interface CommandShape<A, O> {
  readonly name: string;
  readonly summary: string;
  /** Sentences after the summary in the command's own help. */
  readonly details?: string;
  readonly arguments?: A;
  readonly options?: O;
  readonly examples: readonly [CommandExample, ...CommandExample[]];
  /** Does it; imports what is heavy only here, so that help and mistakes are quick. */
  action(invocation: Invocation<A, O>): Promise<void>;
}

/** A command as the program lists it. */
export interface CommandDefinition {
  readonly name: string;
  readonly summary: string;
  readonly details?: string | undefined;
  readonly arguments: readonly (readonly [string, ArgumentDefinition<unknown>])[];
  readonly options: readonly (readonly [string, OptionDefinition<unknown>])[];
  readonly examples: readonly CommandExample[];
  invoke(context: Context, args: Readonly<Record<string, unknown>>, options: Readonly<Record<string, unknown>>): Promise<void>;
}

/** Declares a command; the types of its arguments and options follow from their declarations. */
export function defineCommand<
  const A extends Readonly<Record<string, ArgumentDefinition<unknown>>> = Record<never, never>,
  const O extends Readonly<Record<string, OptionDefinition<unknown>>> = Record<never, never>,
>(shape: CommandShape<A, O>): CommandDefinition {
  return {
    name: shape.name,
    summary: shape.summary,
    details: shape.details,
    arguments: Object.entries(shape.arguments ?? {}),
    options: Object.entries(shape.options ?? {}),
    examples: shape.examples,
    // The program filled both records from the declarations above, value by value.
    invoke: (context, args, options) => shape.action({ ...context, args: args as Values<A>, options: options as Values<O> }),
  };
}

/** Commands under one word: `nexus run …`. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly CommandDefinition[];
}
