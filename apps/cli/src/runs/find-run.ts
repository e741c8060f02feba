import { NexusError } from "@ciphernx/core/errors";
import { editDistance } from "@ciphernx/core/spec";

/** What a run is found by. */
interface NamedRun {
  readonly id: string;
  readonly name: string;
}

/** Runs that an error names. */
const NAMED_RUNS = 5;

/**
 * The run that a word means: its id, the beginning of its id (with or without `run_`), or its name, where only one run fits.
 * @param runs newest first
 * @throws NexusError RUN_NOT_FOUND with those of the nearest ids and names, RUN_AMBIGUOUS with the runs that fit
 */
export function findRun<R extends NamedRun>(runs: readonly R[], word: string): R {
  const exact = runs.find(({ id }) => id === word);
  if (exact !== undefined) return exact;
  const fitting = word === "" ? [] : runs.filter(({ id, name }) => name === word || beginsWith(id, word));
  const [found, ...others] = fitting;
  if (found === undefined) throw notFound(runs, word);
  if (others.length === 0) return found;
  const shown = fitting.slice(0, NAMED_RUNS).map(describe).join(", ");
  const rest = fitting.length - NAMED_RUNS;
  throw new NexusError("RUN_AMBIGUOUS", `"${word}" means ${fitting.length} runs: ${shown}${rest > 0 ? ` and ${rest} more` : ""}.`, {
    details: { run: word, candidates: fitting.slice(0, NAMED_RUNS).map(({ id }) => id) },
  });
}

function notFound(runs: readonly NamedRun[], word: string): NexusError {
  const near = nearestRuns(runs, word);
  const hint = near.length === 0 ? {} : { hint: `The nearest: ${near.map(describe).join(", ")}. \`nexus run list\` shows all.` };
  return new NexusError("RUN_NOT_FOUND", `No run has the id or the name "${word}".`, {
    ...hint,
    details: { run: word, ...(near.length === 0 ? {} : { nearest: near.map(({ id }) => id) }) },
  });
}

/** Runs whose name, or whose id as far as the word goes, differs from it in a third of its letters at most; the nearest first. */
function nearestRuns(runs: readonly NamedRun[], word: string): readonly NamedRun[] {
  const most = Math.max(1, Math.floor(word.length / 3));
  return runs
    .map((run) => ({ run, distance: Math.min(...spellings(run, word).map((spelling) => editDistance(word.toLowerCase(), spelling))) }))
    .filter(({ distance }) => distance <= most)
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, NAMED_RUNS)
    .map(({ run }) => run);
}

/** A few letters more of an id that begins with a common `run_` say nothing, so only what follows it is compared. */
function spellings({ id, name }: NamedRun, word: string): readonly string[] {
  const start = word.startsWith("run_") ? id : id.slice("run_".length);
  return word.length - (word.startsWith("run_") ? "run_".length : 0) < 3 ? [name] : [name, start.slice(0, word.length)];
}

function beginsWith(id: string, word: string): boolean {
  return id.startsWith(word) || id.slice("run_".length).startsWith(word);
}

function describe({ id, name }: NamedRun): string {
  return `${id} (${name})`;
}
