import { byteRate, bytes, cpus, defineCommand, requiredText, text } from "../../command.ts";
import { kernelOption } from "../../kernel-option.ts";

export const nodeInstall = defineCommand({
  name: "install",
  summary: "Print a systemd unit that runs this node as a service",
  details:
    "The service runs as the owner of the node's folder, may write to that folder alone, and is started again when it fails. Nothing is installed: read the unit, " +
    "then save it where its first line says, or let --write do it. --cpus and --memory are enforced by the system, for all that the service does.",
  options: {
    folder: requiredText("--folder <folder>", "the folder that `nexus node join` made"),
    kernel: kernelOption,
    uploadLimit: byteRate("--upload-limit <rate>", "most that the node's uploads take of the line, such as 2MB/s"),
    cpus: cpus("--cpus <number>", "processors that the service may use, such as 1.5 (CPUQuota)"),
    memory: bytes("--memory <size>", "memory that the service may use, such as 2GiB (MemoryMax); runs that need more are refused"),
    write: text("--write <file>", "write the unit to this file instead of printing it"),
  },
  examples: [
    { command: "nexus node install --folder /srv/clinic-a" },
    { command: "nexus node install --folder /srv/clinic-a --cpus 2 --memory 4GiB --write /etc/systemd/system/nexus-node-clinic-a.service" },
  ],
  async action({ options, output, confirm }) {
    const [{ resolve }, { loadIdentity }, { installUnit, ownCommand, ownerOf }] = await Promise.all([
      import("node:path"),
      import("@ciphernx/ai/federation/node"),
      import("../../service/index.ts"),
    ]);
    const folder = resolve(options.folder);
    const { identity, url } = await loadIdentity(folder);
    const { kernel, uploadLimit, memory } = options;
    const args = [
      ...["node", "run", "--folder", folder],
      ...(kernel === "baseline" ? [] : ["--kernel", kernel]),
      ...(uploadLimit === undefined ? [] : ["--upload-limit", `${uploadLimit / 1000}kB/s`]),
      ...(memory === undefined ? [] : ["--memory", `${memory}B`]),
    ];
    const unit = {
      description: `Cipher Nexus node ${identity.name} of ${url}`,
      ...{ command: ownCommand(args), folder, user: await ownerOf(folder) },
      ...{ cpus: options.cpus, memoryBytes: memory },
    };
    await installUnit(unit, { name: `nexus-node-${identity.name}`, write: options.write }, { output, confirm });
  },
});
