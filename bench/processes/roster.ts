/** Parties of a roster: an organisation each, as the demo makes them. @module */
import { join } from "node:path";
import { joinNode } from "@ciphernx/ai/federation/node";
import { runSigner, signForNode } from "@ciphernx/ai/federation/organisation";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import { makeOrganisations } from "../../apps/cli/src/demo/organisations.ts";
import type { CoordinatorProcess } from "./federation.ts";

/** Begins a roster with an organisation for each party, joins the parties' folders and signs for them; what signs runs comes back. */
export async function rosterParties({ nexus, url }: CoordinatorProcess, folder: string, names: readonly string[]) {
  const transport = connectTransport({ baseUrl: url });
  const parties = names.map((party) => ({ party }));
  const organisations = await makeOrganisations(nexus, { transport, folder: join(folder, "organisations"), url }, parties);
  for (const [index, { access, organisation }] of organisations.entries()) {
    const [name, { token }] = [names[index]!, await nexus.nodes.createJoinToken()];
    await joinNode({ url, token, name, folder: join(folder, name) });
    await signForNode(access, organisation, join(folder, name));
  }
  const { access, organisation } = organisations[0]!;
  return { signer: runSigner(access, organisation), [Symbol.asyncDispose]: () => transport.close() };
}
