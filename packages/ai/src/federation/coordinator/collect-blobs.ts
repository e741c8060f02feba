import { isSha256, type Sha256 } from "@ciphernx/core/blobs";
import type { SharedLock } from "@ciphernx/core/lifecycle";
import { blobs, type Store } from "@ciphernx/core/store";
import { inArray, sql } from "@ciphernx/core/store/sql";

/** How long a checkpoint that somebody uploaded waits for the run that starts from it. */
const UPLOAD_KEPT_HOURS = 24;

/**
 * Deletes blobs that nothing refers to any more: updates of committed rounds, models of rounds before the last one.
 * Holds the lock alone, so that no blob is committed between the decision and the deletion.
 * @returns how many were deleted
 */
export async function collectBlobs(store: Store, lock: SharedLock): Promise<number> {
  return lock.exclusive(async () => {
    const { rows } = await store.db.execute<{ hash: string }>(sql`
      select hash from blobs
      where not (kind = 'upload' and created_at > now() - make_interval(hours => ${UPLOAD_KEPT_HOURS}))
      except (
        select initial_model_hash from runs
        union select model_hash from runs
        union select server_state_hash from runs
        union select hash from models
        union select model_hash from rounds where state not in ('committed', 'abandoned')
        union select server_state_hash from rounds where state not in ('committed', 'abandoned')
        union select t.blob_hash from tasks t join rounds r using (run_id, round, attempt)
          where t.state = 'accepted' and r.state not in ('committed', 'abandoned')
      )`);
    const hashes = rows.map(({ hash }) => hash).filter(isSha256);
    if (hashes.length === 0) return 0;
    // Files first: a crash between the two leaves rows that the next collection finds, not files that none does.
    for (const hash of hashes) await store.blobs.delete(hash);
    await store.db.delete(blobs).where(inArray(blobs.hash, hashes));
    return hashes.length;
  });
}

/** Deletes what parties handed in for sums of rounds that are over: shares that nobody needs any more. */
export async function collectContributions({ db }: Pick<Store, "db">): Promise<void> {
  await db.execute(sql`
    delete from sum_contributions using tasks t join rounds r using (run_id, round, attempt)
    where t.id = sum_contributions.task_id and r.state in ('committed', 'abandoned')`);
}

/** Collects blobs beside the rounds, so that no round waits for it. */
export interface BlobCollector {
  /** Has unreferenced blobs collected soon; a request during a collection is served by another one after it. */
  request(): void;
  /** Resolves when nothing is being collected. */
  idle(): Promise<void>;
}

/** @param onFailure told of a collection that failed; what it left is found by the next */
export function createBlobCollector(store: Store, lock: SharedLock, onFailure: (error: unknown) => void): BlobCollector {
  let wanted = false;
  let running: Promise<void> | undefined;
  const run = async (): Promise<void> => {
    while (wanted) {
      wanted = false;
      await collectBlobs(store, lock)
        .then(() => collectContributions(store))
        .catch(onFailure);
    }
    running = undefined;
  };
  return {
    request() {
      wanted = true;
      running ??= run();
    },
    idle: async () => running,
  };
}

/** Deletes files that no row knows, left by a crash between the file and its row. For start-up, before anything is served. */
export async function collectStrayFiles(store: Store): Promise<number> {
  const stray: Sha256[] = [];
  for await (const hash of store.blobs.list()) {
    const rows = await store.db
      .select({ hash: blobs.hash })
      .from(blobs)
      .where(inArray(blobs.hash, [hash]));
    if (rows.length === 0) stray.push(hash);
  }
  for (const hash of stray) await store.blobs.delete(hash);
  return stray.length;
}
