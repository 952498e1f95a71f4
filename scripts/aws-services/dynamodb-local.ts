import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import type { ChildGroups } from "./child-groups.ts";
import { installOnce } from "./install-once.ts";
import { type Service, startService } from "./service.ts";

const dynamoDbLocalVersion = "2.6.1";

const project = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>eventpulse</groupId><artifactId>dynamodb-local</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>com.amazonaws</groupId><artifactId>DynamoDBLocal</artifactId><version>${dynamoDbLocalVersion}</version>
  </dependency></dependencies>
</project>
`;

/** Installs Amazon's DynamoDB Local with its native SQLite: the folder of its libraries. */
export async function installDynamoDbLocal(): Promise<string> {
  const folder = await installOnce("dynamodb-local", dynamoDbLocalVersion, async (folder, run) => {
    await writeFile(join(folder, "pom.xml"), project);
    const goal = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies";
    await run("mvn", ["--quiet", "--batch-mode", goal, "-DoutputDirectory=libraries"]);
  });
  return join(folder, "libraries");
}

/** DynamoDB on loopback, in memory, empty. */
export async function startDynamoDbLocal(groups: ChildGroups, libraries: string): Promise<Service> {
  const port = await freePort();
  return startService(groups, {
    name: "DynamoDB Local",
    url: `http://127.0.0.1:${port}`,
    readyPath: "/",
    command: "java",
    parameters: [
      "-Xmx512m",
      `-Djava.library.path=${libraries}`,
      "-cp",
      join(libraries, "*"),
      "com.amazonaws.services.dynamodbv2.local.main.ServerRunner",
      "-inMemory",
      "-sharedDb",
      "-disableTelemetry",
      "-port",
      String(port),
    ],
    env: {},
  });
}
