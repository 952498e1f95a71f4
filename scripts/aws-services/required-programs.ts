import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** What must be on the machine, the argument that makes it say its version, and what needs it. */
const requiredPrograms = [
  ["python3", "--version", "moto, the emulator of AWS, needs Python 3.9 or newer with venv"],
  ["java", "-version", "DynamoDB Local needs a Java runtime, 17 or newer"],
  ["mvn", "--version", "DynamoDB Local is installed with Maven"],
  ["npm", "--version", "the Node of Lambda is installed with npm"],
  ["terraform", "version", "infra/ needs Terraform 1.9 or newer"],
] as const;

/** Starting a Java program on a busy machine takes seconds. */
const answerMillisMax = 60_000;

/** One line for each program that is missing. */
export async function missingPrograms(): Promise<string[]> {
  const found = await Promise.all(
    requiredPrograms.map(async ([name, argument, reason]) => {
      try {
        await promisify(execFile)(name, [argument], { timeout: answerMillisMax });
        return null;
      } catch {
        return `${name} is missing: ${reason}.`;
      }
    }),
  );
  return found.filter((line) => line !== null);
}
