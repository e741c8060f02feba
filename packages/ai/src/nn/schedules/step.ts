import { checkSchedule } from "./check.ts";
import type { ScheduleDefinition } from "./schedule.ts";

/** The learning rate times `factor` after every `every` positions: factor^⌊position / every⌋, by squaring (hosts differ in `**`). */
export interface StepSpec {
  readonly kind: "step";
  /** Positions between two changes, a whole number from 1. */
  readonly every: number;
  /** In (0, 1]. */
  readonly factor: number;
}

export const step: ScheduleDefinition<StepSpec> = {
  kind: "step",
  check({ every, factor }) {
    checkSchedule("every", every, Number.isSafeInteger(every) && every >= 1, "a whole number from 1");
    checkSchedule("factor", factor, factor > 0 && factor <= 1, "above 0 and at most 1");
  },
  factor({ every, factor }, position) {
    let product = 1;
    let power = factor;
    for (let changes = Math.floor(position / every); changes > 0; changes = Math.floor(changes / 2)) {
      if (changes % 2 === 1) product *= power;
      power *= power;
    }
    return product;
  },
};
