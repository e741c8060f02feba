/** Names of parties that are only counted: `party-01`, `party-02`, …, padded so that their order as text is their order. */
export function partyNames(count: number): readonly string[] {
  const digits = Math.max(2, String(count).length);
  return Array.from({ length: count }, (_, i) => `party-${String(i + 1).padStart(digits, "0")}`);
}
