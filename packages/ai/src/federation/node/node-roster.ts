import { NexusError } from "@ciphernx/core/errors";
import { extendsHead, type Roster, type RosterHead } from "@ciphernx/core/roster";
import type { Transport } from "@ciphernx/protocol/wire";
import { rosterAccess } from "../organisation/roster-access.ts";
import type { NodeIdentity } from "./identity.ts";
import { keepRoster, readAnchor, readKeptRoster } from "./roster-anchor.ts";

/** The roster as a node goes by it: what a coordinator shows has to be signed, to go on from what was seen before, and to have the node's own organisation. */
export interface NodeRoster {
  /**
   * The roster, at least as long as `head` says.
   * @throws NexusError ROSTER_INVALID, ROSTER_FORKED, NOT_ON_ROSTER; of the connection
   */
  follow(transport: Pick<Transport, "rpc">, head?: RosterHead): Promise<Roster>;
}

/** The roster of a node's folder; undefined where nobody said whose node it is. @throws NexusError NODE_FOLDER_INVALID */
export async function folderRoster(nodeFolder: string, { key }: Pick<NodeIdentity, "key">): Promise<NodeRoster | undefined> {
  const anchor = await readAnchor(nodeFolder);
  if (anchor === undefined) return undefined;
  let known = await readKeptRoster(nodeFolder);
  let isFresh = false;

  const check = (roster: Roster): void => {
    if (roster.project !== anchor.project)
      throw new NexusError("ROSTER_FORKED", `The coordinator shows the roster of the project ${roster.project}, not of ${anchor.project}.`);
    const own = roster.organisations.get(anchor.organisation);
    if (own?.keys.some((since) => since.key === anchor.key) === true) return;
    throw new NexusError(
      "NOT_ON_ROSTER",
      `"${anchor.organisation}", whose node this is, is ${own === undefined ? "not on the roster" : "on the roster with another key"} (entry ${roster.version}).`,
    );
  };

  return {
    async follow(transport, head) {
      if (known === undefined || !isFresh || head === undefined || known.version < head.version) {
        const roster = await rosterAccess(transport, { project: anchor.project, keys: [key] }).read(known);
        check(roster);
        if (known?.hash !== roster.hash) await keepRoster(nodeFolder, roster);
        [known, isFresh] = [roster, true];
      }
      if (head !== undefined && !extendsHead(known, head)) throw forked(known, head);
      return known;
    },
  };
}

function forked(roster: Roster, seen: RosterHead): NexusError {
  return new NexusError(
    "ROSTER_FORKED",
    `The roster with ${roster.version} entries that the coordinator shows does not go through entry ${seen.version} with the hash ${seen.hash}.`,
    {
      details: { seen, shown: { version: roster.version, hash: roster.hash } },
    },
  );
}
