import { cpus, release, totalmem, type as osType } from "node:os";
import { type Figure, formatValue, isMet, type Outcome } from "./figure.ts";

/** Where and with what the figures were measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly version: string;
}

/** This machine. `version` is the project's. */
export function thisMachine(version: string): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? process.arch,
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${osType()} ${release()}`,
    node: process.versions.node,
    version,
  };
}

/** The page of results: one table for each benchmark. */
export function resultsPage(machine: Machine, outcomes: ReadonlyMap<string, Outcome>): string {
  const { cpu, cores, memoryGiB, system, node, version } = machine;
  const tables = [...outcomes].map(
    ([name, { figures }]) => `## ${name}\n\n| figure | value | limit | met |\n|---|---:|---|---|\n${figures.map(row).join("\n")}\n`,
  );
  return `# Benchmark results

<!-- Written by \`npm run bench\`; \`npm run bench -- NAME --json\` runs one. -->

Cipher Nexus ${version}, Node ${node}, ${system}, ${cpu}, ${cores} cores, ${memoryGiB} GiB.

${tables.join("\n")}`;
}

function row(figure: Figure): string {
  const met = isMet(figure);
  return `| ${figure.name} | ${formatValue(figure.value)} ${figure.unit} | ${limit(figure)} | ${met === undefined ? "" : met ? "yes" : "**no**"} |`;
}

function limit({ atLeast, atMost, unit }: Figure): string {
  const parts = [
    ...(atLeast === undefined ? [] : [`≥ ${formatValue(atLeast)} ${unit}`]),
    ...(atMost === undefined ? [] : [`≤ ${formatValue(atMost)} ${unit}`]),
  ];
  return parts.join(", ");
}
