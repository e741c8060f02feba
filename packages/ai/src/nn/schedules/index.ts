import { NexusError } from "@ciphernx/core/errors";
import { checkSchedule } from "./check.ts";
import { constant, type ConstantSpec } from "./constant.ts";
import { cosine, type CosineSpec } from "./cosine.ts";
import type { ScheduleDefinition } from "./schedule.ts";
import { step, type StepSpec } from "./step.ts";

/** How the learning rate changes with the step or the round. */
export type ScheduleSpec = ConstantSpec | StepSpec | CosineSpec;

const SCHEDULES: { readonly [Kind in ScheduleSpec["kind"]]: ScheduleDefinition<Extract<ScheduleSpec, { kind: Kind }>> } = {
  constant,
  step,
  cosine,
};

/** The kinds of schedules there are. */
export const SCHEDULE_KINDS = Object.keys(SCHEDULES) as readonly ScheduleSpec["kind"][];

/**
 * What a learning rate is multiplied with at a position (a step or a round, a whole number from 0), in (0, 1] but for a
 * cosine's floor of 0. Pure, the same bits on every host. Throws USAGE.
 */
export function scheduleFactor(spec: ScheduleSpec, position: number): number {
  const definition: ScheduleDefinition<ScheduleSpec> | undefined = Object.hasOwn(SCHEDULES, spec.kind) ? SCHEDULES[spec.kind] : undefined;
  if (definition === undefined) {
    throw new NexusError("USAGE", `There is no schedule ${JSON.stringify(spec.kind)}; there are ${SCHEDULE_KINDS.join(", ")}.`);
  }
  definition.check(spec);
  checkSchedule("position", position, Number.isSafeInteger(position) && position >= 0, "a whole number from 0");
  return definition.factor(spec, position);
}
