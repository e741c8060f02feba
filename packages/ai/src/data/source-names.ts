/** The public datasets that come built in; a file of the same name beside the loaders reads each. */
export const SOURCE_NAMES = ["mnist"] as const;
export type SourceName = (typeof SOURCE_NAMES)[number];
