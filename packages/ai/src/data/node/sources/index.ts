import type { Dataset } from "../../dataset.ts";
import type { SourceName } from "../../source-names.ts";
import { loadMnist, type SourceOptions } from "./mnist.ts";

export { loadMnist, MNIST_SCHEMA, type SourceOptions } from "./mnist.ts";

const sources: Readonly<Record<SourceName, (options?: SourceOptions) => Promise<Dataset>>> = { mnist: loadMnist };

/**
 * Loads a built-in dataset by name.
 * @throws NexusError DATA_UNREADABLE when what holds it is not installed.
 */
export function loadSource(name: SourceName, options: SourceOptions = {}): Promise<Dataset> {
  return sources[name](options);
}
