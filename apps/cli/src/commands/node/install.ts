import { userInfo } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { writeFile } from "node:fs/promises";
import { byteRate, byteSize, defineCommand, number, requiredText, text } from "../../command.ts";

export const nodeInstall = defineCommand({
  name: "install",
  summary: "Print a systemd unit that runs a node as a service",
  details:
    "Starts it with the machine and again when it fails, lets it write to its own folder alone, and has the kernel hold it to the limits that are given here. Nothing is installed: read it, then put it where systemd looks.",
  options: {
    folder: requiredText("--folder <folder>", "the node's folder"),
    user: text("--user <name>", "as whom it runs (default: you)"),
    cpus: number("--cpus <number>", "processors that it may use, such as 1.5", { above: 0, below: 4_096 }),
    memory: byteSize("--memory <size>", "memory that it may use, such as 4GB"),
    uploadLimit: byteRate("--upload-limit <rate>", "most that its uploads take of the line, such as 2MB/s"),
    environmentFile: text("--environment-file <file>", "holds variables such as HTTPS_PROXY, readable for root alone"),
    write: text("--write <file>", "write it there instead of printing it"),
  },
  examples: [
    { command: "nexus node install --folder ./clinic-a" },
    {
      command: "nexus node install --folder ./clinic-a --cpus 2 --memory 4GB | sudo tee /etc/systemd/system/nexus-clinic-a.service",
      about: "then: sudo systemctl enable --now nexus-clinic-a",
    },
  ],
  async action({ options, output }) {
    const [{ loadIdentity }, { nodeUnit }] = await Promise.all([import("@ciphernx/ai/federation/node"), import("../../service/unit.ts")]);
    const { identity } = await loadIdentity(options.folder);
    const { cpus, memory, uploadLimit, environmentFile, write } = options;
    const unit = nodeUnit({
      ...{ name: identity.name, node: process.execPath, command: fileURLToPath(new URL("../../../bin/nexus.js", import.meta.url)) },
      ...{ folder: resolve(options.folder), user: options.user ?? userInfo().username, cpus, memoryBytes: memory, environmentFile },
      words: uploadLimit === undefined ? [] : ["--upload-limit", `${uploadLimit / 1_000}kB/s`],
    });
    if (write !== undefined) await writeFile(write, unit, { flag: "wx", mode: 0o644 });
    output.result({
      data: { unit, file: write ?? null },
      text: write === undefined ? unit.trimEnd() : `Wrote ${write}.`,
      ids: [write ?? unit.trimEnd()],
    });
  },
});
