/** What a metric must know of the labels and the model that it judges. */
export interface MetricTask {
  /** Classes of which the model gives probabilities; undefined where it gives numbers. */
  readonly classes: number | undefined;
}

/** What a model says of some examples, and what they are. */
export interface JudgedExamples {
  /**
   * Probabilities from 0 to 1, `width` an example, one after the other: one for each class, or, with a width of 1, that of the second
   * of two classes. Outputs behind those of the classes are of no class.
   */
  readonly outputs: ArrayLike<number>;
  readonly width: number;
  /** Index of the class of each example. */
  readonly targets: ArrayLike<number>;
  readonly count: number;
}

/**
 * A figure that is no mean over examples, but can be worked out of sums over them. Parties add the sums up over their own rows, the sums of
 * parties are added, and the figure of the sum is that of all rows together: nobody sees a row's score. One file beside this one, one line
 * in the registry. All arithmetic is f64 + − × ÷ in fixed order, so that every host gives the same bits.
 */
export interface Metric {
  /** As specs, events and cards name it. */
  readonly name: string;
  readonly better: "higher" | "lower";
  /** True where it is of the second of two classes, or a mean over the classes where there are more; absent where it is of all rows alike. */
  readonly ofClasses?: true;
  /** Why it says nothing about such a task, as a sentence, if so. */
  check(task: MetricTask): string | undefined;
  /** Names of the sums that it is worked out of, each with a dot behind the metric's name. */
  sums(task: MetricTask): readonly string[];
  /** Adds what examples say to the sums, one number for each of `sums`. */
  add(examples: JudgedExamples, into: Float64Array, task: MetricTask): void;
  /** What no rows could have given, as a sentence: sums are checked where they come in. `weight`: the examples they are of. */
  contradiction(sums: Float64Array, weight: number, task: MetricTask): string | undefined;
  /** The figure of the sums of `weight` examples; undefined where they do not tell. */
  value(sums: Float64Array, weight: number, task: MetricTask): number | undefined;
}
