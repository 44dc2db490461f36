import { clientRules } from "./client-rules.ts";
import type { CodeRule } from "./code-rule.ts";
import { secretRules } from "./secret-rules.ts";

/** Every rule over syntax trees. */
export const codeRules: readonly CodeRule[] = [...clientRules, ...secretRules];
