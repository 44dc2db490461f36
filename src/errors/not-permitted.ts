/** Whether Deno has no permission for what was tried. Source: Deno's documentation, `Deno.errors.NotCapable`. */
export function isNotPermitted(failure: unknown): boolean {
  return failure instanceof Error && failure.name === "NotCapable";
}
