import { chown, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, describe, expect, it } from "vitest";
import { databaseError, events, nodes, openStore, projects, retrying, runs, type Store, type Transaction } from "./index.ts";
import { eq, sql } from "./sql.ts";
import { databaseAccount } from "./postgres/account.ts";
import { canRead } from "./postgres/reach.ts";
import { childrenOf, isAlive, parentOf, processesIn, startScript, until } from "./testing/process-fixture.ts";
import { temporaryFolder, testDatabase } from "./testing/index.ts";

const linux = process.platform === "linux";
const temporary = await temporaryFolder();
const root = temporary.path;
// A name that is longer than a socket's path may be, with what shells and URLs stumble over.
const dataDir = join(root, `data of 'Ünï' $x ${"long".repeat(40)}`);
afterAll(async () => {
  if (linux) await until(async () => (await processesIn(root)).length === 0);
  await temporary[Symbol.asyncDispose]();
});

/** Opens the store, adds a project, tells the ids of its processes, and stays until it is killed. */
const HOLD = `
  import { openStore, projects } from "@ciphernx/core/store";
  const [dataDir, name] = process.argv.slice(1);
  process.on("SIGINT", () => console.log("interrupted"));
  try {
    const store = await openStore({ dataDir });
    await store.db.insert(projects).values({ id: "prj_" + name, name });
    console.log(JSON.stringify({ postgres: store.postgresPid }));
    setInterval(() => {}, 1000);
  } catch (error) {
    console.log(JSON.stringify({ code: error.code, message: error.message }));
    process.exit();
  }
`;

async function hold(name: string): Promise<{ script: ReturnType<typeof startScript>; postgres: number }> {
  const script = startScript(HOLD, [dataDir, name]);
  const answer = JSON.parse(await script.line()) as { postgres: number };
  expect(answer).toEqual({ postgres: expect.any(Number) });
  return { script, postgres: answer.postgres };
}

const projectNames = async (store: Store): Promise<string[]> => (await store.db.select().from(projects)).map((project) => project.name).sort();

describe("a store with its own PostgreSQL", () => {
  it("keeps rows, bytes and times as they were given", async () => {
    await using store = await openStore({ dataDir });
    expect((await stat(join(dataDir, "postgres", "password"))).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(join(dataDir, "format.json"), "utf8"))).toEqual({ version: 1 });

    const publicKey = Uint8Array.from({ length: 32 }, (_, index) => 255 - index);
    const joinedAt = new Date("2026-01-02T03:04:05.678Z");
    const addProject = (tx: Transaction) => tx.insert(projects).values({ id: "prj_a", name: "a" });
    await store.db.transaction(async (tx) => {
      await addProject(tx);
      await tx.insert(nodes).values({ id: "node_a", projectId: "prj_a", name: "clinic", publicKey, status: "approved", joinedAt });
      await tx.insert(runs).values({
        id: "run_a",
        projectId: "prj_a",
        name: "r",
        spec: { a: [1] },
        specHash: "h",
        plan: {},
        seed: Number.MAX_SAFE_INTEGER,
        state: "pending",
        rounds: 3,
      });
    });
    const [node] = await store.db.select().from(nodes);
    expect(node).toMatchObject({ publicKey, joinedAt, lastSeenAt: null });
    const [run] = await store.db.select().from(runs);
    expect(run).toMatchObject({ seed: Number.MAX_SAFE_INTEGER, spec: { a: [1] }, currentRound: 0, outcome: null, stopRequested: false });
    const hash = await store.blobs.put(new Uint8Array([1, 2, 3]));
    expect(await store.blobs.size(hash)).toBe(3);
  });

  it("does not wait for the disk less than it should", async () => {
    await using store = await openStore({ dataDir });
    const { rows } = await store.pool.query(
      "select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums')",
    );
    expect(rows.every((row: { setting: string }) => row.setting === "on")).toBe(true);
    expect(rows).toHaveLength(4);
  });

  it("holds to the rules of its tables", async () => {
    await using store = await openStore({ dataDir });
    const { db } = store;
    const node = { projectId: "prj_a", name: "clinic", publicKey: new Uint8Array(32) };
    const refused = async (work: Promise<unknown>): Promise<unknown> =>
      work.then(
        () => undefined,
        (error: Error) => (error.cause as { code?: string }).code,
      );
    expect(await refused(db.insert(nodes).values({ ...node, id: "node_b", status: "pending" }))).toBe("23505");
    await db.insert(nodes).values({ ...node, id: "node_c", status: "removed" });
    await db.insert(nodes).values({ ...node, id: "node_d", status: "removed" });
    expect(await refused(db.update(runs).set({ state: "finished" }).where(eq(runs.id, "run_a")))).toBe("23514");
    expect(await refused(db.execute(sql`update runs set state = 'paused'`))).toBe("23514");
    expect(await refused(db.insert(events).values({ runId: "run_none", number: 1, type: "x", payload: {} }))).toBe("23503");
  });

  it("is open once: another process, and this one, are told who has it", async () => {
    await using store = await openStore({ dataDir });
    await expect(openStore({ dataDir })).rejects.toMatchObject({ code: "DATA_FOLDER_BUSY", details: { pid: process.pid } });
    const other = startScript(HOLD, [dataDir, "other"]);
    expect(JSON.parse(await other.line())).toMatchObject({ code: "DATA_FOLDER_BUSY", message: expect.stringContaining(`process ${process.pid}`) });
    expect(await projectNames(store)).toEqual(["a"]);
  });

  it("closes twice, and can be given up while it opens", async () => {
    const store = await openStore({ dataDir });
    await store.close();
    await store.close();
    await expect(openStore({ dataDir, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "INTERRUPTED" });
    for (const delayMs of [30, 70]) {
      const opening = openStore({ dataDir, signal: AbortSignal.timeout(delayMs) });
      await opening.then(
        (opened) => opened.close(),
        (error: unknown) => expect(error).toMatchObject({ code: "INTERRUPTED" }),
      );
    }
    await using again = await openStore({ dataDir });
    expect(await projectNames(again)).toEqual(["a"]);
  });
});

