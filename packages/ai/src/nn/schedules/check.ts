import { NexusError } from "@ciphernx/core/errors";

/** Refuses a setting of a schedule that is out of its range, naming it. */
export function checkSchedule(name: string, value: number, isFine: boolean, range: string): void {
  if (isFine) return;
  throw new NexusError("USAGE", `The schedule's ${name} is ${value}; it must be ${range}.`, { details: { setting: name, value } });
}
