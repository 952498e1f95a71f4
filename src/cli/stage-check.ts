import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify, stripVTControlCharacters } from "node:util";
import type { DoctorCheck } from "./doctor-check.ts";

/** Where a stage is described, and how to reach it. */
export interface StageOptions {
  readonly stage: string;
  /** Folder of the Terraform configuration. */
  readonly infra: string;
  readonly lambdaDirectory: string;
}

interface ResourceChange {
  readonly address: string;
  readonly change: {
    readonly actions: readonly string[];
    readonly before: Readonly<Record<string, unknown>> | null;
    readonly after: Readonly<Record<string, unknown>> | null;
    readonly after_unknown?: Readonly<Record<string, unknown>>;
  };
}

const run = promisify(execFile);
const planMinutesMax = 10;
const answerMillisMax = 10_000;
const outputBytesMax = 256 * 1024 * 1024;

/**
 * How a deployed stage differs from what this checkout describes: Terraform's own plan, code of the functions included (their
 * hashes are part of it), and what the API says of itself. Changes nothing; asks AWS with the credentials of the environment.
 */
export async function checkStage(options: StageOptions): Promise<readonly DoctorCheck[]> {
  const terraform = await checkTerraform();
  if (!terraform.ok) return [terraform];
  const outputs = await readOutputs(options);
  if ("fix" in outputs) return [terraform, outputs];
  return [terraform, await checkPlan(options), await checkApi(outputs)];
}

async function checkTerraform(): Promise<DoctorCheck> {
  try {
    const { stdout } = await run("terraform", ["version", "-json"]);
    const { terraform_version: version } = JSON.parse(stdout) as { terraform_version: string };
    return { name: "tool", ok: true, detail: `Terraform ${version}`, fix: null };
  } catch (error) {
    const detail = `terraform does not run: ${firstLine(error)}`;
    return { name: "tool", ok: false, detail, fix: "install Terraform 1.11 or newer" };
  }
}

async function readOutputs({ stage, infra }: StageOptions): Promise<ReadonlyMap<string, unknown> | DoctorCheck> {
  const init = `terraform -chdir=${infra} init -reconfigure -backend-config=environments/${stage}.s3.tfbackend -backend-config=bucket=NAME`;
  try {
    const { stdout } = await run("terraform", [`-chdir=${infra}`, "output", "-json"]);
    const outputs = Object.entries(JSON.parse(stdout) as Record<string, { value: unknown }>);
    const values = new Map(outputs.map(([name, { value }]) => [name, value]));
    const found = (values.get("api") as { readonly stage?: string } | undefined)?.stage;
    if (found === stage) return values;
    const detail = found === undefined ? "the state holds no stage" : `the state is that of stage ${found}`;
    return { name: "state", ok: false, detail, fix: `${init}, then apply` };
  } catch (error) {
    return { name: "state", ok: false, detail: `the state cannot be read: ${firstLine(error)}`, fix: init };
  }
}

async function checkPlan({ stage, infra, lambdaDirectory }: StageOptions): Promise<DoctorCheck> {
  const folder = await mkdtemp(join(tmpdir(), "eventpulse-plan-"));
  const file = join(folder, "plan");
  const variables = [`-var-file=environments/${stage}.tfvars`, `-var=lambda_dir=${resolve(lambdaDirectory)}`];
  const apply = `terraform -chdir=${infra} apply ${variables[0]}`;
  try {
    const plan = ["plan", "-input=false", "-lock=false", `-out=${file}`, ...variables];
    const limits = { timeout: planMinutesMax * 60_000, maxBuffer: outputBytesMax };
    await run("terraform", [`-chdir=${infra}`, ...plan], limits);
    const { stdout } = await run("terraform", [`-chdir=${infra}`, "show", "-json", file], limits);
    const differences = planDifferences(stdout);
    if (differences.length === 0)
      return { name: "plan", ok: true, detail: "what is deployed is what is described", fix: null };
    return { name: "plan", ok: false, detail: differences.join("; "), fix: apply };
  } catch (error) {
    return { name: "plan", ok: false, detail: `there is no plan: ${firstLine(error)}`, fix: apply };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a plan (`terraform show -json`) would change, one text each: `to create: …`, `differs: … (attributes)`, `to destroy: …`. */
export function planDifferences(planJson: string): readonly string[] {
  const { resource_changes: changes = [] } = JSON.parse(planJson) as { resource_changes?: readonly ResourceChange[] };
  return changes.flatMap(({ address, change }) => {
    const { actions } = change;
    if (actions.every((action) => action === "no-op" || action === "read")) return [];
    if (actions.includes("create") && actions.includes("delete")) return `to replace: ${address}${named(change)}`;
    if (actions.includes("create")) return `to create: ${address}`;
    if (actions.includes("delete")) return `to destroy: ${address}`;
    return `differs: ${address}${named(change)}`;
  });
}

/** Names of the attributes that differ; never their values, which may be secret. */
function named({ before, after, after_unknown: unknown = {} }: ResourceChange["change"]): string {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  const differing = [...names].filter(
    (name) => unknown[name] !== true && JSON.stringify(before?.[name]) !== JSON.stringify(after?.[name]),
  );
  return differing.length === 0 ? "" : ` (${differing.sort().join(", ")})`;
}

async function checkApi(outputs: ReadonlyMap<string, unknown>): Promise<DoctorCheck> {
  const url = String(outputs.get("public_url"));
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(answerMillisMax) });
    if (response.status === 200) return { name: "api", ok: true, detail: `${url} is ready`, fix: null };
    const detail = `${url}/health/ready answers ${response.status}: ${(await response.text()).slice(0, 300)}`;
    return { name: "api", ok: false, detail, fix: "look at the alarms and the log of the http function" };
  } catch (error) {
    const detail = `${url} does not answer: ${error instanceof Error ? error.message : String(error)}`;
    return { name: "api", ok: false, detail, fix: "look at the stage of the API and at the log of the http function" };
  }
}

/** Of what a program wrote to stderr, else of the error. */
function firstLine(error: unknown): string {
  const { stderr = "", message = String(error) } = error as { stderr?: string; message?: string };
  // Terraform colours what it says also where nobody sees colours, and a warning may stand before the error.
  const lines = stripVTControlCharacters(`${stderr}\n${message}`)
    .split("\n")
    .map((line) => line.replace(/^[\s│╷╵]+/u, ""));
  return lines.find((line) => line.startsWith("Error")) ?? lines.find((line) => line !== "") ?? "no reason given";
}
