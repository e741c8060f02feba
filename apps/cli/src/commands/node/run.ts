import { byteRate, defineCommand, flag, requiredText } from "../../command.ts";
import { transportOption } from "../../transport-option.ts";
import { kernelOption } from "../../kernel-option.ts";

export const nodeRun = defineCommand({
  name: "run",
  summary: "Take part in runs with the data of a node's folder",
  details: "Registers the folder's datasets by reference and answers tasks until it is stopped, as far as the terms of their owners allow.",
  options: {
    folder: requiredText("--folder <folder>", "the folder that `nexus node join` made"),
    kernel: kernelOption,
    uploadLimit: byteRate("--upload-limit <rate>", "most that the node's uploads take of the line, such as 2MB/s"),
    transport: transportOption,
    exitWithParent: flag("--exit-with-parent", "stop when the process that started it ends, however it ends"),
  },
  examples: [
    { command: "nexus node run --folder ./clinic-a" },
    { command: "nexus node run --folder ./clinic-a --upload-limit 2MB/s", about: "leave the rest of the line to others" },
  ],
  async action({ options, output, signal, global }) {
    const [{ serveNode }, { endsWithParent }] = await Promise.all([import("../../serve-node.ts"), import("../../parent.ts")]);
    const { folder, kernel, uploadLimit, transport, exitWithParent } = options;
    const way = { transport, proxy: global.proxy, uploadBytesPerSecond: uploadLimit };
    await serveNode(folder, { kernel, way, output, signal: exitWithParent ? endsWithParent(signal) : signal });
  },
});
