// Trains every kind of layer under Node 22, 24 and 26 and says whether the hashes of parameters and predictions agree:
//
//   node scripts/run.mjs scripts/same-hash.mjs [MAJOR…]
//
// Fetches the newest Node of each from npm into a temporary folder, so it needs a registry; exit code 1 where hashes
// differ, 3 where a Node cannot be had. `npm test` does the same with whatever Node is on the PATH, and with Chromium.
import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { writePlainModules } from "../packages/ai/src/nn/test/plain-modules.ts";
import { PACKAGES, ROOT } from "./pinned-node.mjs";

const MAJORS = ["22", "24", "26"];
const HASHES = "async (m) => `${await m.goldenTrainingHash()} ${await m.goldenImageTrainingHash()}`";
const FETCH_TIMEOUT_MS = 300_000;

const run = promisify(execFile);

/** The binary of the newest Node of a major version, fetched into the folder. */
async function fetchNode(major, folder) {
  const name = PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined) throw new Error(`npm has no package with Node's binary for ${process.platform}-${process.arch}.`);
  const prefix = join(folder, `node-${major}`);
  const args = ["install", `${name}@${major}`, "--prefix", prefix, "--ignore-scripts", "--no-save", "--no-package-lock", "--no-audit", "--no-fund"];
  try {
    await run("npm", args, { cwd: folder, timeout: FETCH_TIMEOUT_MS });
  } catch (cause) {
    const said = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : String(cause);
    throw new Error(`Node ${major} cannot be fetched (${name}@${major}); this needs a connection to the npm registry.\n${said}`, { cause });
  }
  const [binary] = globSync(`node_modules/${name}/bin/node`, { cwd: prefix });
  if (binary === undefined) throw new Error(`The package ${name}@${major} has no bin/node.`);
  return join(prefix, binary);
}

async function hashesUnder(node, entry) {
  const script = `import(${JSON.stringify(entry)}).then(${HASHES}).then((hashes) => console.log(JSON.stringify({ version: process.version, hashes })))`;
  const { stdout } = await run(node, ["--input-type=module", "--eval", script], { env: { PATH: process.env.PATH } });
  return JSON.parse(stdout);
}

const folder = await mkdtemp(join(tmpdir(), "nexus-same-hash-"));
try {
  const modules = join(folder, "modules");
  const entry = join(modules, writePlainModules(ROOT, join(ROOT, "packages/ai/src/nn/test/golden-training.ts"), modules));
  const found = new Set();
  const majors = process.argv.length > 2 ? process.argv.slice(2) : MAJORS;
  for (const major of majors) {
    const { version, hashes } = await hashesUnder(await fetchNode(major, folder), entry);
    console.log(`Node ${version.padEnd(9)} ${hashes}`);
    found.add(hashes);
  }
  console.log(found.size === 1 ? `The same bits in ${majors.length} versions of Node.` : "The bits differ.");
  process.exitCode = found.size === 1 ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 3;
} finally {
  await rm(folder, { recursive: true, force: true });
}
