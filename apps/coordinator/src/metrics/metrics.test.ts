import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { classRows, rowsSpec, startWork, testCoordinator, type TestCoordinator } from "../test-coordinator.fixture.ts";

let lent: TestCoordinator;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  lent = stack.use(await testCoordinator());
  for (const name of ["ash", "birch"]) stack.use(await startWork(lent.url, await lent.join(name), { rows: classRows(name, 20, 4) }));
});
afterAll(() => stack.disposeAsync());

const get = (token?: string) => fetch(`${lent.url}/metrics`, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });

/** A line of Prometheus' text format 0.0.4: a comment, or a sample. */
const LINE =
  /^(?:# (?:HELP [a-z0-9_]+ .+|TYPE [a-z0-9_]+ (?:counter|gauge|histogram|summary))|([a-z][a-z0-9_]*)(?:\{((?:[a-z_]+="(?:[^"\\]|\\.)*",?)*)\})? (Na[nN]|[+-]Inf|-?[\d.e+-]+))$/;

/** Samples by name and labels. */
async function scrape(): Promise<ReadonlyMap<string, number>> {
  const response = await get(lent.token);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  const samples = new Map<string, number>();
  for (const line of (await response.text()).split("\n").filter((text) => text !== "")) {
    const [, name, labels, value] = LINE.exec(line) ?? expect.fail(`no line of the format: ${line}`);
    if (name !== undefined) samples.set(labels === undefined ? name : `${name}{${labels}}`, Number(value));
  }
  return samples;
}

describe("GET /metrics", () => {
  it("tells of a run, in numbers that fit", async () => {
    const before = await scrape();
    expect(before.get('ciphernx_nodes{status="approved"}')).toBe(2);
    expect(before.get("ciphernx_nodes_online")).toBe(2);
    const run = await lent.nexus.runs.start(rowsSpec({ rounds: 3 }));
    await run.result();
    const { rounds } = await run.show();
    const after = await scrape();
    const grown = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
    expect(grown("ciphernx_round_duration_seconds_count")).toBe(3);
    expect(grown('ciphernx_runs{state="completed"}')).toBe(1);
    expect(grown('ciphernx_answers_total{kind="fit",state="accepted"}')).toBe(6);
    expect(grown('ciphernx_answers_total{kind="evaluate",state="accepted"}')).toBe(6);
    expect(grown('ciphernx_answer_bytes_total{direction="up"}')).toBe(rounds.reduce((sum, { bytesUp }) => sum + Number(bytesUp), 0));
    expect(grown('ciphernx_rpc_duration_seconds_count{method="NodeService/Report",code="ok"}')).toBe(12);
    expect(after.get("process_resident_memory_bytes")).toBeGreaterThan(1_000_000);
    // Nothing is counted twice.
    expect((await scrape()).get("ciphernx_round_duration_seconds_count")).toBe(after.get("ciphernx_round_duration_seconds_count"));
  });

  it("names errors by their codes, and neither parties nor runs", async () => {
    await expect(lent.nexus.runs.get("run_none")).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
    const names = [...(await scrape()).keys()];
    expect(names).toContain('ciphernx_rpc_duration_seconds_count{method="ControlService/GetRun",code="RUN_NOT_FOUND"}');
    expect(names.filter((name) => /ash|birch|run_|node_[0-9a-z]{20}/.test(name))).toEqual([]);
    // Base units in the names of all that have one (Prometheus' naming rules).
    expect(names.filter((name) => /(_ms|_milliseconds|_kb|_mb)\b/.test(name))).toEqual([]);
  });

  it("is for owners and auditors", async () => {
    const as = async (role: "auditor" | "data-scientist") => (await get((await lent.nexus.tokens.create({ name: role, role })).secret)).status;
    expect([(await get()).status, (await get("guess")).status, await as("data-scientist"), await as("auditor")]).toEqual([401, 401, 403, 200]);
  });
});
