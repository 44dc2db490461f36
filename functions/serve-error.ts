/** A server cannot be started as it was asked to. The message is one line that says what to change. */
export class ServeError extends Error {
  override readonly name = "ServeError";
}
