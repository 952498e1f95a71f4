import type { AwsCall } from "./aws-call.ts";
import type { Statement } from "./deployment.ts";

/** Granted without a call that shows it, each with the reason. */
const grantedWithoutCall: Readonly<Record<string, string>> = {
  "s3:ListBucket": "with it S3 answers 404 for an object that is not there, without it 403",
};

export interface PolicyComparison {
  /** Calls that the policy does not allow. */
  readonly missing: readonly string[];
  /** What the policy allows and nobody called. */
  readonly unused: readonly string[];
}

/** Compares what the code of a function called with what its role allows the code to call. */
export function comparePolicy(
  calls: readonly AwsCall[],
  statements: readonly Statement[],
  account: { readonly id: string; readonly region: string },
): PolicyComparison {
  const called = calls.flatMap(({ action, resource }) =>
    action.split("+").map((part) => {
      const [service = "", name = ""] = part.includes(":") ? part.split(":") : [action.split(":")[0], part];
      return { action: `${service}:${name}`, arn: arnOf(service, resource, account) };
    }),
  );
  const allows = ({ actions, resources }: Statement, call: { readonly action: string; readonly arn: string }) =>
    actions.includes(call.action) && resources.some((resource) => arnMatches(resource, call.arn));
  const missing = called.filter((call) => !statements.some((statement) => allows(statement, call)));
  const unused = statements.flatMap((statement) =>
    statement.actions
      .filter((action) => grantedWithoutCall[action] === undefined)
      .filter((action) => !called.some((call) => call.action === action && allows(statement, call)))
      .map((action) => `${action} on ${statement.resources.join(", ")}`),
  );
  return { missing: [...new Set(missing.map(({ action, arn }) => `${action} on ${arn}`))], unused };
}

function arnOf(service: string, resource: string, { id, region }: { readonly id: string; readonly region: string }) {
  if (resource.startsWith("arn:")) return resource;
  switch (service) {
    case "dynamodb":
      return `arn:aws:dynamodb:${region}:${id}:table/${resource}`;
    case "s3":
      return `arn:aws:s3:::${resource}`;
    case "sqs":
      return `arn:aws:sqs:${region}:${id}:${resource.split("/").at(-1)}`;
    case "ses":
      return `arn:aws:ses:${region}:${id}:identity/${resource}`;
    default:
      return resource;
  }
}

/** IAM's wildcards: `*` is any text, also across slashes, `?` one character. */
function arnMatches(pattern: string, arn: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[\\s\\S]*")
    .replaceAll("?", "[\\s\\S]");
  return new RegExp(`^${source}$`).test(arn);
}
