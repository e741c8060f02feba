import type { KernelBuild } from "@ciphernx/ai/nn";
import { choice } from "./command.ts";

/** `--kernel fma`, of commands that train. */
export const kernelOption = choice<KernelBuild, KernelBuild>(
  "--kernel <build>",
  "build of the training kernels; fma is quicker, and not reproducible across hosts: the spec must say `reproducibility: any-kernel`",
  ["baseline", "fma"],
  "baseline",
);
