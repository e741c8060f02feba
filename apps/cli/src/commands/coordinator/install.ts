import { bytes, cpus, defineCommand, integer, text } from "../../command.ts";

export const coordinatorInstall = defineCommand({
  name: "install",
  summary: "Print a systemd unit that runs the coordinator as a service",
  details:
    "The service runs `nexus up` as the owner of the data folder, may write to that folder alone, and is started again when it fails. Nothing is installed: read the " +
    "unit, then save it where its first line says, or let --write do it.",
  options: {
    port: integer("--port <number>", "port to listen on", { min: 1, max: 65_535, fallback: 7700 }),
    listen: text("--listen <address:port>", "serve other machines here, over TLS; 0.0.0.0 for all addresses"),
    publicName: text("--public-name <names>", "names and addresses under which others reach it, with commas between; the first is told to nodes"),
    caPassphraseFile: text(
      "--ca-passphrase-file <file>",
      "holds the passphrase of the CA's key; systemd reads it and hands it over (LoadCredential)",
    ),
    cpus: cpus("--cpus <number>", "processors that the service may use, such as 1.5 (CPUQuota)"),
    memory: bytes("--memory <size>", "memory that the service may use, such as 8GiB (MemoryMax)"),
    write: text("--write <file>", "write the unit to this file instead of printing it"),
  },
  examples: [
    { command: "nexus coordinator install --home /srv/nexus" },
    {
      command:
        "nexus coordinator install --home /srv/nexus --listen 0.0.0.0:7701 --public-name hospital.example --ca-passphrase-file /etc/nexus/ca.passphrase",
    },
  ],
  async action({ options, global: { home }, output, confirm }) {
    const [{ mkdir }, { resolve }, { installUnit, ownCommand, ownerOf }] = await Promise.all([
      import("node:fs/promises"),
      import("node:path"),
      import("../../service/index.ts"),
    ]);
    // A folder that a unit names must be there when it starts.
    await mkdir(home, { recursive: true, mode: 0o700 });
    const { port, listen, publicName, caPassphraseFile } = options;
    const args = [
      ...["up", "--home", home, "--port", String(port)],
      ...(listen === undefined ? [] : ["--listen", listen]),
      ...(publicName === undefined ? [] : ["--public-name", publicName]),
    ];
    const unit = {
      description: "Cipher Nexus coordinator",
      ...{ command: ownCommand(args), folder: home, user: await ownerOf(home) },
      ...{ cpus: options.cpus, memoryBytes: options.memory },
      ...(caPassphraseFile === undefined ? {} : { credentials: { "ca-passphrase": resolve(caPassphraseFile) } }),
    };
    await installUnit(unit, { name: "nexus-coordinator", write: options.write }, { output, confirm });
  },
});
