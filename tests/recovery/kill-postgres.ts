import { expect } from "vitest";
import type { Federation } from "./federation.ts";

/** kill −9 of the coordinator's PostgreSQL while a session stands at a gate, which is opened as soon as it is back. @returns what was killed */
export async function killPostgres({ coordinator }: Federation, gate: string): Promise<number> {
  const pid = await coordinator.postgres();
  process.kill(pid, "SIGKILL");
  await expect
    .poll(
      () =>
        coordinator
          .open(gate)
          .then(() => true)
          .catch(() => false),
      { timeout: 30_000 },
    )
    .toBe(true);
  return pid;
}
