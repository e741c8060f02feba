// How long `nexus --version` takes beyond starting Node at all: medians of interleaved runs.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { median, type Outcome } from "./figures/figure.ts";

export const name = "cli-start";

const RUNS = 41;
const NEXUS = fileURLToPath(new URL("../apps/cli/bin/nexus.js", import.meta.url));

const COMMANDS = {
  bare: ["-e", "0"],
  version: [NEXUS, "--version"],
  help: ["--conditions=source", NEXUS, "run", "start", "--help"],
} as const;

export async function run(): Promise<Outcome> {
  const timesMs: Record<keyof typeof COMMANDS, number[]> = { bare: [], version: [], help: [] };
  for (let i = 0; i < RUNS; i += 1) {
    for (const command of Object.keys(COMMANDS) as (keyof typeof COMMANDS)[]) {
      const startedAt = performance.now();
      execFileSync(process.execPath, COMMANDS[command], { stdio: "ignore" });
      timesMs[command].push(performance.now() - startedAt);
    }
  }
  const bareMs = median(timesMs.bare);
  return {
    figures: [
      { name: "node -e 0", value: bareMs, unit: "ms" },
      { name: "nexus --version, beyond that", value: median(timesMs.version) - bareMs, unit: "ms", atMost: 60 },
      { name: "nexus run start --help, beyond that", value: median(timesMs.help) - bareMs, unit: "ms" },
    ],
  };
}
