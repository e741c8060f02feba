/** One file as its publisher has it. */
export interface PublishedFile {
  /** Its name, after the recipe's address. */
  readonly name: string;
  /** Of its bytes, 64 lower-case hex digits. */
  readonly sha256: string;
}

/** How a public dataset comes from its publisher to a file that can be read here. */
export interface FetchRecipe {
  /** What it is fetched by. */
  readonly name: string;
  /** What it is, in a line. */
  readonly about: string;
  /** Name of its licence, and its authors' names. */
  readonly licence: string;
  /** Where its files lie; ends in a slash. */
  readonly baseUrl: string;
  /** Where a person finds it. */
  readonly page: string;
  readonly files: readonly PublishedFile[];
  /** The most that one file may hold. */
  readonly maxFileBytes: number;
  /** The file that is made of them. */
  readonly result: PublishedFile;
  /** What is written beside the result: authors, licence, changes. */
  readonly notice: { readonly name: string; readonly text: string };
  /**
   * Makes the result of the files, by their names.
   * @throws NexusError DATA_INVALID when they are not what they should be
   */
  make(files: ReadonlyMap<string, Uint8Array>): Uint8Array;
}
