/**
 * A million malformed messages: requests, headers, calls, frames and blobs over every listener of a coordinator in a process of its own, and
 * files for every reader. `NEXUS_MALFORMED_MESSAGES` changes their number, `NEXUS_MALFORMED_SEED` what they are; what fails is printed
 * with what brings it about.
 *
 * @module
 */
import { attackListeners, isAlive, type Target } from "../tests/malformed/attack-listeners.ts";
import { attackParsers } from "../tests/malformed/attack-parsers.ts";
import type { Outcome } from "./figures/figure.ts";
import type { AttackedCoordinatorOptions } from "./processes/attacked-coordinator.ts";
import { residentBytes, startChild, temporaryFolder } from "./processes/child.ts";

export const name = "malformed-messages";

const MESSAGES = 1_000_000;
/** Of those, as files. */
const FILES_SHARE = 0.2;

export async function run(): Promise<Outcome> {
  const messages = Number(process.env["NEXUS_MALFORMED_MESSAGES"] ?? MESSAGES);
  const seed = Number(process.env["NEXUS_MALFORMED_SEED"] ?? 1);
  const files = Math.round(messages * FILES_SHARE);
  await using folder = await temporaryFolder(name);
  await using child = startChild("attacked-coordinator.ts", { home: `${folder.path}/home` } satisfies AttackedCoordinatorOptions);
  const target = await child.next<Target>();
  await attackListeners(target, { messages: Math.min(5_000, messages), seed: seed + 1 }); // what it takes in any case
  const before = await residentBytes(child.pid);
  const listeners = await attackListeners(target, { messages: messages - files, seed });
  const after = await residentBytes(child.pid);
  const lives = await isAlive(target);
  child.say("errors");
  const logged = await child.next<readonly string[]>();
  const parsers = await attackParsers(`${folder.path}/files`, { files, seed });
  for (const failure of [...listeners.nameless, ...logged.slice(0, 10), ...parsers.unexpected]) console.error(seed, failure);
  console.error(`seed ${seed}; answers by status: ${[...listeners.statuses].map(([status, count]) => `${status}: ${count}`).join(", ")}`);
  return {
    figures: [
      { name: "malformed messages sent", value: listeners.messages, unit: "messages", atLeast: messages - files },
      { name: "malformed files read", value: parsers.files, unit: "files", atLeast: files },
      { name: "coordinator that answers afterwards", value: lives ? 1 : 0, unit: "", atLeast: 1 },
      { name: "5xx without an error of ours", value: listeners.nameless.length, unit: "answers", atMost: 0 },
      { name: "errors that the coordinator did not expect", value: logged.length, unit: "errors", atMost: 0 },
      { name: "errors of readers that are not ours", value: parsers.unexpected.length, unit: "errors", atMost: 0 },
      { name: "memory of the coordinator afterwards", value: (after.now - before.now) / 1e6, unit: "MB more", atMost: 200 },
      { name: "slowest file", value: parsers.slowestMs, unit: "ms", atMost: 5_000 },
    ],
  };
}
