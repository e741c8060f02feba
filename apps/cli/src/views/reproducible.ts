/**
 * What is promised of a result's bits, in a word or two; empty where a document does not say it.
 * @param reproducible whether spec, seed, data and accepted answers decide them
 * @param dependsOnAnswers whether the accepted answers are more than what spec and seed draw
 */
export function reproducibleText(reproducible: unknown, dependsOnAnswers: unknown): string {
  if (typeof reproducible !== "boolean") return "";
  return reproducible ? (dependsOnAnswers === true ? "given the same accepted answers" : "yes") : "no";
}
