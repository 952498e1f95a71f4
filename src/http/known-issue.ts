import { EventPulseError } from "../model/error.ts";
import type { Issue } from "../model/issue.ts";
import type { KnownScope } from "./scope.ts";

/** An issue of the principal's tenant. Throws ISSUE_UNKNOWN. */
export async function knownIssue({ services, principal }: KnownScope, id: string): Promise<Issue> {
  const issue = await services.issues.get(principal.tenant, id);
  if (issue === null) throw unknownIssue();
  return issue;
}

export function unknownIssue(): EventPulseError {
  return new EventPulseError("ISSUE_UNKNOWN", "No issue has this id; GET /v1/issues lists them.");
}
