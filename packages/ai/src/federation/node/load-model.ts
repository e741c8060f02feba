import { NexusError } from "@ciphernx/core/errors";
import type { RunPlan } from "../../spec/index.ts";
import { decodeSafetensors, type ParameterLayout, parameterLayout } from "../../tensor/index.ts";

/** The parameters of a model file in canonical order, checked against the plan's tensors. */
export function loadModel(file: Uint8Array<ArrayBuffer>, plan: RunPlan): { readonly parameters: Float32Array; readonly layout: ParameterLayout } {
  const layout = parameterLayout(plan.model.tensors.map(({ name, shape }) => [name, shape]));
  const tensors = decodeSafetensors(file);
  const parameters = new Float32Array(layout.length);
  for (const { name, shape, offset } of layout.entries) {
    const tensor = tensors.get(name);
    if (tensor === undefined || tensor.dtype !== "F32" || tensor.shape.join() !== shape.join()) {
      const found = tensor === undefined ? "nothing" : `${tensor.dtype}[${tensor.shape.join(", ")}]`;
      throw new NexusError("DATA_INVALID", `The model file has ${found} under "${name}"; the plan wants F32[${shape.join(", ")}].`);
    }
    parameters.set(tensor.data as Float32Array, offset);
  }
  if (tensors.size !== layout.entries.length) {
    throw new NexusError("DATA_INVALID", `The model file has ${tensors.size} tensors; the plan wants ${layout.entries.length}.`);
  }
  return { parameters, layout };
}
