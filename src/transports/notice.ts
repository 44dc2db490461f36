import { isOfFunction } from "../errors/of-function.ts";
import { redactMessage } from "../errors/redact-message.ts";
import type { NoticeEvent, Statement, Via } from "./transport.ts";

/** What the server said beside an answer, and what was being done. */
interface Said {
  readonly report: {
    readonly severity: string;
    /** In English, whatever the server's language; absent where it does not tell. */
    readonly severityName?: string;
    readonly code: string;
    readonly message: string;
    readonly routine?: string;
  };
  readonly statements: readonly Statement[];
  /** The one the server was at; undefined where nobody knows. */
  readonly statement: Statement | undefined;
  readonly via: Via;
}

/** What the server said beside an answer, as it may be told. */
export function noticeOf({ report, statements, statement, via: { transport, connectionId } }: Said): NoticeEvent {
  const { code, routine = null } = report;
  // a server of before 9.6, or what is none, tells it in its own language alone
  const severity = report.severityName ?? report.severity;
  const message = redactMessage(report, { statements, translated: severity !== report.severity });
  const event = { type: "notice", transport, connectionId, severity, code, routine, text: statement?.text ?? null } as const;
  // a function says what it likes: readable by name, and in no log by itself
  return Object.defineProperty(event, "message", { value: message, enumerable: !isOfFunction(routine) }) as NoticeEvent;
}
