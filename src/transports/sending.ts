import type { WarmlineError } from "../errors/errors.ts";
import type { Exchange, ExchangeOptions } from "../wire/exchange.ts";
import type { NamedForm } from "../wire/named-statements.ts";
import type { Sent } from "./evidence.ts";
import type { ExchangeCall, Result, Via } from "./transport.ts";

/** How one exchange is sent, a script among them. */
export type WireCall = ExchangeCall & Pick<ExchangeOptions, "script">;

/** Where the answer of an exchange goes. No promise: a query has one, from its queue to its answer. */
export interface Answering {
  resolve(results: Result[]): void;
  reject(error: WarmlineError): void;
}

/** An exchange on its way. */
export interface Sending extends Sent {
  readonly exchange: Exchange;
  readonly call: WireCall;
  readonly named: NamedForm | undefined;
  readonly answering: Answering;
  /** Whether it stands behind others, out of its turn. */
  readonly shared: boolean;
  readonly via: Via;
  /** Called when the answer to what was given up is in. */
  onAnswer: (() => void) | undefined;
}

/** Whether nothing but one statement is sent. */
export function standsAlone({ ends = "autocommit", script }: WireCall): boolean {
  return ends === "autocommit" && script === undefined;
}
