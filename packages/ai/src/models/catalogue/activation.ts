import { z } from "zod";

/** An activation as a model's options name it. */
export const activationSchema = z.enum(["relu", "tanh", "sigmoid"]);
