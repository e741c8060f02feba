import { argument, defineCommand, duration, requiredText } from "../../command.ts";
import { formatTime } from "../../output/index.ts";
import { PASSPHRASE_OPTION, withOrganisation } from "../../organisation.ts";

const WEEK_SECONDS = 7 * 24 * 3_600;

export const orgInvite = defineCommand({
  name: "invite",
  summary: "Invite another organisation",
  details:
    "Prints an invitation for that one organisation. It is a secret until it is used: hand it over where neither the coordinator nor anybody else reads it.",
  arguments: { name: argument("<name>", "the name that it will have on the roster") },
  options: {
    org: requiredText("--org <folder>", "the folder of the organisation that invites"),
    passphraseFile: PASSPHRASE_OPTION,
    expires: duration("--expires <time>", "how long the invitation is good for", WEEK_SECONDS, "7d"),
  },
  examples: [{ command: "nexus org invite clinic-b --org ./clinic-a-org" }],
  async action({ args: { name }, options: { org, passphraseFile, expires }, ...context }) {
    await withOrganisation({ folder: org, passphraseFile }, context, async (organisation, access) => {
      const { inviteOrganisation, invitationToken } = await import("@ciphernx/ai/federation/organisation");
      const token = await invitationToken(await inviteOrganisation(access, organisation, { name, expiresInSeconds: expires }));
      const until = new Date(Date.now() + expires * 1000).toISOString();
      context.output.result({
        data: { organisation: name, invitation: token, until },
        text: `${token}\n\n${name} joins with it until ${formatTime(until)}: nexus org join ${organisation.url} --invitation … --folder DIR`,
        ids: [token],
      });
    });
  },
});
