/** What the wire reports to its host: fields for programs, a sentence for people. A pino logger fits as it is. */
export interface WireLog {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
