import { NexusError, plural } from "@ciphernx/core/errors";
import type { Context } from "../context.ts";
import { CHECKS } from "./checks/index.ts";
import type { Examined, Finding } from "./finding.ts";

const SUBJECT_WIDTH = 12;

/**
 * Looks at everything once and tells each finding with its fix.
 * @throws NexusError UNHEALTHY when something will fail, with every finding in `details`
 */
export async function examine(examined: Examined, { output }: Pick<Context, "output">): Promise<void> {
  const { green, red, yellow } = output.colours;
  const marks = { good: green("✓"), warning: yellow("!"), problem: red("✗") } as const;
  const findings: Finding[] = [];
  for (const check of CHECKS) {
    for (const finding of await check(examined)) {
      examined.signal.throwIfAborted();
      findings.push(finding);
      const { subject, state, found, fix } = finding;
      const lines = [
        `${marks[state]} ${subject.padEnd(SUBJECT_WIDTH)}  ${found}`,
        ...(fix === undefined ? [] : [`${" ".repeat(SUBJECT_WIDTH + 4)}${fix}`]),
      ];
      output.event(finding, lines.join("\n"));
    }
  }
  const problems = findings.filter(({ state }) => state === "problem");
  const warnings = findings.filter(({ state }) => state === "warning");
  const [first] = problems;
  if (first !== undefined) {
    throw new NexusError("UNHEALTHY", `${plural(problems.length, "problem")} found: ${problems.map(({ subject }) => subject).join(", ")}.`, {
      hint: first.fix ?? "Mend it and run again.",
      details: { findings },
    });
  }
  const text = warnings.length === 0 ? "Nothing to mend." : `No problem, ${plural(warnings.length, "warning")}.`;
  output.result({ data: { findings }, text, ids: warnings.map(({ subject }) => subject) });
}
