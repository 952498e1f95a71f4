import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { projectRoot } from "../tidy/project-files.ts";

test("cfn-lint finds nothing in the bootstrap stack", async () => {
  const program = process.env["EVENTPULSE_TEST_CFN_LINT"];
  if (program === undefined) throw new Error('EVENTPULSE_TEST_CFN_LINT is not set: run "npm run test:aws"');
  await promisify(execFile)(program, [join(projectRoot, "infra/bootstrap/bootstrap.yaml")]);
});
