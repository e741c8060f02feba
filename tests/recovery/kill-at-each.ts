import type { RunHandle } from "@ciphernx/ai/client";
import type { RunSpecInput } from "@ciphernx/ai/spec";
import type { Federation } from "./federation.ts";
import { runSpec } from "./parties.ts";
import type { Point } from "./points.ts";

export interface KillOptions {
  /** How often it is killed at each point. Default once. */
  readonly times?: number;
  /** What is killed. Default: the coordinator. */
  readonly kill?: (federation: Federation, gate: string) => Promise<void>;
  /** Which run, by its rounds. */
  readonly spec?: (rounds: number) => RunSpecInput;
}

/** Rounds of a run that is killed at so many points: one before the first and one after the last. */
export function roundsFor(points: readonly Point[]): number {
  return points.length + 2;
}

/** Starts a run and kills the coordinator in round 2 at the first point, in round 3 at the second and so on. Returns when the last point is behind it. */
export async function killAtEach(
  federation: Federation,
  points: readonly Point[],
  { times = 1, kill, spec = runSpec }: KillOptions = {},
): Promise<RunHandle> {
  // The first round waits until the gates, which name the run, are there.
  const ready = Promise.withResolvers<void>();
  federation.pace = { before: () => ready.promise };
  const run = await federation.start(spec(roundsFor(points)));
  const gates = points.map(({ name, gate }, index) => ({ name: `${run.id} ${name}`, ...gate(run.id, index + 2) }));
  await federation.coordinator.close(gates);
  ready.resolve();
  for (const { name } of gates) {
    for (let time = 1; time <= times; time += 1) {
      await federation.coordinator.reached(name);
      if (kill !== undefined) await kill(federation, name);
      else await federation.killCoordinator(time === times ? name : undefined);
    }
  }
  return run;
}
