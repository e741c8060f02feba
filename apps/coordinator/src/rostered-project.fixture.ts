/** Organisations on a roster, and nodes that they signed for. @module */
import { randomBytes } from "node:crypto";
import { joinNode } from "@ciphernx/ai/federation/node";
import {
  createOrganisation,
  foundingEntry,
  inviteOrganisation,
  joinRoster,
  type OpenOrganisation,
  rosterAccess,
  type RosterAccess,
  runSigner,
  signForNode,
} from "@ciphernx/ai/federation/organisation";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import type { TestCoordinator } from "./test-coordinator.fixture.ts";

export interface Member {
  readonly organisation: OpenOrganisation;
  readonly access: RosterAccess;
}

export interface RosteredProject extends AsyncDisposable {
  /** Signs starts for the organisation that began the roster. */
  readonly signer: ReturnType<typeof runSigner>;
  readonly members: ReadonlyMap<string, Member>;
}

/**
 * Begins a roster with an organisation for each name that `nodes` has as a value, and joins its keys as nodes, in `lent.folderOf(name)`. Further organisations
 * have no node yet.
 */
export async function rosteredProject(
  lent: TestCoordinator,
  nodes: ReadonlyMap<string, string>,
  further: readonly string[] = [],
): Promise<RosteredProject> {
  const transport = connectTransport({ baseUrl: lent.url });
  const { projectId: project } = await lent.nexus.status();
  const members = new Map<string, Member>();
  let founder: Member | undefined;
  for (const name of new Set([...nodes.values(), ...further])) {
    const organisation = await createOrganisation({
      folder: lent.folderOf(`org-${name}`),
      name,
      project,
      url: lent.url,
      passphrase: randomBytes(32),
    });
    const access = rosterAccess(transport, { project, keys: organisation.keys });
    members.set(name, { organisation, access });
    if (founder === undefined) {
      founder = { organisation, access };
      await lent.nexus.organisations.found((await foundingEntry(organisation)).entry);
    } else {
      const invitation = await inviteOrganisation(founder.access, founder.organisation, { name, expiresInSeconds: 600 });
      await joinRoster(rosterAccess(transport, { project, keys: [invitation.key] }), organisation, invitation);
    }
  }
  for (const [node, owner] of nodes) {
    const { token } = await lent.nexus.nodes.createJoinToken();
    await joinNode({ url: lent.url, token, name: node, folder: lent.folderOf(node) });
    const { access, organisation } = members.get(owner)!;
    await signForNode(access, organisation, lent.folderOf(node));
  }
  return { signer: runSigner(founder!.access, founder!.organisation), members, [Symbol.asyncDispose]: () => transport.close() };
}
