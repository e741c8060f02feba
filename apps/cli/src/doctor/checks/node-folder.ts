import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { descriptorPath, listDescriptors, loadDataset } from "@ciphernx/ai/data/node";
import { loadIdentity } from "@ciphernx/ai/federation/node";
import { plural, toNexusError } from "@ciphernx/core/errors";
import { folderHolder } from "@ciphernx/core/store/folder-lock";
import { checkClock } from "../clock.ts";
import { type Check, type Finding, good, problem, warning } from "../finding.ts";

const KEY_FILE = "node.key";
const OTHERS = 0o077;

/** A node's folder: its identity and key, its datasets, whether it runs, and the way to its coordinator. Nothing where none is named. */
export const checkNodeFolder: Check = async ({ nodeFolder: folder, signal }) => {
  if (folder === undefined) return [];
  let joined;
  try {
    joined = await loadIdentity(folder);
  } catch (error) {
    const { message, hint } = toNexusError(error);
    return [problem("node", message, hint)];
  }
  const { identity, url } = joined;
  const holder = await folderHolder(folder);
  const running =
    holder === undefined
      ? warning("node", `${identity.name} does not run`, `Start it: \`nexus node run --folder ${folder}\`.`)
      : good("node", `${identity.name} runs as process ${holder}`);
  return [running, await checkKey(folder), ...(await checkDatasets(folder, signal)), await reach(url, folder, signal)];
};

async function checkKey(folder: string): Promise<Finding> {
  const path = join(folder, KEY_FILE);
  const { mode } = await stat(path);
  // Windows has no such bits.
  if ((mode & OTHERS) === 0 || process.platform === "win32") return good("key", "readable for its owner alone");
  return problem(
    "key",
    `${path} may be read by others on this machine.`,
    `chmod 600 ${path}; if somebody may have read it, join again under another name.`,
  );
}

async function checkDatasets(folder: string, signal: AbortSignal): Promise<readonly Finding[]> {
  const names = await listDescriptors(folder);
  if (names.length === 0) return [warning("datasets", "none is described", "Describe one with `nexus dataset add`.")];
  const findings: Finding[] = [];
  for (const name of names) {
    try {
      const { train, test } = await loadDataset(descriptorPath(folder, name), { signal });
      findings.push(good("dataset", `${name}: ${plural(train.count, "row")} to learn from, ${test?.count ?? 0} held out`));
    } catch (error) {
      signal.throwIfAborted();
      const { message, hint } = toNexusError(error);
      findings.push(problem("dataset", `${name}: ${message}`, hint));
    }
  }
  return findings;
}

/** The node's own way to its coordinator, which may be another than the one of the commands. */
async function reach(url: string, folder: string, signal: AbortSignal): Promise<Finding> {
  const ca = url.startsWith("https:")
    ? await readFile(join(folder, "ca.crt"), "utf8").then(
        (text) => text,
        () => undefined, // then no CA is trusted, which is what is found
      )
    : undefined;
  const finding = await checkClock(url, signal, ca);
  if (finding.subject === "clock" && finding.found.endsWith("does not tell its time")) {
    return problem(
      "network",
      `${url}, the node's coordinator, cannot be reached from here.`,
      "Start it, or look for a firewall or proxy between the two.",
    );
  }
  if (finding.subject === "certificate") return { ...finding, subject: "network" };
  return finding.state === "good" ? good("network", `${url} can be reached, clock ${finding.found}`) : { ...finding, subject: "node's clock" };
}
