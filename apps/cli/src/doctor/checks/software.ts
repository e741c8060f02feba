import { SOFTWARE_VERSION } from "@ciphernx/ai/federation/node";
import { loadKernel } from "@ciphernx/ai/nn";
import { toNexusError } from "@ciphernx/core/errors";
import { type Check, good, problem } from "../finding.ts";

const OLDEST_NODE = 22;

/** The program itself: its version, the Node under it, and whether its kernels run on this processor. */
export const checkSoftware: Check = async () => {
  const { node } = process.versions;
  const runtime =
    Number.parseInt(node, 10) >= OLDEST_NODE
      ? good("Node", `${node} on ${process.platform} ${process.arch}`)
      : problem("Node", `${node} is too old`, `Install Node ${OLDEST_NODE} or newer; a clone brings its own with \`npm ci\`.`);
  try {
    const { build } = await loadKernel();
    return [good("version", SOFTWARE_VERSION), runtime, good("kernels", build)];
  } catch (error) {
    const { message, hint } = toNexusError(error);
    return [good("version", SOFTWARE_VERSION), runtime, problem("kernels", message, hint)];
  }
};
