import { followRoster, type NodeRoster } from "./follow-roster.ts";
import type { NodeIdentity } from "./identity.ts";
import { keepRoster, readAnchor, readKeptRoster } from "./roster-anchor.ts";

/** The roster of a node's folder; undefined where nobody said whose node it is. @throws NexusError NODE_FOLDER_INVALID */
export async function folderRoster(nodeFolder: string, { key }: Pick<NodeIdentity, "key">): Promise<NodeRoster | undefined> {
  const anchor = await readAnchor(nodeFolder);
  if (anchor === undefined) return undefined;
  return followRoster({ anchor, key, known: await readKeptRoster(nodeFolder), keep: (roster) => keepRoster(nodeFolder, roster) });
}
