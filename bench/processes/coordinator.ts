/** A coordinator as `nexus up` runs it, and what its rows say of the rounds. @module */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { ownerTokenPath, startCoordinator } from "@ciphernx/coordinator";
import { collectBulkMemory } from "@ciphernx/core/process";
import { sql } from "@ciphernx/core/store/sql";
import { givenOptions, letGo, tell } from "./child.ts";

export interface CoordinatorOptions {
  /** Data folder. */
  readonly home: string;
  /** Serves nodes over TLS, as on another machine. */
  readonly tls: boolean;
}

export interface CoordinatorStarted {
  readonly url: string;
  /** Where nodes find it: the address with TLS, if it has one. */
  readonly nodeUrl: string;
  readonly ownerToken: string;
}

/** When the steps of a committed round happened, in milliseconds of Unix time, with a fraction. */
export interface RoundTimes {
  readonly round: number;
  readonly openedAt: number;
  readonly firstDeliveredAt: number;
  readonly lastDeliveredAt: number;
  readonly firstReportedAt: number;
  readonly lastReportedAt: number;
  readonly closedAt: number;
  readonly committedAt: number;
}

if (import.meta.main) {
  collectBulkMemory();
  const ended = letGo();
  const { home, tls } = givenOptions<CoordinatorOptions>();
  await using coordinator = await startCoordinator({ home, port: 0, ...(tls ? { tls: { listen: { host: "127.0.0.1", port: 0 } } } : {}) });
  const ownerToken = (await readFile(ownerTokenPath(home), "utf8")).trim();
  tell({ url: coordinator.url, nodeUrl: coordinator.tls?.url ?? coordinator.url, ownerToken } satisfies CoordinatorStarted);
  process.on("message", (runId: string) => {
    void roundTimes(runId).then(tell);
  });
  if (!ended.aborted) await once(ended, "abort");

  async function roundTimes(runId: string): Promise<readonly RoundTimes[]> {
    const { rows } = await coordinator.store.db.execute<Record<keyof RoundTimes, number>>(sql`
      select r.round as "round",
        extract(epoch from e.at)::float8 * 1000 as "openedAt",
        extract(epoch from min(t.delivered_at))::float8 * 1000 as "firstDeliveredAt",
        extract(epoch from max(t.delivered_at))::float8 * 1000 as "lastDeliveredAt",
        extract(epoch from min(t.reported_at))::float8 * 1000 as "firstReportedAt",
        extract(epoch from max(t.reported_at))::float8 * 1000 as "lastReportedAt",
        extract(epoch from r.closed_at)::float8 * 1000 as "closedAt",
        extract(epoch from r.committed_at)::float8 * 1000 as "committedAt"
      from rounds r
      join tasks t using (run_id, round, attempt)
      join events e on e.run_id = r.run_id and e.type = 'round-opened' and (e.payload->>'round')::int = r.round
      where r.run_id = ${runId} and r.state = 'committed' and t.kind = 'fit'
      group by r.run_id, r.round, r.attempt, e.at order by r.round`);
    return rows;
  }
}
