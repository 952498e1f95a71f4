import { join } from "node:path";
import { freePort } from "../free-port.ts";
import type { ChildGroups } from "./child-groups.ts";
import { installOnce } from "./install-once.ts";
import { type Service, startService } from "./service.ts";

const motoVersion = "5.2.1";

/** Installs moto, which brings cfn-lint: the folder of their programs. */
export async function installMoto(): Promise<string> {
  const folder = await installOnce("moto", motoVersion, async (folder, run) => {
    await run("python3", ["-m", "venv", "venv"]);
    const pip = join(folder, "venv", "bin", "pip");
    await run(pip, ["install", "--quiet", "--disable-pip-version-check", `moto[server]==${motoVersion}`, "cfn-lint"]);
  });
  return join(folder, "venv", "bin");
}

/** AWS on loopback, empty. Policies that AWS manages are there, since roles of `infra/` attach them. */
export async function startMoto(groups: ChildGroups, programs: string): Promise<Service> {
  const port = await freePort();
  return startService(groups, {
    name: "moto",
    url: `http://127.0.0.1:${port}`,
    readyPath: "/moto-api/",
    command: join(programs, "moto_server"),
    parameters: ["-H", "127.0.0.1", "-p", String(port)],
    env: { MOTO_IAM_LOAD_MANAGED_POLICIES: "true" },
  });
}