describe.skipIf(!linux)("kill -9", () => {
  it("of the owner: PostgreSQL ends by itself, the lock is taken over, what was committed is there", async () => {
    const { script, postgres } = await hold("survivor");
    await script.kill();
    await until(async () => !(await isAlive(postgres)));
    await until(async () => (await processesIn(root)).length === 0);
    await using store = await openStore({ dataDir });
    expect(await projectNames(store)).toContain("survivor");
  });

  it("of the owner and the watchdog: the next start stops the orphan", async () => {
    const { script, postgres } = await hold("orphan");
    const shell = await parentOf(postgres);
    for (const pid of await childrenOf(shell)) if (pid !== postgres) process.kill(pid, "SIGKILL");
    process.kill(script.pid, "SIGKILL");
    process.kill(shell, "SIGKILL");
    await script.kill();
    expect(await isAlive(postgres)).toBe(true);
    const said: string[] = [];
    await using store = await openStore({ dataDir, log: (_level, message) => said.push(message) });
    expect(said.join("\n")).toContain(`process ${postgres}`);
    expect(await isAlive(postgres)).toBe(false);
    expect(await projectNames(store)).toContain("orphan");
  });

  it("of PostgreSQL in mid-use: the query fails as retryable, later ones succeed, the coordinator's lock is held again", async () => {
    await using store = await openStore({ dataDir });
    const first = store.postgresPid ?? 0;
    const inFlight = store.pool.query("select pg_sleep(60)").catch((error: unknown) => databaseError(error));
    const inTransaction = store.db
      .transaction(async (tx) => {
        await tx.insert(projects).values({ id: "prj_lost", name: "lost" });
        process.kill(first, "SIGKILL");
        await until(() => store.postgresPid !== first);
        await tx.select().from(projects);
      })
      .catch((error: unknown) => databaseError(error));
    expect(await inFlight).toMatchObject({ code: "DATABASE_UNAVAILABLE", retryable: true });
    expect(await inTransaction).toMatchObject({ code: "DATABASE_UNAVAILABLE" });

    const names = await retrying(() => projectNames(store));
    expect(names).toContain("survivor");
    expect(names).not.toContain("lost");
    await until(() => store.postgresPid !== undefined);
    expect(store.postgresPid).not.toBe(first);

    const held = "select count(*)::int as held from pg_locks where locktype = 'advisory' and granted";
    await until(async () => (await store.pool.query<{ held: number }>(held)).rows[0]?.held === 1);
    expect(store.lost.aborted).toBe(false);
  });

  it("of one of PostgreSQL's connections, and of its watchdog: it goes on", async () => {
    await using store = await openStore({ dataDir });
    const { rows } = await store.pool.query<{ pid: number }>("select pg_backend_pid() as pid");
    process.kill(rows[0]?.pid ?? 0, "SIGKILL");
    expect(await retrying(() => projectNames(store))).toContain("survivor");

    const first = store.postgresPid ?? 0;
    process.kill(await parentOf(first), "SIGKILL");
    await until(() => store.postgresPid !== undefined && store.postgresPid !== first);
    expect(await isAlive(first)).toBe(false);
    expect(await retrying(() => projectNames(store))).toContain("survivor");
  });

  it("of the owner in its first start: the next one starts afresh", async () => {
    const young = join(root, "young");
    const script = startScript(HOLD, [young, "young"]);
    await until(async () => (await readdir(join(young, "postgres")).catch(() => [])).some((name) => name.startsWith("data.new")));
    await script.kill();
    await using store = await openStore({ dataDir: young });
    expect(await projectNames(store)).toEqual([]);
  });

  it("is not needed for Ctrl-C: PostgreSQL is outside the terminal's process group", async () => {
    const { script, postgres } = await hold("terminal");
    process.kill(-script.pid, "SIGINT");
    expect(await script.line()).toBe("interrupted");
    expect(await isAlive(postgres)).toBe(true);
    await script.kill();
  });
});

