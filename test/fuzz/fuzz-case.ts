/** One case: what is sent over a connection of its own. */
export interface FuzzCase {
  /** Its family, for the report. */
  readonly kind: string;
  readonly bytes: Buffer;
  /** Whether the bytes are one whole request of HTTP, to which there has to be an answer. */
  readonly whole: boolean;
}
