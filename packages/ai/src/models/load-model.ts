import { NexusError } from "@ciphernx/core/errors";
import { decodeSafetensors, type ParameterLayout, parameterLayout } from "../tensor/index.ts";
import type { ModelShape } from "./model-shape.ts";

/**
 * The parameters of a model file in canonical order, checked against the tensors that it is to hold. They share the file's memory where it holds
 * the tensors side by side in that order, as canonical files do.
 */
export function loadModel(
  file: Uint8Array<ArrayBuffer>,
  wanted: ModelShape["tensors"],
): { readonly parameters: Float32Array; readonly layout: ParameterLayout } {
  const layout = parameterLayout(wanted.map(({ name, shape }) => [name, shape]));
  const tensors = decodeSafetensors(file);
  const parts = layout.entries.map(({ name, shape }) => {
    const tensor = tensors.get(name);
    if (tensor === undefined || tensor.dtype !== "F32" || tensor.shape.join() !== shape.join()) {
      const found = tensor === undefined ? "nothing" : `${tensor.dtype}[${tensor.shape.join(", ")}]`;
      throw new NexusError("DATA_INVALID", `The model file has ${found} under "${name}"; it should hold F32[${shape.join(", ")}].`);
    }
    return tensor.data as Float32Array<ArrayBuffer>;
  });
  if (tensors.size !== layout.entries.length) {
    throw new NexusError("DATA_INVALID", `The model file has ${tensors.size} tensors; it should hold ${layout.entries.length}.`);
  }
  return { parameters: joined(parts, layout), layout };
}

function joined(parts: readonly Float32Array<ArrayBuffer>[], { entries, length }: ParameterLayout): Float32Array {
  const [first] = parts;
  const sideBySide = parts.every((part, index) => part.buffer === first?.buffer && part.byteOffset === first.byteOffset + entries[index]!.offset * 4);
  if (first !== undefined && sideBySide) return new Float32Array(first.buffer, first.byteOffset, length);
  const parameters = new Float32Array(length);
  for (const [index, part] of parts.entries()) parameters.set(part, entries[index]!.offset);
  return parameters;
}
