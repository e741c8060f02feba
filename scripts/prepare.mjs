// Makes what git ignores and the code needs: protobuf messages and WASM kernels. Does nothing when both are
// up to date (a stamp holds the hash of their sources), so every command can call it first. Plain JavaScript
// without dependencies of its own, since `npm ci` runs it under whichever Node is there. Programs that start at
// the same time on a fresh checkout wait for the one that got there first.
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { linkPinnedNode, ROOT } from "./pinned-node.mjs";

const CACHE = join(ROOT, "node_modules", ".cache", "cipher-nexus");
const LOCK = join(CACHE, "prepare.lock");

/** Kernel modules: AssemblyScript entry → wasm file, with what a second build of the same sources is compiled with. */
const KERNELS = [
  { entry: "packages/ai/src/nn/kernels/index.ts", out: "packages/ai/wasm/nn.wasm" },
  { entry: "packages/ai/src/nn/kernels/index.ts", out: "packages/ai/wasm/nn-fma.wasm", more: ["--enable", "relaxed-simd"] },
  { entry: "packages/ai/src/aggregation/kernels/index.ts", out: "packages/ai/wasm/aggregation.wasm" },
  { entry: "packages/crypto/src/secagg/kernels/index.ts", out: "packages/crypto/wasm/secagg.wasm" },
];

const ASC_FLAGS = [
  "--optimizeLevel",
  "3",
  "--shrinkLevel",
  "0",
  "--noAssert",
  "--enable",
  "simd",
  "--runtime",
  "stub",
  "--importMemory",
  "--use",
  "abort=",
];

function filesBelow(folder) {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name)) // parentPath: Node 20.12 and later
    .toSorted();
}

function digest(parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex");
}

function packageVersion(name) {
  return JSON.parse(readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8")).version;
}

async function unlessStamped(output, inputs, make) {
  const stamp = join(CACHE, `${output.replaceAll("/", "-")}.stamp`);
  const wanted = digest(inputs);
  const isFresh = () => existsSync(join(ROOT, output)) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
  if (isFresh()) return;
  await withLock(async () => {
    if (isFresh()) return;
    await make();
    // A new file: the old one may be a hard link that other checkouts share, and these have generated nothing.
    rmSync(stamp, { force: true });
    writeFileSync(stamp, wanted);
  });
}

let queue = Promise.resolve();

/** One writer at a time, here and among processes; the lock of a dead one is taken over. */
function withLock(work) {
  queue = queue.then(async () => {
    mkdirSync(CACHE, { recursive: true });
    while (!takeLock()) await new Promise((resolve) => setTimeout(resolve, 50));
    try {
      await work();
    } finally {
      rmSync(LOCK, { force: true });
    }
  });
  return queue;
}

function takeLock() {
  try {
    writeFileSync(LOCK, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  if (!isHeld()) rmSync(LOCK, { force: true });
  return false;
}

/** Whether the process that wrote the lock lives. A lock without a process id is being written this moment, unless it is old. */
function isHeld() {
  try {
    const pid = readFileSync(LOCK, "utf8");
    if (pid === "") return Date.now() - statSync(LOCK).mtimeMs < 5_000;
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    if (error.code === "EPERM" || error.code === "ENOENT") return true; // another user's process; or just given back: try again
    if (error.code === "ESRCH") return false;
    throw error;
  }
}

async function generateMessages() {
  const folder = "packages/protocol";
  const sources = [...filesBelow(`${folder}/proto`), join(ROOT, folder, "buf.gen.yaml")];
  const inputs = [packageVersion("@bufbuild/buf"), packageVersion("@bufbuild/protoc-gen-es"), ...sources.map((file) => readFileSync(file))];
  await unlessStamped(`${folder}/src/gen`, inputs, () => {
    const bin = join(ROOT, "node_modules", ".bin");
    execFileSync(join(bin, "buf"), ["generate"], {
      cwd: join(ROOT, folder),
      env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
      stdio: ["ignore", "inherit", "inherit"],
    });
  });
}

async function buildKernels() {
  for (const { entry, out, more = [] } of KERNELS) {
    if (!existsSync(join(ROOT, entry))) continue;
    const flags = [...ASC_FLAGS, ...more];
    const inputs = [packageVersion("assemblyscript"), flags.join(" "), ...filesBelow(dirname(entry)).map((file) => readFileSync(file))];
    await unlessStamped(out, inputs, async () => {
      const asc = await import(pathToFileURL(join(ROOT, "node_modules/assemblyscript/dist/asc.js")).href);
      mkdirSync(join(ROOT, dirname(out)), { recursive: true });
      const { error, stderr } = await asc.main([entry, "--outFile", out, "--baseDir", ROOT, ...flags]);
      if (error) throw new Error(`The kernel ${entry} does not compile: ${error.message}\n${stderr.toString()}`);
    });
  }
}

/** Brings generated code up to date. Without the generators (an install for production) what is there must do. */
export async function prepare() {
  linkPinnedNode();
  if (!existsSync(join(ROOT, "node_modules", "@bufbuild", "buf"))) return;
  await Promise.all([generateMessages(), buildKernels()]);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await prepare();
