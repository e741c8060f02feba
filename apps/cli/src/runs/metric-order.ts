import { METRICS } from "@ciphernx/ai/metrics";

/** Means first, then what is worked out on held-out rows; a database need not keep the order of an object's keys. */
const ORDER: readonly string[] = ["loss", "accuracy", ...METRICS.map(({ name }) => name)];

/** Names of metrics in the order in which they are shown; those of a party's own trainer come last, in their own order. */
export function inMetricOrder(names: readonly string[]): readonly string[] {
  return names.toSorted((a, b) => place(a) - place(b));
}

function place(name: string): number {
  const index = ORDER.indexOf(name);
  return index === -1 ? ORDER.length : index;
}
