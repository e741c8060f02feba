import { type ChildProcess, spawn } from "node:child_process";
import { openSync, closeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { isErrorCode, NexusError } from "@ciphernx/core/errors";

const BIN = new URL("../../bin/nexus.js", import.meta.url).pathname;
const STOP_TIMEOUT_MS = 20_000;

/** A `nexus` command that runs beside this one and ends with it. */
export interface NexusProcess extends AsyncDisposable {
  readonly pid: number | undefined;
  /** The first line of its standard output; fails with its last words when it ends before. */
  firstLine(): Promise<string>;
  /** Rejects when the process ends by itself. */
  readonly ended: Promise<never>;
  /** Asks it to stop and waits until it has. */
  stop(): Promise<void>;
}

/** Starts `nexus …` as a process of its own; what it says goes to a log file. */
export function startNexus(args: readonly string[], logFile: string): NexusProcess {
  const log = openSync(logFile, "a");
  const child = spawn(process.execPath, [...process.execArgv, BIN, ...args], {
    stdio: ["ignore", "pipe", log],
    env: { ...process.env, NO_COLOR: "1" },
  });
  closeSync(log);
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  let stopping = false;
  const ended = exited.then(async (): Promise<never> => {
    if (stopping) return new Promise<never>(() => {});
    throw await lastWords(child, args, logFile);
  });
  ended.catch(() => {});
  const lines = child.stdout === null ? undefined : createInterface({ input: child.stdout });
  const line = new Promise<string>((resolve) => lines?.once("line", resolve));
  const stop = async (): Promise<void> => {
    stopping = true;
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    const hard = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(hard);
  };
  return { pid: child.pid, firstLine: () => Promise.race([line, ended]), ended, stop, [Symbol.asyncDispose]: stop };
}

async function lastWords(child: ChildProcess, args: readonly string[], logFile: string): Promise<NexusError> {
  const log = (await readFile(logFile, "utf8")).trimEnd().split("\n").slice(-5).join("\n");
  const how = child.signalCode === null ? `exit code ${child.exitCode}` : child.signalCode;
  return new NexusError("INTERNAL", `\`nexus ${args.join(" ")}\` ended by itself (${how}).${log === "" ? "" : `\n${log}`}`);
}

/** The data of a command's `--json` envelope, or the error in it. */
export function envelopeData<T>(line: string): T {
  const envelope = JSON.parse(line) as {
    readonly data?: T;
    readonly error?: { readonly code: string; readonly message: string; readonly hint: string };
  };
  if (envelope.data !== undefined) return envelope.data;
  const { code = "INTERNAL", message = line, hint = "" } = envelope.error ?? {};
  throw new NexusError(isErrorCode(code) ? code : "INTERNAL", message, { hint });
}
