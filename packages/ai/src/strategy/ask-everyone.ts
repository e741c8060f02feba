import type { RoundInstruction, Strategy } from "./strategy.ts";

/** Asks every party that was chosen, and adds the same to each task. */
export function askEveryone(config: RoundInstruction["config"] = {}): Strategy["configureFit"] {
  return ({ parties }) => ({ parties, config });
}
