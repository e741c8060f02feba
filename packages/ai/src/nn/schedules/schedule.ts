/** A kind of learning-rate schedule: one file beside this one, one line in the index. */
export interface ScheduleDefinition<Spec extends { readonly kind: string }> {
  readonly kind: Spec["kind"];
  /** Throws USAGE when a setting is out of its range. */
  check(spec: Spec): void;
  /** What the learning rate is multiplied with at a position, a whole number from 0: a step, a round. Pure. */
  factor(spec: Spec, position: number): number;
}