describe("a folder that cannot be used", () => {
  it("is refused when its format is newer or unreadable, naming both versions", async () => {
    const newer = join(root, "newer");
    await mkdir(newer);
    await writeFile(join(newer, "format.json"), JSON.stringify({ version: 7 }));
    await expect(openStore({ dataDir: newer })).rejects.toMatchObject({
      code: "DATA_FOLDER_UNUSABLE",
      message: expect.stringMatching(/version 7.*version 1/),
    });
    await writeFile(join(newer, "format.json"), "{");
    await expect(openStore({ dataDir: newer })).rejects.toMatchObject({ code: "DATA_FOLDER_UNUSABLE" });
  });

  it("is refused when it is a file", async () => {
    const path = join(root, "file");
    await writeFile(path, "");
    await expect(openStore({ dataDir: path })).rejects.toMatchObject({ code: "DATA_FOLDER_UNUSABLE", message: expect.stringContaining(path) });
  });

  it.skipIf(process.getuid?.() !== 0)("is refused below a folder that the database's user may not enter, which is named", async () => {
    const closed = join(root, "closed");
    await mkdir(closed, { mode: 0o700 });
    const opening = openStore({ dataDir: join(closed, "inner") });
    await expect(opening).rejects.toMatchObject({ code: "DATA_FOLDER_UNUSABLE", details: { folder: closed } });
    expect((await stat(closed)).mode & 0o777).toBe(0o700);
  });
});

const account = await databaseAccount(undefined);
const canRunAsUser =
  account !== undefined && (await canRead(new URL(import.meta.url).pathname, account)) && (await canRead(process.execPath, account));

describe("an ordinary user's store", () => {
  it.skipIf(!canRunAsUser)("works the same, with everything its own", async () => {
    const own = join(root, "own");
    await mkdir(own, { mode: 0o700 });
    await chown(own, account?.uid ?? 0, account?.gid ?? 0);
    const script = startScript(HOLD, [join(own, "data"), "mine"], account);
    const { postgres } = JSON.parse(await script.line()) as { postgres: number };
    await script.kill();
    await until(async () => !(await isAlive(postgres)));
    expect((await stat(join(own, "data"))).mode & 0o777).toBe(0o700);

    // Root may look after it later, as the user whose files they are.
    await using store = await openStore({ dataDir: join(own, "data") });
    expect(await projectNames(store)).toEqual(["mine"]);
  });

  it.skipIf(!canRunAsUser)("is refused in a folder of another user", async () => {
    const roots = join(root, "roots");
    await mkdir(roots, { mode: 0o755 });
    for (const dir of [roots, join(roots, "inner")]) {
      const answer = JSON.parse(await startScript(HOLD, [dir, "x"], account).line()) as unknown;
      expect(answer).toMatchObject({ code: "DATA_FOLDER_UNUSABLE", message: expect.stringContaining(dir) });
    }
  });
});

