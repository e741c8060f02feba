/** What a run's rounds can be written as: text in columns, one JSON object a line, event files for TensorBoard. */
export const EXPORT_FORMATS = ["csv", "jsonl", "tensorboard"] as const;

export type ExportFormat = (typeof EXPORT_FORMATS)[number];
