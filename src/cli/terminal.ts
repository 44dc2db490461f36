import { styleText } from "node:util";

/** Where lines are written: standard output, or what stands in for it. */
export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

type Colour = "red" | "green" | "yellow" | "cyan" | "dim" | "bold";

/** Writes lines, in colours on a terminal alone. */
export interface Terminal {
  line(text: string): void;
  /** The text in a colour, or as it is. */
  in(colour: Colour, text: string): string;
}

/** A terminal over `output`. Without colours where it is none, and where NO_COLOR is set, whatever else is. Source: no-color.org. */
export function terminalOn(output: Output, env: Readonly<Record<string, string | undefined>>): Terminal {
  const coloured = output.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
  return {
    line: (text) => void output.write(`${text}\n`),
    in: (colour, text) => (coloured ? styleText(colour, text, { validateStream: false }) : text),
  };
}
