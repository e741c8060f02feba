// Runs the benchmarks: all of them, writing bench/RESULTS.md, or those that are named, with --write into their places in it.
//
//   npm run bench
//   npm run bench -- NAME… [--json] [--write]
//
// Each one runs in a process of its own, so that none inherits the memory or the compiled code of another.
import { execFile } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs, promisify } from "node:util";
import { type Benchmark, formatValue, isMet, type Outcome } from "./figures/figure.ts";
import { amendedPage, resultsPage, thisMachine } from "./figures/results-page.ts";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const RESULTS = new URL("RESULTS.md", import.meta.url);
const NAME = /^export const name = "([^"]+)";$/m;

/** The files of benchmarks by name; other files of the folder export no name. */
function benchmarks(): ReadonlyMap<string, string> {
  const files = globSync("*.ts", { cwd: FOLDER }).toSorted();
  return new Map(
    files.flatMap((file) => {
      const name = NAME.exec(readFileSync(`${FOLDER}${file}`, "utf8"))?.[1];
      return name === undefined ? [] : [[name, `${FOLDER}${file}`] as const];
    }),
  );
}

async function runHere(file: string): Promise<Outcome> {
  const benchmark = (await import(pathToFileURL(file).href)) as Benchmark;
  return benchmark.run();
}

async function runInChild(name: string): Promise<Outcome> {
  const self = fileURLToPath(import.meta.url);
  const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, self, "--here", name], { maxBuffer: 16 * 2 ** 20 });
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as Outcome;
}

function print(name: string, { figures }: Outcome): void {
  for (const figure of figures) {
    const met = isMet(figure);
    const verdict =
      met === undefined
        ? ""
        : met
          ? "  met"
          : `  NOT MET (${figure.atMost === undefined ? `at least ${figure.atLeast}` : `at most ${figure.atMost}`})`;
    console.log(`${name}  ${figure.name}: ${formatValue(figure.value)} ${figure.unit}${verdict}`);
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false }, write: { type: "boolean", default: false }, here: { type: "string" } },
});
const known = benchmarks();
const unknown = [...positionals, ...(values.here === undefined ? [] : [values.here])].filter((name) => !known.has(name));
if (unknown.length > 0) {
  console.error(`No benchmark is called ${unknown.join(", ")}; there are ${[...known.keys()].join(", ")}.`);
  process.exit(2);
}
if (values.here !== undefined) {
  const outcome = await runHere(known.get(values.here)!);
  console.log(JSON.stringify(outcome));
  process.exit(0);
}
const outcomes = new Map<string, Outcome>();
for (const name of positionals.length > 0 ? positionals : known.keys()) {
  const outcome = await runInChild(name);
  outcomes.set(name, outcome);
  if (!values.json) print(name, outcome);
}
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { readonly version: string };
if (positionals.length === 0) writeFileSync(RESULTS, resultsPage(thisMachine(version), outcomes));
else if (values.write) writeFileSync(RESULTS, amendedPage(readFileSync(RESULTS, "utf8"), thisMachine(version), outcomes));
const measured = [...outcomes].map(([name, { figures }]) => ({
  name,
  figures: figures.map((figure) => ({ ...figure, met: isMet(figure) ?? null })),
}));
if (values.json) console.log(JSON.stringify({ schemaVersion: 1, status: "ok", data: { machine: thisMachine(version), benchmarks: measured } }));
process.exitCode = measured.some(({ figures }) => figures.some(({ met }) => met === false)) ? 1 : 0;
