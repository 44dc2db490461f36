/** A command was called as it cannot be. Its message is one line and holds no value that was given; the exit code is 2. */
export class WrongUse extends Error {}
