import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { parseRunSpec } from "@ciphernx/ai/spec";
import { readDocument } from "@ciphernx/core/spec";
import { type Fence, LANGUAGES } from "./fence.ts";
import { createWorkingFolder, type WorkingFolder } from "./working-folder.ts";

/** What running a page came to. */
export interface PageReport {
  /** Fences that were run or checked. */
  readonly done: number;
  /** `page:line: why` of those that were not. */
  readonly skipped: readonly string[];
  /** Everything that the shell and TypeScript fences printed. */
  readonly output: string;
}

const MARK = "@@fence ";

/**
 * Runs a page as its reader would: every shell and TypeScript fence from top to bottom in one terminal, in a folder
 * like a fresh clone. YAML fences are parsed as run specs, TypeScript ones type-checked before.
 * Whatever they started is stopped afterwards.
 * @throws Error naming the fence that failed, with what it printed
 */
export async function runPage(fences: readonly Fence[], timeoutMs: number): Promise<PageReport> {
  const skipped = fences
    .filter(({ attributes }) => attributes["skip"] !== undefined)
    .map(({ page, line, attributes }) => `${page}:${line}: ${attributes["skip"]}`);
  const wanted = fences.filter(({ attributes }) => attributes["skip"] === undefined);
  for (const fence of wanted) checkDocument(fence);
  const steps = wanted.filter(({ language }) => LANGUAGES[language] === "shell" || LANGUAGES[language] === "typescript");
  const done = wanted.filter(({ language, attributes }) => LANGUAGES[language] !== "shown" || attributes["file"] !== undefined).length;
  if (steps.length === 0) return { done, skipped, output: "" };
  const place = await createWorkingFolder();
  try {
    for (const fence of wanted) await writeFence(fence, place);
    await checkTypes(steps, place);
    return { done, skipped, output: await runSteps(steps, place, timeoutMs) };
  } finally {
    await rm(place.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function checkDocument({ page, line, language, attributes, text }: Fence): void {
  const where = `${page}:${line}`;
  switch (LANGUAGES[language]) {
    case "yaml":
      if (attributes["kind"] === undefined) parseRunSpec(text, where);
      else readDocument(text, where);
      return;
    case "json":
      try {
        JSON.parse(text);
      } catch (error) {
        throw new Error(`${where}: ${String(error)}`, { cause: error });
      }
      return;
    default:
      return;
  }
}

const typescriptFile = ({ line }: Fence): string => `fence-${line}.ts`;

async function writeFence(fence: Fence, { folder, port }: WorkingFolder): Promise<void> {
  const content = atPort(fence.text, port);
  const { file } = fence.attributes;
  if (file !== undefined) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), content);
  }
  if (LANGUAGES[fence.language] === "typescript") await writeFile(join(folder, typescriptFile(fence)), content);
}

/** Pages say 7700; the page's own coordinator listens elsewhere. */
function atPort(text: string, port: number): string {
  return text.replaceAll(/\b7700\b/g, String(port));
}

async function checkTypes(steps: readonly Fence[], { folder, env }: WorkingFolder): Promise<void> {
  const files = steps.filter(({ language }) => LANGUAGES[language] === "typescript");
  if (files.length === 0) return;
  const compilerOptions = {
    noEmit: true,
    composite: false,
    declaration: false,
    declarationMap: false,
    sourceMap: false,
    rewriteRelativeImportExtensions: false,
    allowImportingTsExtensions: true,
  };
  await writeFile(
    join(folder, "tsconfig.fences.json"),
    JSON.stringify({ extends: "./tsconfig.base.json", compilerOptions, files: files.map(typescriptFile) }),
  );
  const { code, output } = await execute("node", ["node_modules/typescript/bin/tsc", "-p", "tsconfig.fences.json"], folder, env, 120_000);
  if (code !== 0) throw new Error(`${files[0]!.page}: a TypeScript fence has wrong types (fence-LINE.ts tells which):\n${output}`);
}

async function runSteps(steps: readonly Fence[], { folder, env, port }: WorkingFolder, timeoutMs: number): Promise<string> {
  const commands = steps.map((fence) => {
    const body = LANGUAGES[fence.language] === "shell" ? atPort(fence.text, port) : `node --conditions=source ${typescriptFile(fence)}\n`;
    return `echo '${MARK}${fence.line}'\n${body}`;
  });
  // A coordinator that the page left running is stopped in order; whatever else it left is killed with the group.
  const script = [
    "set -euo pipefail",
    "trap 'status=$?; if [ -e \"$NEXUS_HOME/coordinator.json\" ]; then nexus down --quiet || true; fi; exit $status' EXIT",
    ...commands,
  ].join("\n");
  const { code, output } = await execute("bash", ["-c", script], folder, env, timeoutMs);
  if (code === 0) return output.replaceAll(new RegExp(`^${MARK}\\d+\n`, "gm"), "");
  const last = [...output.matchAll(new RegExp(`^${MARK}(\\d+)$`, "gm"))].at(-1);
  const printed = last === undefined ? output : output.slice(last.index + last[0].length + 1);
  throw new Error(
    `${steps[0]!.page}:${last?.[1] ?? "?"}: this fence ${code === null ? `did not end within ${timeoutMs / 1000} s` : `ended with exit code ${code}`}. It printed:\n${printed}`,
  );
}

interface Executed {
  /** null when it was killed for taking too long. */
  readonly code: number | null;
  readonly output: string;
}

/** Runs a program in a process group of its own, which ends with it. */
async function execute(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv, timeoutMs: number): Promise<Executed> {
  // Through one pipe, so that output and marks stay in order.
  const child = spawn("/bin/sh", ["-c", 'exec "$@" 2>&1', "sh", command, ...args], { cwd, env, detached: true, stdio: ["ignore", "pipe", "ignore"] });
  const killGroup = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error; // ESRCH: nothing is left of it
    }
  };
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    killGroup("SIGTERM");
    setTimeout(() => killGroup("SIGKILL"), 2_000).unref();
  }, timeoutMs);
  const reading = text(child.stdout);
  const [code] = (await once(child, "exit")) as [number | null];
  clearTimeout(timer);
  killGroup("SIGKILL"); // jobs that a page left in the background also hold the pipe open
  return { code: isLate ? null : (code ?? 1), output: await reading };
}
