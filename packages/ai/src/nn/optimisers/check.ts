import { NexusError } from "@ciphernx/core/errors";

/** Refuses a setting outside [least, below), naming it. */
export function checkSetting(name: string, value: number, least: number, below: number): void {
  if (value >= least && value < below) return;
  throw new NexusError("USAGE", `The optimiser's ${name} is ${value}; it must be at least ${least} and below ${below}.`, {
    details: { setting: name, value },
  });
}
