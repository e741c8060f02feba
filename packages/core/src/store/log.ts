/** What the store tells its owner while it works: one short sentence, with the error behind it. */
export type StoreLog = (level: "info" | "warn" | "error", message: string, error?: unknown) => void;

/** Says nothing. */
export const silent: StoreLog = () => {};
