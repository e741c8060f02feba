import type { ScheduleDefinition } from "./schedule.ts";

/** The learning rate as it is. */
export interface ConstantSpec {
  readonly kind: "constant";
}

export const constant: ScheduleDefinition<ConstantSpec> = { kind: "constant", check() {}, factor: () => 1 };
