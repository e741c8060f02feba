import manifest from "../../../package.json" with { type: "json" };

/** Version of this software, as nodes report it. */
export const SOFTWARE_VERSION: string = manifest.version;
