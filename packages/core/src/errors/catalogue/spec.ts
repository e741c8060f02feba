import { defineErrors, EXIT } from "./define.ts";

export const specErrors = defineErrors({
  SPEC_UNREADABLE: {
    exit: EXIT.usage,
    rpc: "invalid_argument",
    meaning: "The run spec file does not exist, cannot be read, or is not YAML or JSON.",
    hint: "Check the path and the syntax; examples/mnist/run.yaml is a working spec.",
  },
  SPEC_INVALID: {
    exit: EXIT.usage,
    rpc: "invalid_argument",
    meaning: "The run spec has an unknown key, a missing key, or a value of the wrong kind.",
    hint: "Mend the keys named in the message; docs/run-spec.schema.json describes them all.",
  },
  SPEC_REFUSED: {
    exit: EXIT.usage,
    rpc: "failed_precondition",
    meaning: "The run spec is well formed, but what it asks for cannot be run or is not safe to run.",
    hint: "Apply the remedy named for each refusal; `nexus run plan` shows them without starting anything.",
  },
});
