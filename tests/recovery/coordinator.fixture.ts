/**
 * A coordinator in a process of its own, to be killed. Reads commands as lines of JSON, writes what happens as lines of JSON.
 *
 * Its gates stop it at an exact point: a trigger in its database holds the statement that is about to write a certain row, so whatever
 * came before is committed and nothing after it has begun. The product knows nothing of them.
 *
 * Arguments: data folder, port, name of a gate that is opened as soon as the database is there.
 *
 * @module
 */
import { createInterface } from "node:readline";
import { startCoordinator } from "@ciphernx/coordinator";
import { NexusError, toNexusError } from "@ciphernx/core/errors";
import { sleep } from "@ciphernx/core/lifecycle";
import type { Command, Gate, Said } from "./coordinator-process.ts";

/** First half of the advisory locks by which a session says that it stands at a gate. */
const GATE_LOCK = 815;
const LOOK_INTERVAL_MS = 20;

const [home = "", port = "", passed = ""] = process.argv.slice(2);
const ending = new AbortController();
process.once("SIGTERM", () => ending.abort(new NexusError("INTERRUPTED", "Told to stop.")));

const say = (said: Said): void => void process.stdout.write(`${JSON.stringify(said)}\n`);

try {
  await using coordinator = await startCoordinator({ home, port: Number(port), signal: ending.signal });
  const { pool } = coordinator.store;
  if (passed !== "") await open(passed);
  const looking = (async () => {
    while (!ending.signal.aborted) {
      await look();
      await sleep(LOOK_INTERVAL_MS);
    }
  })();
  createInterface({ input: process.stdin })
    .once("close", () => ending.abort(new NexusError("INTERRUPTED", "Whoever started it has gone.")))
    .on("line", (line) => {
      const command = JSON.parse(line) as Command;
      obey(command).catch((error: unknown) => say({ type: "failed", id: command.id, message: toNexusError(error).message }));
    });
  say({ type: "ready", url: coordinator.url });
  await new Promise<void>((resolve) => {
    if (ending.signal.aborted) resolve();
    ending.signal.addEventListener("abort", () => resolve());
    coordinator.lost.addEventListener("abort", () => resolve());
  });
  await looking;

  async function open(gate: string): Promise<void> {
    await pool.query("delete from gate.closed where name = $1", [gate]);
  }

  async function look(): Promise<void> {
    const reached = await pool
      .query<{ name: string }>("select name from pg_locks join gate.closed on objid = number where locktype = 'advisory' and classid = $1", [
        GATE_LOCK,
      ])
      .catch(() => ({ rows: [] })); // no gates, or no database just now
    for (const { name } of reached.rows) say({ type: "reached", gate: name });
  }

  async function obey(command: Command): Promise<void> {
    switch (command.type) {
      case "close":
        return closeGates(command.gates).then(() => say({ type: "done", id: command.id, rows: [] }));
      case "postgres":
        return say({ type: "done", id: command.id, rows: [{ pid: coordinator.store.postgresPid }] });
      case "query":
        return pool.query<Record<string, unknown>>(command.sql).then(({ rows }) => say({ type: "done", id: command.id, rows }));
    }
  }

  async function closeGates(gates: readonly Gate[]): Promise<void> {
    await pool.query(`
      create schema if not exists gate;
      create table if not exists gate.closed (name text primary key, number int not null);
      create or replace function gate.at(run text, number int) returns boolean language sql stable as
        'select exists (select from runs where id = run and current_round = number)';
      create or replace function gate.is_of(name text, task text) returns boolean language sql stable as
        'select exists (select from tasks where id = task and party = name and kind = ''fit'')';
      create or replace function gate.wait() returns trigger language plpgsql as $$
        begin
          if exists (select from gate.closed where name = tg_argv[0]) then
            perform pg_advisory_xact_lock_shared(${GATE_LOCK}, tg_argv[1]::int);
            while exists (select from gate.closed where name = tg_argv[0]) loop perform pg_sleep(0.005); end loop;
          end if;
          return coalesce(new, old);
        end $$`);
    for (const [index, { name, table, on, when }] of gates.entries()) {
      const number = (Date.now() % 1_000_000) * 100 + index;
      await pool.query("insert into gate.closed values ($1, $2)", [name, number]);
      await pool.query(
        `create trigger "gate ${name}" before ${on} on ${table} for each row when (${when}) execute function gate.wait('${name}', '${number}')`,
      );
    }
  }
} catch (error) {
  const { code, message } = toNexusError(error);
  say({ type: "refused", code, message });
  process.exitCode = 1;
}
process.stdin.destroy();
