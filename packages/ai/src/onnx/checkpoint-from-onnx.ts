import { NexusError } from "@ciphernx/core/errors";
import { compareNames, encodeSafetensors, type Tensor } from "../tensor/index.ts";
import { importOnnx } from "./import-onnx.ts";

/** How many names an error lists. */
const LISTED = 20;

/**
 * The canonical safetensors file of a model's tensors, read from an ONNX model that has all of them under the same names and in the same
 * shapes, and no others: a checkpoint that a run can start from. A file that `exportOnnx` wrote gives the very bytes of the model.
 * @param wanted the tensors of the run's plan, `plan.model.tensors`
 * @throws NexusError DATA_INVALID naming the first tensor that does not fit, or why the file cannot be read
 */
export function checkpointFromOnnx(
  bytes: Uint8Array,
  wanted: readonly { readonly name: string; readonly shape: readonly number[] }[],
): Uint8Array<ArrayBuffer> {
  const found = importOnnx(bytes);
  const taken = new Map<string, Tensor>();
  for (const { name, shape } of wanted.toSorted((a, b) => compareNames(a.name, b.name))) {
    const tensor = found.get(name);
    if (tensor === undefined || tensor.shape.join() !== shape.join()) {
      const what = tensor === undefined ? "nothing" : `[${tensor.shape.join(", ")}]`;
      throw mismatch(`has ${what} under "${name}"; the run's model has [${shape.join(", ")}] there`, name, [...found.keys()]);
    }
    taken.set(name, tensor);
  }
  const surplus = [...found.keys()].toSorted(compareNames).find((name) => !taken.has(name));
  if (surplus !== undefined) throw mismatch(`has a tensor "${surplus}", which the run's model does not have`, surplus, [...found.keys()]);
  return encodeSafetensors(taken);
}

function mismatch(problem: string, tensor: string, names: readonly string[]): NexusError {
  const listed = names.slice(0, LISTED).join(", ");
  return new NexusError("DATA_INVALID", `The ONNX model ${problem}.`, {
    hint: `It has ${names.length} tensors: ${listed}${names.length > LISTED ? ", …" : ""}. Rename and reshape them in the tool that wrote it.`,
    details: { tensor, names: names.slice(0, LISTED) },
  });
}
