// Keeps package-lock.json complete for every platform and free of registry hosts.
//
//   node scripts/lockfile.mjs --check   fails and names what is missing
//   node scripts/lockfile.mjs --fix     writes it
//
// A registry that lacks a package made for another platform leaves a hole in the lockfile: the optional edge is
// there, the package is not. `npm ci` of some npm versions then refuses the whole file ("Missing: … from lock file").
// A stub {version, optional, os, cpu, libc} fills the hole: npm skips it on every other platform, and fetches it by name
// and version on its own. Plain JavaScript without dependencies, since it runs before anything is installed.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const OPERATING_SYSTEMS = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];

/** Words in package names that differ from Node's `process.arch`. */
const ARCHITECTURES = {
  "arm-eabi": "arm",
  "arm-gnueabihf": "arm",
  "arm-musleabihf": "arm",
  arm64: "arm64",
  armv7: "arm",
  armv6: "arm",
  arm: "arm",
  x64: "x64",
  ia32: "ia32",
  ppc64: "ppc64",
  riscv64: "riscv64",
  s390x: "s390x",
  loong64: "loong64",
  mips64el: "mips64el",
  wasm32: "wasm32",
};

/** The platform that a package is made for, by its name: `@oxlint/binding-linux-arm64-musl` → linux, arm64, musl. */
export function platformOf(name) {
  const word = (candidates) => candidates.find((candidate) => new RegExp(`(?:^|[-/])${candidate}(?:$|-)`).test(name));
  const os = word(OPERATING_SYSTEMS);
  const architecture = word(Object.keys(ARCHITECTURES));
  if (os === undefined || architecture === undefined) return undefined;
  const libc = os !== "linux" ? undefined : /musl/.test(name) ? "musl" : /gnu/.test(name) ? "glibc" : undefined;
  return { os: [os], cpu: [ARCHITECTURES[architecture]], ...(libc === undefined ? {} : { libc: [libc] }) };
}

const isExact = (range) => /^\d+\.\d+\.\d+/.test(range);

/** The entry that Node would resolve `name` to from `path`, nearest `node_modules` first. */
function resolve(packages, path, name) {
  for (let folder = path; ; folder = folder.includes("/node_modules/") ? folder.slice(0, folder.lastIndexOf("/node_modules/")) : "") {
    const location = `${folder === "" ? "" : `${folder}/`}node_modules/${name}`;
    if (packages[location] !== undefined) return packages[location];
    if (folder === "") return undefined;
  }
}

/** Optional edges that no entry of the lockfile answers. */
export function unanswered(lock) {
  const found = [];
  for (const [path, entry] of Object.entries(lock.packages)) {
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      const answer = resolve(lock.packages, path, name);
      if (answer === undefined || (isExact(range) && answer.version !== range)) found.push({ from: path, name, range });
    }
  }
  return found;
}

/** Entries that name a host to be fetched from; a workspace's own link is none. */
export function resolvedHosts(lock) {
  return Object.entries(lock.packages)
    .filter(([, entry]) => /^[a-z+]+:\/\//.test(entry.resolved ?? ""))
    .map(([path]) => path);
}

/** The same lockfile with a stub for every unanswered edge and without registry hosts; throws where a stub cannot be derived. */
export function completed(lock) {
  const packages = structuredClone(lock.packages);
  for (const path of resolvedHosts(lock)) delete packages[path].resolved;
  for (const { from, name, range } of unanswered(lock)) {
    if (!isExact(range))
      throw new Error(`${from} wants ${name}@${range}: only an exact version can be stubbed. Install it where the registry has it.`);
    const platform = platformOf(name);
    if (platform === undefined) throw new Error(`${from} wants ${name}@${range}: its platform cannot be told from its name.`);
    const hoisted = `node_modules/${name}`;
    const location = packages[hoisted] === undefined || packages[hoisted].version === range ? hoisted : `${from}/node_modules/${name}`;
    packages[location] ??= { version: range, ...platform, optional: true, ...(packages[from]?.dev === true ? { dev: true } : {}) };
  }
  const sorted = Object.fromEntries(Object.entries(packages).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return { ...lock, packages: sorted };
}

function main(mode) {
  const file = new URL("../package-lock.json", import.meta.url);
  const lock = JSON.parse(readFileSync(file, "utf8"));
  if (mode === "--fix") {
    const before = unanswered(lock).length;
    writeFileSync(file, `${JSON.stringify(completed(lock), undefined, 2)}\n`);
    console.log(`package-lock.json: ${before} stubs added.`);
    return 0;
  }
  if (mode !== "--check") {
    console.error("Usage: node scripts/lockfile.mjs --check | --fix");
    return 2;
  }
  const missing = unanswered(lock);
  const hosts = resolvedHosts(lock);
  for (const { from, name, range } of missing)
    console.error(`package-lock.json lacks ${name}@${range}, an optional dependency of ${from === "" ? "the root" : from}.`);
  for (const path of hosts) console.error(`package-lock.json names a host to fetch ${path} from.`);
  if (missing.length + hosts.length > 0) {
    console.error("`node scripts/lockfile.mjs --fix` mends both.");
    return 1;
  }
  console.log(`package-lock.json is complete: ${Object.keys(lock.packages).length} entries, every optional edge answered, no registry host.`);
  return 0;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) process.exitCode = main(process.argv[2]);
