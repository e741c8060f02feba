import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Nexus } from "@ciphernx/ai/client";
import type { PartyFolder } from "@ciphernx/ai/data/node";
import {
  createOrganisation,
  foundingEntry,
  inviteOrganisation,
  joinRoster,
  type OpenOrganisation,
  rosterAccess,
  type RosterAccess,
} from "@ciphernx/ai/federation/organisation";
import type { Transport } from "@ciphernx/protocol/wire";

/** An organisation of the demo, at the coordinator. */
export interface DemoOrganisation {
  readonly organisation: OpenOrganisation;
  readonly access: RosterAccess;
}

/**
 * An organisation for each party, with its key in a folder of its own: the first begins the roster and invites the others, who join. What
 * opens their keys is random and kept nowhere: they end with the demo.
 */
export async function makeOrganisations(
  nexus: Nexus,
  { transport, folder, url }: { readonly transport: Transport; readonly folder: string; readonly url: string },
  parties: readonly Pick<PartyFolder, "party">[],
): Promise<readonly DemoOrganisation[]> {
  const { projectId: project } = await nexus.status();
  const organisations = await Promise.all(
    parties.map(({ party: name }) => createOrganisation({ folder: join(folder, name), name, project, url, passphrase: randomBytes(32) })),
  );
  const [founder, ...others] = organisations.map((organisation) => ({
    organisation,
    access: rosterAccess(transport, { project, keys: organisation.keys }),
  }));
  if (founder === undefined) return [];
  await nexus.organisations.found((await foundingEntry(founder.organisation)).entry);
  for (const { organisation } of others) {
    const invitation = await inviteOrganisation(founder.access, founder.organisation, { name: organisation.name, expiresInSeconds: 600 });
    await joinRoster(rosterAccess(transport, { project, keys: [invitation.key] }), organisation, invitation);
  }
  return [founder, ...others];
}
