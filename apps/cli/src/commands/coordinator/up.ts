import { defineCommand, flag, integer, text } from "../../command.ts";

export const up = defineCommand({
  name: "up",
  summary: "Start the coordinator on this machine",
  details:
    "It serves loopback addresses in plain, keeps everything in the data folder, and writes the owner token there, where the other commands find it. " +
    "With --listen it serves other machines as well, over TLS with a CA of its own, whose certificate it writes to ca/ca.crt in the data folder.",
  options: {
    port: integer("--port <number>", "port to listen on; 0 takes a free one", { min: 0, max: 65_535, fallback: 7700 }),
    host: text("--host <address>", "loopback address to listen on (default: 127.0.0.1 and ::1)"),
    listen: text("--listen <address:port>", "serve other machines here, over TLS; 0.0.0.0 for all addresses"),
    publicName: text("--public-name <names>", "names and addresses under which others reach it, with commas between; the first is told to nodes"),
    caPassphraseFile: text(
      "--ca-passphrase-file <file>",
      "holds the passphrase of the CA's key (default: systemd's credential ca-passphrase, else one that it makes)",
    ),
    caCert: text("--ca-cert <file>", "certificate of a CA of your own, PEM; with --ca-key"),
    caKey: text("--ca-key <file>", "key of that CA, PEM"),
    rotateCa: flag("--rotate-ca", "replace the CA's key; nodes that have joined learn of it by themselves"),
    oidcIssuer: text("--oidc-issuer <url>", "OpenID provider by which people may sign in; with the two below"),
    oidcClientId: text("--oidc-client-id <id>", "the coordinator's client id there; it leads back to /auth/oidc/callback"),
    oidcClientSecretFile: text("--oidc-client-secret-file <file>", "holds the client's secret"),
    databaseUrl: text("--database-url <url>", "PostgreSQL to use instead of the embedded one (default: $DATABASE_URL)"),
    detach: flag("-d, --detach", "leave it running in the background and return when it answers"),
    exitWithParent: flag("--exit-with-parent", "stop when the process that started it ends, however it ends"),
  },
  examples: [
    { command: "nexus up" },
    { command: "nexus up --detach --port 7800 --home ./nexus-data" },
    { command: "nexus up --listen 0.0.0.0:7701 --public-name hospital.example", about: "for nodes on other machines" },
    { command: "DATABASE_URL=postgres://nexus@db.internal/nexus nexus up", about: "with a PostgreSQL of your own" },
  ],
  async action({ options, ...context }) {
    const { runCoordinator, startDetached } = await import("../../coordinator-process.ts");
    await (options.detach ? startDetached(options, context) : runCoordinator(options, context));
  },
});
