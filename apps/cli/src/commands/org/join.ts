import { argument, defineCommand, requiredText } from "../../command.ts";
import { keepCa, PASSPHRASE_OPTION, readPassphrase } from "../../organisation.ts";
import { formatKey, formatRoster, rosterData } from "../../views/organisations.ts";

export const orgJoin = defineCommand({
  name: "join",
  summary: "Take up an invitation: become an organisation of the project",
  details: "Makes the organisation's key in its folder, sealed by a passphrase; it never leaves that folder. Needs no other token.",
  arguments: { url: argument("<url>", "address of the coordinator") },
  options: {
    invitation: requiredText("--invitation <text>", "what `nexus org invite` printed"),
    folder: requiredText("--folder <folder>", "where the organisation keeps its key"),
    passphraseFile: PASSPHRASE_OPTION,
  },
  examples: [{ command: "nexus org join http://127.0.0.1:7700 --invitation INVITATION --folder ./clinic-b-org" }],
  async action({ args: { url }, options: { invitation: token, folder, passphraseFile }, ...context }) {
    const { output, global } = context;
    const [{ createOrganisation, joinRoster, readInvitation, rosterAccess }, { connectTransport }, { readFile }] = await Promise.all([
      import("@ciphernx/ai/federation/organisation"),
      import("@ciphernx/protocol/wire/connect"),
      import("node:fs/promises"),
    ]);
    const invitation = await readInvitation(token);
    const { organisation: name, project, head } = invitation;
    const ca = global.ca === undefined ? undefined : await readFile(global.ca, "utf8");
    await using transport = connectTransport({ baseUrl: url, tls: { ca }, proxy: global.proxy });
    // Whether it is good is known before anything is made.
    const outside = rosterAccess(transport, { project, keys: [invitation.key] });
    const passphrase = await readPassphrase(passphraseFile, context, "new");
    const organisation = await createOrganisation({ ...{ folder, name, project, url, passphrase, head } });
    await keepCa(folder, global.ca);
    const inside = rosterAccess(transport, { project, keys: [invitation.key, ...organisation.keys] });
    await outside.read().catch(() => inside.read());
    const roster = await joinRoster(inside, organisation, invitation);
    output.result({
      data: { roster: rosterData(roster), folder },
      text: [
        `${name} is an organisation of the project ${project}. Its key is in ${folder}, sealed: keep that folder and the passphrase safe. Public key:`,
        `  ${formatKey(organisation.publicKey)}`,
        "",
        formatRoster(roster),
      ].join("\n"),
      ids: [organisation.publicKey],
    });
  },
});
