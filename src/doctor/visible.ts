/** A text of somebody else's as it is fit to be shown: what a terminal would act on is blanked, and it ends somewhere. */
export function visible(text: string): string {
  return text.replace(/\p{C}/gu, "\ufffd").slice(0, 500);
}
