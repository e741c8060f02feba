import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface NodeOptions {
  readonly name: string;
  readonly folder: string;
  /** How long it sits over a task. Default 0. */
  readonly pauseMs?: number;
  /** The coordinator to join; later the folder knows it. */
  readonly join?: { readonly url: string; readonly token: string };
}

/** A party's process. */
export interface NodeProcess {
  /** Waits until it has begun with a task. */
  begun(round: number, kind: "fit" | "evaluate"): Promise<void>;
  /** kill −9. */
  kill(): Promise<void>;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>;
}

export function startNodeProcess({ name, folder, pauseMs = 0, join }: NodeOptions): NodeProcess {
  const child = spawn(
    process.execPath,
    ["--conditions=source", "tests/recovery/node.fixture.ts", name, folder, String(pauseMs), ...(join === undefined ? [] : [join.url, join.token])],
    {
      cwd: ROOT,
      stdio: ["pipe", "pipe", "inherit"],
      env: { PATH: process.env["PATH"], TMPDIR: process.env["TMPDIR"] },
    },
  );
  const exited = once(child, "exit");
  const begun = new Set<string>();
  let onBegun = (): void => {};
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { round, kind } = JSON.parse(line) as { readonly round: number; readonly kind: string };
    begun.add(`${kind} ${round}`);
    onBegun();
  });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  return {
    begun: (round, kind) =>
      new Promise((resolve) => {
        onBegun = () => {
          if (begun.has(`${kind} ${round}`)) resolve();
        };
        onBegun();
      }),
    kill: () => end("SIGKILL"),
    stop: () => end("SIGTERM"),
  };
}
