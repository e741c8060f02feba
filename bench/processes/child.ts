import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, chmod, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A process of a benchmark: takes messages, gives messages, and ends when its parent lets go of it. */
export interface Child extends AsyncDisposable {
  readonly pid: number;
  say(message: unknown): void;
  /** The next message that nobody has taken. Rejects when the process ends before it comes. */
  next<T>(): Promise<T>;
}

/** Starts a file of this folder from source with `options`, which are JSON; `flags` are Node's. */
export function startChild(file: string, options: unknown, flags: readonly string[] = []): Child {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = fork(path, [JSON.stringify(options)], { execArgv: ["--conditions=source", ...flags], serialization: "advanced" });
  const exited = once(child, "exit");
  const arrived: unknown[] = [];
  const waiting: PromiseWithResolvers<unknown>[] = [];
  let ended = false;
  child.on("message", (message) => {
    const first = waiting.shift();
    if (first === undefined) arrived.push(message);
    else first.resolve(message);
  });
  const gone = () => new Error(`The process of ${file} ended before it answered.`);
  child.on("exit", () => {
    ended = true;
    for (const one of waiting.splice(0)) one.reject(gone());
  });
  return {
    pid: child.pid!,
    say: (message) => void child.send(message as object),
    next<T>() {
      if (arrived.length > 0) return Promise.resolve(arrived.shift() as T);
      if (ended) return Promise.reject(gone());
      const place = Promise.withResolvers<unknown>();
      waiting.push(place);
      return place.promise as Promise<T>;
    },
    async [Symbol.asyncDispose]() {
      if (!ended) child.disconnect();
      await exited;
    },
  };
}

/** In a child: what its parent gave it. */
export function givenOptions<T>(): T {
  return JSON.parse(process.argv[2] ?? "") as T;
}

/** In a child: says something to the parent. */
export function tell(message: unknown): void {
  process.send?.(message);
}

/** In a child: aborts when the parent lets go. */
export function letGo(): AbortSignal {
  const controller = new AbortController();
  process.once("disconnect", () => controller.abort());
  return controller.signal;
}

/** A folder for one benchmark, gone afterwards. Open to other users: PostgreSQL does not run as root. */
export async function temporaryFolder(name: string): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), `nexus-bench-${name}-`));
  await chmod(path, 0o711);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }) };
}

/** Resident memory of a process in bytes: now, and at its highest since it started or since the mark was taken back. Linux only. */
export async function residentBytes(pid: number): Promise<{ readonly now: number; readonly peak: number }> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? Number.NaN) * 1024;
  return { now: field("VmRSS"), peak: field("VmHWM") };
}
