import { byteRate, bytes, defineCommand, flag, requiredTexts } from "../../command.ts";
import { transportOption } from "../../transport-option.ts";
import { kernelOption } from "../../kernel-option.ts";

export const nodeRun = defineCommand({
  name: "run",
  summary: "Take part in runs with the data of a node's folder",
  details: "Registers the folder's datasets by reference and answers tasks until it is stopped, as far as the terms of their owners allow.",
  options: {
    folders: requiredTexts(
      "--folder <folder...>",
      "the folder that `nexus node join` made; several serve several projects or coordinators in one process",
    ),
    kernel: kernelOption,
    uploadLimit: byteRate("--upload-limit <rate>", "most that the node's uploads take of the line, such as 2MB/s"),
    transport: transportOption,
    memory: bytes(
      "--memory <size>",
      "memory that the process may need, such as 2GiB: runs that need more are refused, by the estimate of their plan",
    ),
    exitWithParent: flag("--exit-with-parent", "stop when the process that started it ends, however it ends"),
  },
  examples: [
    { command: "nexus node run --folder ./clinic-a" },
    { command: "nexus node run --folder ./clinic-a --upload-limit 2MB/s", about: "leave the rest of the line to others" },
    { command: "nexus node run --folder ./study-a --folder ./study-b --memory 4GiB", about: "two projects, which share what there is" },
  ],
  async action({ options, output, signal, global }) {
    const [{ serveNodes }, { endsWithParent }] = await Promise.all([import("../../serve-node.ts"), import("../../parent.ts")]);
    const { folders, kernel, uploadLimit, memory, transport, exitWithParent } = options;
    const limits = { kernel, uploadBytesPerSecond: uploadLimit, memoryBytes: memory, way: { transport, proxy: global.proxy } };
    await serveNodes(folders, limits, { output, signal: exitWithParent ? endsWithParent(signal) : signal });
  },
});
