import type { ServerReport } from "./database-error.ts";

/** What was sent as one statement. */
interface Sent {
  readonly text: string;
  /** What was sent behind the text. */
  readonly comment?: string | undefined;
}

/**
 * A server's report as it would be without the comments behind the texts: they are in no message, and what ends too soon ends where its text does.
 * @param statement the text of the one that is spoken of, where that is known
 */
export function uncommented(report: ServerReport, sent: readonly Sent[], statement: string | undefined): ServerReport {
  let { message, position } = report;
  for (const { text, comment } of sent) {
    if (comment === undefined) continue;
    message = message.replaceAll(` ${comment}`, "");
    const end = [...text].length + 1;
    if (text !== statement || !(Number(position) > end)) continue;
    position = String(end);
    // a text whose quote is open goes on into the comment
    if (report.code === "42601") message = "syntax error at end of input";
  }
  return message === report.message && position === report.position ? report : { ...report, message, position };
}
