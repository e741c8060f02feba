import { readFile } from "node:fs/promises";
import type { Nexus } from "@ciphernx/ai/client";
import { checkpointFromOnnx } from "@ciphernx/ai/onnx";
import { refusedError, type RunSpec } from "@ciphernx/ai/spec";
import { decodeParameters, type ParameterSet } from "@ciphernx/ai/tensor";

/**
 * Reads the parameters that a run is to start from: a safetensors file, or an ONNX model that has the tensors of the run's plan.
 * @throws NexusError DATA_INVALID naming what does not fit, SPEC_REFUSED where there is no plan to fit
 */
export async function readCheckpoint(nexus: Nexus, spec: RunSpec, file: string): Promise<ParameterSet> {
  const bytes = await readFile(file);
  if (!/\.onnx$/i.test(file)) return decodeParameters(bytes, { subject: `The checkpoint ${file}` });
  const answer = await nexus.runs.plan(spec);
  if (!answer.ok) throw refusedError(answer.refusals);
  return decodeParameters(checkpointFromOnnx(bytes, answer.plan.model.tensors));
}
