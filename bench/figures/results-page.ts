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
  return page(machine, new Map([...outcomes].map(([name, outcome]) => [name, table(outcome)])));
}

/**
 * The page with the tables of some benchmarks in place of those that it has, or added.
 * @throws Error when it is of another machine or version: figures on one page compare
 */
export function amendedPage(before: string, machine: Machine, outcomes: ReadonlyMap<string, Outcome>): string {
  const [head = "", ...sections] = before.split(/^## /m);
  if (!head.includes(describeMachine(machine)))
    throw new Error(`The results are not of this machine and version (${describeMachine(machine)}). Run all.`);
  const kept = sections.map((section) => {
    const end = section.indexOf("\n");
    return [section.slice(0, end), section.slice(end).trim()] as const;
  });
  const tables = new Map([...kept, ...[...outcomes].map(([name, outcome]) => [name, table(outcome)] as const)]);
  return page(machine, new Map([...tables].toSorted(([a], [b]) => (a < b ? -1 : 1))));
}

function page(machine: Machine, tables: ReadonlyMap<string, string>): string {
  return `# Benchmark results

<!-- Written by \`npm run bench\`; \`npm run bench -- NAME --json\` runs one, with \`--write\` it takes its place here. -->

${describeMachine(machine)}

${[...tables].map(([name, text]) => `## ${name}\n\n${text}\n`).join("\n")}`;
}

function describeMachine({ cpu, cores, memoryGiB, system, node, version }: Machine): string {
  return `Cipher Nexus ${version}, Node ${node}, ${system}, ${cpu}, ${cores} cores, ${memoryGiB} GiB.`;
}

function table({ figures }: Outcome): string {
  return `| figure | value | limit | met |\n|---|---:|---|---|\n${figures.map(row).join("\n")}`;
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
