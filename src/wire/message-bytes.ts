/** The bytes of messages: a Buffer, of whichever kind the runtime or the driver has. */
export interface MessageBytes extends Uint8Array {
  toString(encoding?: string, start?: number, end?: number): string;
}
