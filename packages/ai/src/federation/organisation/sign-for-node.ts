import type { Roster } from "@ciphernx/core/roster";
import { bytesToHex } from "@noble/hashes/utils.js";
import { loadIdentity } from "../node/node-folder.ts";
import { writeAnchor } from "../node/roster-anchor.ts";
import { addNode } from "./organisation-acts.ts";
import type { OpenOrganisation } from "./organisation-folder.ts";
import type { RosterAccess } from "./roster-access.ts";

/**
 * Has an organisation sign for the node of a folder on this machine: the node's key goes onto the roster, and the folder learns whose node
 * it is, by which it tells true rosters from others.
 * @throws NexusError NODE_FOLDER_INVALID, NODE_NOT_FOUND, ROSTER_INVALID
 */
export async function signForNode(access: RosterAccess, organisation: OpenOrganisation, nodeFolder: string): Promise<Roster> {
  const { identity } = await loadIdentity(nodeFolder);
  const roster = await addNode(access, organisation, { node: identity.name, key: bytesToHex(identity.key.publicKey) });
  await writeAnchor(nodeFolder, { organisation: organisation.name, key: organisation.publicKey, project: organisation.project });
  return roster;
}
