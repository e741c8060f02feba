import { checkSchedule } from "./check.ts";
import type { ScheduleDefinition } from "./schedule.ts";

/**
 * Cosine annealing (Loshchilov, Hutter 2017, equation 5, one cycle): from 1 at position 0 to `floor` at `length`, and
 * `floor` from there on: floor + (1 − floor) × (1 + cos(π·position / length)) / 2.
 */
export interface CosineSpec {
  readonly kind: "cosine";
  /** Positions until the floor is reached, a whole number from 1. */
  readonly length: number;
  /** In [0, 1]. Default 0. */
  readonly floor?: number;
}

export const cosine: ScheduleDefinition<CosineSpec> = {
  kind: "cosine",
  check({ length, floor = 0 }) {
    checkSchedule("length", length, Number.isSafeInteger(length) && length >= 1, "a whole number from 1");
    checkSchedule("floor", floor, floor >= 0 && floor <= 1, "at least 0 and at most 1");
  },
  factor({ length, floor = 0 }, position) {
    return floor + (1 - floor) * raisedCosine(Math.min(position / length, 1));
  },
};

/**
 * (1 + cos πx) / 2 for x in [0, 1], from + − × ÷ alone, since hosts differ in the last bits of `Math.cos`. By half the
 * angle it is 1 − sin²(πx/2) up to ½ and sin²(π(1 − x)/2) beyond, so the sine is of at most π/4, where its Taylor series
 * up to the 17th power leaves less than 10^-19. The error in f64 is below 4 × 10^-16.
 */
function raisedCosine(x: number): number {
  const isEarly = x <= 0.5;
  const angle = (Math.PI / 2) * (isEarly ? x : 1 - x);
  const square = angle * angle;
  let sum = 1;
  // sin a = a·(1 − a²/(2·3)·(1 − a²/(4·5)·(1 − …))).
  for (let power = 17; power >= 3; power -= 2) sum = 1 - (square / (power * (power - 1))) * sum;
  const sine = angle * sum;
  return isEarly ? 1 - sine * sine : sine * sine;
}
