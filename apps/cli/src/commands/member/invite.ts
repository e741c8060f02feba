import { DEFAULT_INVITATION_SECONDS, ROLES } from "@ciphernx/core/identity";
import { choice, defineCommand, duration, text } from "../../command.ts";
import { formatLink, invitationData } from "../../views/members.ts";

export const memberInvite = defineCommand({
  name: "invite",
  summary: "Make a link with which somebody becomes a member",
  details:
    "The link opens the coordinator's page, where a name, an e-mail address and a password are chosen. It works once. " +
    "A coordinator that serves other machines (nexus up --listen) makes a link for those, else one for its own.",
  options: {
    role: choice("--role <role>", "what the member may do", ROLES, "data-scientist"),
    name: text("--name <name>", "whom it is for"),
    email: text("--email <address>", "the only e-mail address that it is good for"),
    expires: duration("--expires <time>", "how long the link is good for, at most 30d", DEFAULT_INVITATION_SECONDS, "3d"),
  },
  examples: [
    { command: "nexus member invite --role data-scientist --name Anna" },
    { command: "nexus member invite --role auditor --email carl@clinic.example --expires 1d" },
  ],
  async action({ options: { role, name, email, expires }, output, withNexus }) {
    await withNexus(async (nexus) => {
      const { invitation, localLink, publicLink } = await nexus.members.invite({
        ...{ role, expiresInSeconds: expires },
        ...(name === undefined ? {} : { name }),
        ...(email === undefined ? {} : { email }),
      });
      const link = publicLink ?? localLink;
      const data = { invitation: invitationData(invitation), link, localLink, publicLink: publicLink ?? null };
      output.result({ data, text: formatLink(link, invitation), ids: [link] });
    });
  },
});
