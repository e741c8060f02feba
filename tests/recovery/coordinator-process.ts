import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A point at which a coordinator waits: before its database writes a row. */
export interface Gate {
  readonly name: string;
  /** For example `rounds`, or `dbos.operation_outputs`. */
  readonly table: string;
  readonly on: "insert" | "update" | "delete";
  /** SQL over the row: `new.…`, `old.…`. */
  readonly when: string;
}

/** Rows of a query, as JSON. */
export type Rows = readonly Readonly<Record<string, unknown>>[];

/** What the fixture is told. */
export type Command = { readonly id: number } & (
  | { readonly type: "close"; readonly gates: readonly Gate[] }
  | { readonly type: "query"; readonly sql: string }
  | { readonly type: "postgres" }
);

/** What the fixture says. */
export type Said =
  | { readonly type: "ready"; readonly url: string }
  | { readonly type: "refused"; readonly code: string; readonly message: string }
  | { readonly type: "reached"; readonly gate: string }
  | { readonly type: "failed"; readonly id: number; readonly message: string }
  | { readonly type: "done"; readonly id: number; readonly rows: Rows };

/** A coordinator process. */
export interface CoordinatorProcess {
  readonly url: string;
  readonly pid: number;
  /** Process id of its PostgreSQL, which has another after it was killed. */
  postgres(): Promise<number>;
  /** Installs gates, closed. */
  close(gates: readonly Gate[]): Promise<void>;
  /** Opens a gate. */
  open(gate: string): Promise<void>;
  /** Waits until a session stands at the gate. */
  reached(gate: string): Promise<void>;
  query(sql: string): Promise<Rows>;
  /** kill −9. */
  kill(): Promise<void>;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>;
}

/** How a coordinator said that it will not start. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface StartOptions {
  /** Chosen by the system when it is 0. */
  readonly port: number;
  /** A gate to open at once: the one at which the last process was killed. */
  readonly open?: string;
  /** A checkout to start from. Default: this one. */
  readonly root?: string;
}

/** Starts a coordinator on a data folder. @throws Refused when it does not start */
export async function startCoordinatorProcess(
  home: string,
  { port, open = "", root = fileURLToPath(new URL("../..", import.meta.url)) }: StartOptions,
): Promise<CoordinatorProcess> {
  const child = spawn(process.execPath, ["--conditions=source", "tests/recovery/coordinator.fixture.ts", home, String(port), open], {
    cwd: root,
    stdio: ["pipe", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], TMPDIR: process.env["TMPDIR"] },
  });
  const exited = once(child, "exit");
  let words = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (words += text));
  child.stdin.on("error", () => {}); // whoever writes to a killed process sees it end

  const ready = Promise.withResolvers<Extract<Said, { type: "ready" }>>();
  const reached = new Set<string>();
  const answers = new Map<number, PromiseWithResolvers<Rows>>();
  let onReached = (): void => {};
  createInterface({ input: child.stdout }).on("line", (line) => {
    const said = JSON.parse(line) as Said;
    switch (said.type) {
      case "ready":
        return ready.resolve(said);
      case "refused":
        return ready.reject(new Refused(said.code, said.message));
      case "reached":
        reached.add(said.gate);
        return onReached();
      case "done":
        return answers.get(said.id)?.resolve(said.rows);
      case "failed":
        return answers.get(said.id)?.reject(new Error(said.message));
    }
  });
  void exited.then(([code]) => ready.reject(new Error(`The coordinator ended with ${String(code)}: ${words}`)));
  const { url } = await ready.promise;

  let commands = 0;
  const tell = (command: { type: "close"; gates: readonly Gate[] } | { type: "query"; sql: string } | { type: "postgres" }): Promise<Rows> => {
    const id = ++commands;
    child.stdin.write(`${JSON.stringify({ ...command, id })}\n`);
    const answer = Promise.withResolvers<Rows>();
    answers.set(id, answer);
    return answer.promise;
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  return {
    url,
    pid: child.pid ?? 0,
    postgres: async () => Number((await tell({ type: "postgres" }))[0]?.["pid"]),
    close: async (gates) => void (await tell({ type: "close", gates })),
    open: async (gate) => void (await tell({ type: "query", sql: `delete from gate.closed where name = '${gate}'` })),
    query: (sql) => tell({ type: "query", sql }),
    reached: (gate) =>
      new Promise((resolve) => {
        onReached = () => {
          if (reached.has(gate)) resolve();
        };
        onReached();
      }),
    kill: () => end("SIGKILL"),
    stop: () => end("SIGTERM"),
  };
}