describe("a store with DATABASE_URL", () => {
  it("uses that server; the second coordinator on the database is told who has it", async () => {
    await using server = await openStore({ dataDir });
    const admin = new Client({ connectionString: server.databaseUrl });
    await admin.connect();
    await admin.query("create database elsewhere");
    const url = new URL(server.databaseUrl);
    url.pathname = "/elsewhere";
    const databaseUrl = url.href;

    const first = await openStore({ dataDir: join(root, "first"), databaseUrl });
    expect(first.postgresPid).toBeUndefined();
    expect(await projectNames(first)).toEqual([]);
    const second = openStore({ dataDir: join(root, "second"), databaseUrl });
    await expect(second).rejects.toMatchObject({ code: "DATA_FOLDER_BUSY", message: expect.stringContaining(`coordinator ${process.pid}`) });
    await first.close();

    const third = await openStore({ dataDir: join(root, "second"), databaseUrl });
    await third.pool.query("insert into schema_migrations (hash, created_at) values ('of the future', 1e15)");
    await third.close();
    await expect(openStore({ dataDir: join(root, "second"), databaseUrl })).rejects.toMatchObject({
      code: "DATA_FOLDER_UNUSABLE",
      message: expect.stringContaining("newer"),
    });
    await admin.query("drop database elsewhere with (force)");
    await admin.end();
  });

  it("keeps its lock through a lost session, and tells its owner when another has taken it", async () => {
    await using database = await testDatabase();
    await using store = await openStore({ dataDir: join(root, "fenced"), databaseUrl: database.databaseUrl });
    const other = new Client({ connectionString: database.databaseUrl, application_name: "the other" });
    await other.connect();
    const held =
      "select pid, application_name as name, objid::bigint as key from pg_locks join pg_stat_activity using (pid) where locktype = 'advisory' and granted and pid <> pg_backend_pid()";
    const lockSession = async (): Promise<{ pid: number; key: string } | undefined> =>
      (await other.query<{ pid: number; name: string; key: string }>(held)).rows.find((row) => row.name.includes(`coordinator ${process.pid}`));
    const first = await lockSession();
    await other.query("select pg_terminate_backend($1)", [first?.pid]);
    await until(async () => ((await lockSession())?.pid ?? first?.pid) !== first?.pid);
    expect(store.lost.aborted).toBe(false);

    const second = await lockSession();
    const killer = new Client({ connectionString: database.databaseUrl });
    await killer.connect();
    const waiting = other.query(
      "select pg_advisory_lock((classid::bigint << 32) | objid::bigint) from pg_locks where locktype = 'advisory' and pid = $1",
      [second?.pid],
    );
    await until(async () => (await killer.query("select 1 from pg_locks where locktype = 'advisory' and not granted")).rowCount === 1);
    await killer.query("select pg_terminate_backend($1)", [second?.pid]);
    await waiting;
    await until(() => store.lost.aborted);
    expect(store.lost.reason).toMatchObject({ code: "DATA_FOLDER_BUSY", message: expect.stringContaining("the other") });
    await killer.end();
    await other.end();
  });

  it("says so when the server does not answer or does not let it in, and leaves the folder free", async () => {
    const folder = join(root, "third");
    const nobody = "postgresql://nexus:x@127.0.0.1:1/nexus";
    await expect(openStore({ dataDir: folder, databaseUrl: nobody, signal: AbortSignal.timeout(200) })).rejects.toMatchObject({
      code: "INTERRUPTED",
    });
    await using server = await openStore({ dataDir });
    const url = new URL(server.databaseUrl);
    url.password = "wrong";
    await expect(openStore({ dataDir: folder, databaseUrl: url.href })).rejects.toMatchObject({
      code: "DATABASE_REFUSED",
      message: expect.stringContaining("password authentication failed"),
    });
    await expect(openStore({ dataDir: folder, databaseUrl: "not an address" })).rejects.toMatchObject({ code: "DATABASE_REFUSED" });
    await expect(stat(join(folder, "lock"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});
