import { EXIT, NexusError, toNexusError } from "@ciphernx/core/errors";
import { createContext } from "./context.ts";
import { fillGlobalOptions, outputModeOf } from "./global-options.ts";
import { watchInterruption } from "./interruption.ts";
import { createOutput } from "./output/index.ts";
import { endsWithLauncher } from "./parent.ts";
import { findProfile } from "./profiles/index.ts";
import { createProgram } from "./program.ts";
import { explainMistake, UsageMistake } from "./usage-mistake.ts";

/** Runs one command line and ends the process with its exit code. */
export async function main(args: readonly string[]): Promise<void> {
  process.stdout.on("error", endQuietlyOnClosedPipe);
  process.stderr.on("error", endQuietlyOnClosedPipe);
  const code = await runCommandLine(args);
  process.exitCode = code;
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(code);
}

async function runCommandLine(args: readonly string[]): Promise<number> {
  const { env, stdout, stderr } = process;
  using interruption = watchInterruption();
  const signal = endsWithLauncher(interruption.signal);
  let output = createOutput({ mode: outputModeOf(args), stdout, stderr, env });
  try {
    // What the scripts of `nexus completion` ask at every press of the Tab key.
    if (args[0] === COMPLETE) {
      const { tellCompletions } = await import("./completion/index.ts");
      await tellCompletions(args.slice(1), { env, stdout, signal });
      return EXIT.ok;
    }
    const program = createProgram(stdout);
    if (args.length === 0) {
      program.command.outputHelp();
      return EXIT.ok;
    }
    const parsed = program.parse(args);
    if (parsed === undefined) return EXIT.ok;
    const global = fillGlobalOptions(parsed.global, env, await findProfile(parsed.global, env));
    if (global.mode !== output.mode) output = createOutput({ mode: global.mode, stdout, stderr, env });
    const context = createContext(global, output, signal);
    await parsed.definition.invoke(context, parsed.args, parsed.options);
    return interruption.received() === "SIGINT" ? EXIT.interrupted : EXIT.ok;
  } catch (thrown) {
    const error = await explain(thrown, signal);
    output.failure(error, isPresent(env["NEXUS_DEBUG"]));
    return error.exitCode;
  }
}

/** The word with which a shell asks what may follow. */
const COMPLETE = "__complete";

async function explain(thrown: unknown, signal: AbortSignal): Promise<NexusError> {
  if (thrown instanceof UsageMistake) return explainMistake(thrown);
  // Whatever breaks off because of Ctrl-C broke off because of Ctrl-C.
  if (signal.aborted) return new NexusError("INTERRUPTED", "Interrupted.", { hint: "", cause: thrown });
  return fileError(thrown) ?? toNexusError(thrown);
}

/** What the file system says about a path that a person gave. */
const FILE_ERRORS: ReadonlySet<string> = new Set(["EACCES", "EEXIST", "EISDIR", "ENOENT", "ENOTDIR", "EPERM", "EROFS"]);

/** A path that cannot be used is no defect of the program. Only here: over the wire, a server's paths are nobody's business. */
function fileError(thrown: unknown): NexusError | undefined {
  if (!(thrown instanceof Error && "path" in thrown && "code" in thrown && typeof thrown.code === "string" && FILE_ERRORS.has(thrown.code)))
    return undefined;
  return new NexusError("FILE_UNUSABLE", thrown.message, { cause: thrown });
}

function isPresent(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "0";
}

/** A reader such as `head` that has seen enough is no error. */
function endQuietlyOnClosedPipe(error: Error): void {
  if ("code" in error && error.code === "EPIPE") process.exit(EXIT.ok);
  throw error;
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}
