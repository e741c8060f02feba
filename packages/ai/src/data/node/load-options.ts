export interface LoadOptions {
  readonly signal?: AbortSignal;
  /** Columns of a table whose texts are kept beside the training rows, because a split goes by them. */
  readonly keep?: readonly string[];
}

/** Where features and labels of a part lie. */
export interface ArrayPaths {
  readonly features: string;
  readonly targets: string;
}
