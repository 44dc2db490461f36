import { isOfFunction, redactMessage } from "../errors/redact-message.ts";
import type { Said } from "../transports/transport.ts";
import type { NoticeEvent } from "./events.ts";

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
